from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Grid, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.report.suites.pages import exhibits, suite_pages
from mtbench.store.record import PhaseInfo
from mtbench.store.status import RunStatus
from tests.report.records import MANY, finished
from tests.report.suite_runs import filled
from tests.report.typesetting import needs_latex, typeset

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


def test_a_suite_shows_what_its_figures_name_and_nothing_else(runs: SuiteRuns) -> None:
    kinds = {exhibit.name.split("-")[0] for exhibit in exhibits(runs)}
    assert {"sweep", "tasks", "adding"} < kinds
    assert [exhibit.name for exhibit in exhibits(replace(runs, suite=replace(EVERY, figures=("adding",))))] == [
        "adding-mmnist3"
    ]
    assert exhibits(replace(runs, suite=replace(EVERY, figures=()))) == []


def test_no_two_pages_and_no_two_figures_have_one_name(runs: SuiteRuns) -> None:
    labels = [page.label for page in suite_pages(runs, [])]
    names = [exhibit.name for exhibit in exhibits(runs)]
    assert len(set(labels)) == len(labels)
    assert len(set(names)) == len(names)


def test_every_page_marks_a_preview(runs: SuiteRuns) -> None:
    for exhibit in exhibits(runs):
        assert all("\n**Preview, not a result.** " in render_markdown(page) for page in exhibit.pages)


@needs_latex
def test_pdflatex_sets_every_page_within_the_line(runs: SuiteRuns, tmp_path: Path) -> None:
    log = typeset(tmp_path, [render_latex(page) for exhibit in exhibits(runs) for page in exhibit.pages])
    assert "multiply defined" not in log
