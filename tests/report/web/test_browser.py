"""The page in a real browser: with its script, and with JavaScript off."""

import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from mtbench.report.assemble import make_report
from mtbench.report.page.latex import escape_latex
from mtbench.report.page.markdown import escape_markdown
from mtbench.report.web.document import render_document
from mtbench.report.web.drawing import drawing_of
from mtbench.stats.contrast import holm, paired
from tests.report.records import QUICK, finished, unfinished

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    # of Playwright itself, on the loop that it leaves behind
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WRONG = ("<img src=x onerror=alert(1)>", "a_b & 50%")
WAIT = 10_000  # milliseconds
SCORES = {
    "td": [(90.0, 80.0), (91.0, 81.5), (90.5, 80.25), (91.25, 82.0)],
    "moo": [(88.0, 79.5), (88.5, 80.5), (87.75, 80.0), (89.0, 81.25)],
    WRONG[0]: [(70.0, 85.0), (71.0, 84.0), (72.5, 85.5), (70.25, 84.75)],
    WRONG[1]: [(60.0, 50.0), (61.0, 52.0), (62.0, 51.0), (60.5, 53.0)],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a report with names of markup, failed and stale runs, and two training protocols."""
    runs = [
        finished(method, seed, scores, seconds=2.0 if method == "moo" else 1.0)
        for method, of_seeds in SCORES.items()
        for seed, scores in enumerate(of_seeds)
    ]
    runs += [
        finished("film", 0, (50.0, 40.0), stale="its code changed"),
        unfinished("failed", "film", 1, "out of memory"),
    ]
    runs += [finished(method, seed, protocol=QUICK) for method in ("td", "moo") for seed in range(2)]
    pieces = make_report(runs).shown
    figures = {stem: draw() for piece in pieces for stem, draw in piece.figures.items() if "paper" in stem}
    drawings = {stem: [drawing_of(figure, stem)] for stem, figure in figures.items() if isinstance(figure, Figure)}
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(render_document(pieces, drawings, folder))
    return (folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, opened; at the end it has asked for nothing and complained of nothing."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(WAIT)
    opened = context.new_page()
    troubles, requests = list[str](), list[str]()
    opened.on("console", lambda said: troubles.append(said.text))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("dialog", lambda shown: troubles.append(shown.message))
    opened.on("request", lambda request: requests.append(request.url.partition("#")[0]))
    opened.goto(address)
    yield opened
    context.close()
    assert troubles == []
    assert set(requests) == {address}


def names(page: Any) -> list[str]:
    """Return the methods of the first table in the order that is shown."""
    found: list[str] = page.eval_on_selector_all(
        "#s2t1 .main tbody tr:not([hidden])", "rows => rows.map(row => row.dataset.method)"
    )
    return found


def test_a_head_sorts_by_mouse_and_by_keys_and_says_so(page: Any) -> None:
    head = page.locator("#s2t1 .main thead th", has_text="RL")
    head.get_by_role("button").click()
    assert names(page) == [WRONG[0], "td", "moo", WRONG[1], "film"]
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").press("Enter")
    assert names(page) == ["film", WRONG[1], "moo", "td", WRONG[0]]
    assert head.get_attribute("aria-sort") == "ascending"
    page.locator("#s2t1 .main thead th", has_text="memory").get_by_role("button").press("Space")
    assert page.locator("#s2t1 .main thead th[aria-sort]").count() == 1
    assert "sorted by" in page.locator(".live").text_content()


def test_rows_sections_and_columns_are_filtered_and_an_address_keeps_them(page: Any) -> None:
    page.get_by_role("searchbox").fill("IMG")
    assert names(page) == [WRONG[0]]
    page.get_by_role("searchbox").fill("")
    page.locator(".controls").get_by_label("runs").select_option("no")
    assert names(page) == ["film"]
    page.locator(".controls").get_by_label("runs").select_option("")
    page.get_by_label("LU", exact=True).uncheck()
    page.locator(".controls").get_by_label("protocol").select_option("paper")
    page.locator("#s2t1 .main thead th", has_text="mean").get_by_role("button").click()
    again = page.context.new_page()
    again.goto(page.url)
    assert names(again) == names(page) == ["td", "moo", WRONG[0], WRONG[1], "film"]
    assert not again.locator("#s2t1 .main thead th", has_text="LU").is_visible()
    assert again.locator("section[data-protocol=quick]:visible").count() == 0


def test_two_rows_give_the_difference_its_test_and_its_cost(page: Any) -> None:
    for method in ("td", "moo"):
        page.locator("#s2t1").get_by_label(f"Compare {method}").check()
    panel = page.locator("#s2t1 .pair")
    first, second = (np.array(SCORES[method]) for method in ("td", "moo"))
    expected = [paired(first[:, 0], second[:, 0]), paired(first[:, 1], second[:, 1])]
    expected.append(paired(first.mean(axis=1), second.mean(axis=1)))
    adjusted = holm([contrast.p for contrast in expected])
    for row, contrast, corrected in zip(panel.locator("tbody tr").all(), expected, adjusted, strict=True):
        _, difference, interval, n, p, after, least, word = row.locator("th, td").all_text_contents()
        assert float(difference.split()[0]) == pytest.approx(contrast.difference, abs=0.05)
        bounds = contrast.interval()
        assert bounds
        assert [float(end) for end in interval.split(" to ")] == pytest.approx(bounds, abs=0.05)
        assert (n, float(least)) == ("4", 0.125)
        assert [float(p), float(after)] == [pytest.approx(value, rel=0.05) for value in (contrast.p, corrected)]
        assert word == ("better" if corrected < 0.05 else "undecided")
    assert "training time \N{MULTIPLICATION SIGN}0.50" in panel.text_content()
    page.locator("#s2t1").get_by_label(f"Compare {WRONG[0]}").check()
    assert page.locator("#s2t1 .pair h3").text_content() == f"moo against {WRONG[0]}"


def test_a_number_opens_its_seeds_its_runs_and_its_command(page: Any) -> None:
    page.locator("#s2t1 tr[data-method=td] td a").first.click()
    box = page.get_by_role("dialog")
    run = finished("td", 2).spec.id
    assert box.locator("tbody tr").nth(2).locator("td").all_text_contents() == ["2", "90.5", run, "fresh"]
    for words in (
        "--methods td --dataset mmnist2 --protocol paper --seeds 0,1,2,3",
        "network td: mtbench",
        "torch version",
    ):
        assert words in box.text_content()
    assert r"\mtb{mmnist2}{td}{LU}" in box.text_content()
    page.keyboard.press("Escape")
    assert box.count() == 0


def test_the_dots_of_a_cell_are_reached_by_keys(page: Any) -> None:
    strip = page.locator("#s2t1 tr[data-method=td] svg.dots").first
    strip.focus()
    assert page.locator(".tip").text_content().startswith("seed 0: 90, run ")
    strip.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("seed 1: 91, run ")


@pytest.mark.parametrize("kind", ["LaTeX", "Markdown", "CSV"])
def test_a_copy_is_of_what_is_shown(page: Any, kind: str) -> None:
    page.get_by_role("searchbox").fill("i")
    page.get_by_label("LU", exact=True).uncheck()
    page.locator("#s2t1 .main thead th", has_text="method").get_by_role("button").click()
    page.locator("#s2t1 .copies").get_by_role("button", name=kind, exact=True).click()
    lines = page.locator("dialog textarea").input_value().splitlines()
    escapes: dict[str, Callable[[str], str]] = {"LaTeX": escape_latex, "Markdown": escape_markdown, "CSV": str}
    escape = escapes[kind]
    found = [line for line in lines if escape(WRONG[0]) in line or "film" in line]
    assert len(found) == 2
    assert escape(WRONG[0]) in found[0]
    assert not any("LU" in line or "moo" in line for line in lines)


def test_a_copy_with_macros_has_a_call_for_each_number(page: Any) -> None:
    page.get_by_role("searchbox").fill("td")
    page.locator("#s2t1 .copies").get_by_role("button", name="LaTeX with macros").click()
    text = page.locator("dialog textarea").input_value()
    assert r"td & \mtbcell{mmnist2}{td}{LU} & \mtbcell{mmnist2}{td}{RL} & \mtbcell{mmnist2}{td}{mean}" in text


def test_the_script_escapes_as_the_tables_do(page: Any) -> None:
    texts = [*WRONG, "-1.5 (-2 to --3)", "\N{GREEK SMALL LETTER ALPHA} é … Δm ↑ [x] *y* \\ {z} ± †", "a--b"]
    assert page.evaluate("texts => texts.map(mtbench.latex)", texts) == list(map(escape_latex, texts))
    assert page.evaluate("texts => texts.map(mtbench.markdown)", texts) == list(map(escape_markdown, texts))


def test_the_script_tests_as_scipy_does(page: Any) -> None:
    ts, freedoms = [0.0, 0.01, 0.7, 2.0, 5.5, 60.0, 4000.0], [1, 2, 3, 4, 9, 29, 200]
    pairs = [(t, freedom) for t in ts for freedom in freedoms]
    found = page.evaluate("pairs => pairs.map(([t, freedom]) => mtbench.twoSided(t, freedom))", pairs)
    assert found == pytest.approx([2 * stats.t.sf(t, freedom) for t, freedom in pairs], rel=1e-9, abs=1e-300)
    quantiles = page.evaluate("freedoms => freedoms.map((freedom) => mtbench.quantile(0.95, freedom))", freedoms)
    assert quantiles == pytest.approx([stats.t.ppf(0.975, freedom) for freedom in freedoms], rel=1e-9)
    rng = np.random.default_rng(0)
    for n in (2, 3, 10):
        first, second = rng.normal(90, 1, n), rng.normal(89, 1, n)
        contrast = paired(first, second)
        entries = [list(enumerate(map(float, values))) for values in (first, second)]
        ours = page.evaluate("([a, b]) => mtbench.paired(new Map(a), new Map(b))", entries)
        expected = [contrast.difference, contrast.p, *(contrast.interval() or ()), contrast.least]
        assert [ours[name] for name in ("difference", "p", "low", "high", "least")] == pytest.approx(expected, rel=1e-6)
    assert page.evaluate("mtbench.holm([0.01, 0.04, 0.03, 0.005])") == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_seeds_that_do_not_vary_and_single_pairs_have_no_p(page: Any) -> None:
    for first, second in (
        ([[0, 1.0], [1, 2.0]], [[0, 0.5], [1, 1.5]]),
        ([[0, 1.0]], [[0, 2.0]]),
        ([[0, 1.0]], [[1, 2.0]]),
    ):
        found = page.evaluate("([a, b]) => String(mtbench.paired(new Map(a), new Map(b)).p)", [first, second])
        assert found == "NaN"


@pytest.mark.parametrize(("scheme", "width"), [("light", 400), ("dark", 1400)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Any, address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 900})
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto(address)
    for method in ("td", "moo"):
        page.locator("#s2t1").get_by_label(f"Compare {method}").check()
    page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    context.close()
    assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found["violations"]] == []


def test_without_javascript_everything_is_there(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto(address)
    rows = page.locator("#s2t1 .main tbody tr")
    assert rows.count() == len(SCORES) + 1
    assert page.locator("#s2t1 th", has_text=WRONG[0]).first.is_visible()
    assert page.locator("figure svg").count() == 2
    assert page.locator("button, input, select").count() == 0
    page.locator("#s2t1 tr[data-method=td] td a").first.click()
    listed = page.locator("#s2t1 .runs tbody[data-method=td]")
    assert listed.get_by_text(finished("td", 3).spec.id).is_visible()  # the link has opened the list
    page.locator("figure summary").first.click()
    assert page.locator("figure table").first.is_visible()
    context.close()


def test_a_page_without_a_wide_screen_is_read_by_scrolling_in_its_regions(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800}, reduced_motion="reduce", bypass_csp=True)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto(address)
    region = page.locator("#s2t1 .scroll").first
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#s2t1 .scroll').scrollLeft > 0")
    context.close()


def test_the_script_and_the_style_have_no_address_in_them() -> None:
    for name in ("page.js", "page.css", "page.html.j2"):
        text = (Path(__file__).parents[3] / "mtbench/report/web" / name).read_text()
        assert "http" not in text.replace("http-equiv", "")
