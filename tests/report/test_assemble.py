import io
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from matplotlib.figure import Figure
from rich.console import Console

from mtbench import registry
from mtbench.contract import TrainingProtocol
from mtbench.errors import PluginError
from mtbench.plan.suite import Grid, Suite
from mtbench.report.assemble import Report, assemble, make_report
from mtbench.report.data.comparison import compare
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibit import Results
from mtbench.report.exhibits import runs as runs_exhibit
from mtbench.report.exhibits.diagnostics import exhibit as diagnostics
from mtbench.report.exhibits.pareto import data as pareto
from mtbench.report.exhibits.pareto import exhibit as pareto_exhibit
from mtbench.report.exhibits.summary import data as summary_data
from mtbench.report.exhibits.summary import exhibit as summary
from mtbench.report.figure.style import looks_of
from mtbench.report.page.latex import escape_latex, render_latex
from mtbench.report.page.markdown import escape_markdown, render_markdown
from mtbench.store.record import PhaseInfo
from mtbench.store.status import RunStatus
from tests.report.records import MANY, PAPER, QUICK, finished
from tests.report.searches import Tried, weighted
from tests.report.suite_runs import filled
from tests.report.typesetting import needs_latex, typeset

LONGEST = 400
"""Characters of a caption that a paper can print as it is."""
TASKS = {"mmnist2": ("LU", "RL"), "mmnist3": ("LU", "RL", "LL"), "mmnist9": tuple("123456789")}
SOME = ("uniform", "single", "td:channels=6:bu2=mul+fixed:weights=.3/.4/.3")
EVERY = Suite(
    name="every",
    title="All that a suite can show",
    grid=(
        Grid(datasets=("mmnist2", "mmnist3"), methods=tuple(MANY), vary={"tasks_per_image": ("one", "all")}),
        Grid(datasets=("mmnist3",), methods=SOME, vary={"adds": ("own", "all")}),
        Grid(datasets=("mmnist2",), methods=SOME, vary={"lr": (1e-4, 3e-4, 3e-3, 1e-2, 3e-2)}),
        Grid(datasets=("mmnist3", "mmnist2", "mmnist9"), methods=(*SOME, "moo")),
    ),
    figures=("sweep", "tasks", "adding", "matched"),
)


def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    score = 90.0 + len(method) % 5 + seed
    made = finished(method, seed, dict.fromkeys(TASKS[dataset], score), dataset=dataset, protocol=protocol)
    assert made.record is not None
    if protocol.adds == "none":
        return made
    phases = [
        PhaseInfo(name=name, epochs=10, parameters=320, weights=320, tasks=TASKS[dataset])
        for name in ("first", protocol.adds)
    ]
    return replace(made, record=replace(made.record, phases=tuple(phases)))


@pytest.fixture(scope="module")
def runs() -> SuiteRuns:
    return filled(EVERY, run, seeds=2, quick=True)


def names(report: Report) -> list[str]:
    """Return the kinds of what a suite asks for, by the names of its frames."""
    stems = (stem.removeprefix("every-quick-") for piece in report.shown for stem in piece.numbers)
    return [stem for stem in stems if not stem.endswith(("-table", "-ledger", "runs"))]


def test_a_suite_shows_what_its_figures_name_and_nothing_else(runs: SuiteRuns) -> None:
    kinds = {name.split("-")[0] for name in names(assemble(Results.of_suite(runs)))}
    assert {"sweep", "tasks", "adding"} < kinds
    asked = replace(runs, suite=replace(EVERY, figures=("adding",)))
    assert names(assemble(Results.of_suite(asked))) == ["adding-mmnist3"]
    assert names(assemble(Results.of_suite(replace(runs, suite=replace(EVERY, figures=()))))) == []


def test_no_two_pages_and_no_two_figures_have_one_name(runs: SuiteRuns) -> None:
    report = assemble(Results.of_suite(runs))
    labels = [page.label for page in report.pages()]
    stems = [stem for piece in report.shown for stem in piece.figures]
    assert len(set(labels)) == len(labels)
    assert len(set(stems)) == len(stems)


def test_every_page_marks_a_preview(runs: SuiteRuns) -> None:
    pages = list(assemble(Results.of_suite(runs)).pages())
    assert len(pages) > 3
    assert all("\n**Preview, not a result.** " in render_markdown(page) for page in pages)


def test_captions_are_short_and_details_hold_the_rest_below_the_table(runs: SuiteRuns) -> None:
    pages = list(assemble(Results.of_suite(runs)).pages())
    assert {len(page.layout.lines) > 40 for page in pages} == {True, False}  # all methods, and some
    for page in pages:
        caption, details = " ".join(page.caption), " ".join(page.details)
        assert 0 < len(caption) <= LONGEST
        assert details
        float_, rest = render_latex(page).split("\\label{", 1)
        assert float_.endswith(f"{escape_latex(caption)}}}\n")
        assert rf"\textbf{{Details.}} {escape_latex(details)}\par" in rest
        *_, above, below = render_markdown(page).split("\n**Details.** ")[0:2]
        assert above.endswith(f"{escape_markdown(caption)}\n")
        assert below.startswith(escape_markdown(details))


@needs_latex
def test_pdflatex_sets_every_page_within_the_line(runs: SuiteRuns, tmp_path: Path) -> None:
    log = typeset(tmp_path, [render_latex(page) for page in assemble(Results.of_suite(runs)).pages()])
    assert "multiply defined" not in log


def counted(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[str]:
    """Return a list that grows by a name whenever a function of a module is called."""
    calls: list[str] = []
    function = getattr(module, name)

    def call(*args: object, **more: object) -> object:
        calls.append(name)
        return function(*args, **more)

    monkeypatch.setattr(module, name, call)
    return calls


def test_each_table_bootstrap_and_frame_is_made_once_for_the_screen_and_all_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    points = [
        Tried(asked="0.5/0.5", worth=(70, 70), front=True, tested=[(70, 70), (71, 70)]),
        Tried(asked="0.9/0.1", worth=(80, 50), front=True, tested=[(80, 50), (81, 51)]),
    ]
    found, again = weighted(points)
    methods = [finished(name, seed, (60.0 + seed, 65.0)) for name in ("td", "moo") for seed in range(2)]
    calls = {
        name: counted(monkeypatch, module, name)
        for module, name in (
            (summary_data, "build_table"),
            (pareto, "front_probability"),
            (pareto_exhibit, "pareto_rows"),
            (runs_exhibit, "tidy_frame"),
            (diagnostics, "conflict_frame"),
        )
    }
    report = make_report([*again, *methods], [found])
    report.print(Console(file=io.StringIO(), width=100))
    files = {file.name for file in report.write(tmp_path)}
    assert {name: len(made) for name, made in calls.items()} == dict.fromkeys(calls, 1)
    stem = "mmnist2-paper-search-branches-fixed"
    assert {f"{stem}.{kind}" for kind in ("tex", "md", "csv")} | {f"{stem}-scatter.pdf"} <= files


def test_without_any_exhibit_a_report_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "exhibits", lambda _: ())
    with pytest.raises(PluginError, match=r"no exhibit is installed.* Install it again"):
        make_report([])


def test_a_method_has_one_color_in_all_figures_of_a_report() -> None:
    protocols = (PAPER, QUICK)
    some = {PAPER: ("branches", "moo", "td"), QUICK: ("moo", "td")}
    runs = [finished(name, seed, protocol=each) for each in protocols for name in some[each] for seed in range(2)]
    found = Results(comparisons=tuple(compare(runs)))
    pieces = list(summary.Summary().show(found))
    colors: dict[str, set[str]] = {}
    for piece, comparison in zip(pieces, found.comparisons, strict=True):
        curves, points = (draw() for draw in piece.figures.values())
        assert isinstance(curves, Figure)
        assert isinstance(points, Figure)
        for line, text in zip(curves.legends[0].get_lines(), curves.legends[0].get_texts(), strict=True):
            colors.setdefault(text.get_text(), set()).add(str(line.get_color()))
        marks = [line for line in points.axes[0].lines if line.get_marker() == "|"]
        for line, method in zip(marks, comparison.methods, strict=True):
            colors[method.title].add(str(line.get_color()))
    assert {method: len(each) for method, each in colors.items()} == {"branches": 1, "moo": 1, "td": 1}
    assert len(set.union(*colors.values())) == 3


def test_a_method_has_one_color_whatever_a_suite_calls_it_and_whichever_methods_it_has() -> None:
    plain = Results(comparisons=tuple(compare([finished(name) for name in ("branches", "moo", "td", "single")])))
    suite = Suite(
        name="some",
        title="Some",
        grid=(Grid(datasets=("mmnist3",), methods=("td", "moo")),),
        labels={"moo": "A first name", "td": "single"},
    )
    of_suite = Results.of_suite(filled(suite, run), in_folder=tuple(plain.looks))
    assert of_suite.looks["A first name"] == plain.looks["moo"]
    assert of_suite.looks["single"] == plain.looks["single"]  # a name that another method has in the folder is its own


def test_methods_of_a_suite_that_are_not_in_the_folder_have_looks_that_are_free() -> None:
    suite = Suite(name="some", title="Some", grid=(Grid(datasets=("mmnist3",), methods=("td", "moo")),))
    looks = Results.of_suite(filled(suite, run), in_folder=("branches", "td")).looks
    assert looks["td"] == looks_of(["branches", "td"])["td"]
    assert looks["moo"] not in looks_of(["branches", "td"]).values()
