"""The page in a real browser: with its script, and with JavaScript off."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtbench.report.page.latex import escape_latex
from mtbench.report.page.markdown import escape_markdown
from mtbench.stats.contrast import holm, paired
from tests.report.records import finished
from tests.report.typesetting import needs_latex, typeset
from tests.report.web.pages import SCORES, WAIT, WRONG

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the loop that Playwright leaves behind


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
    assert box.locator("tbody tr").nth(2).locator("td").all_text_contents() == ["2", "90.5", run, "fresh, reported"]
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


@needs_latex
def test_a_copy_is_set_by_latex_with_names_of_markup(page: Any, tmp_path: Path) -> None:
    page.locator("#s2t1 .copies").get_by_role("button", name="LaTeX", exact=True).click()
    text = page.locator("dialog textarea").input_value()
    typeset(tmp_path, [f"\\noindent\\resizebox{{.99\\linewidth}}{{!}}{{%\n{text}}}"])


def test_seeds_that_are_too_few_are_not_called_tied(page: Any) -> None:
    for method in ("td", "film"):
        page.locator("#s2t1").get_by_label(f"Compare {method}").check()
    assert "cannot be tested: the cheaper is td" in page.locator("#s2t1 .pair").text_content()


def test_a_copy_with_macros_has_a_call_for_each_number(page: Any) -> None:
    page.get_by_role("searchbox").fill("td")
    page.locator("#s2t1 .copies").get_by_role("button", name="LaTeX with macros").click()
    text = page.locator("dialog textarea").input_value()
    assert r" & \mtbcell{mmnist2}{td}{LU} & \mtbcell{mmnist2}{td}{RL} & \mtbcell{mmnist2}{td}{mean}" in text


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
