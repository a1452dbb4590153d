import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from matplotlib.figure import Figure

from mtbench.report.assemble import make_report
from mtbench.report.web.document import render_document
from mtbench.report.web.drawing import drawing_of
from tests.report.records import QUICK, finished, unfinished
from tests.report.web.pages import SCORES, WAIT


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
    """A browser, in which every test opens windows of its own."""
    playwright = pytest.importorskip("playwright.sync_api")
    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as running:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = running.chromium.launch(executable_path=chromium, args=options)
        yield started
        started.close()


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
