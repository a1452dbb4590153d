"""Tables of pointing and of accuracy on known classes, from records made by hand."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mtbench.contract import Classification, Task
from mtbench.report.assemble import make_report
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.exhibits.classes.exhibit import Classes
from mtbench.report.exhibits.pointing.data import pointing_frame
from mtbench.report.exhibits.pointing.exhibit import Pointing as PointingExhibit
from mtbench.report.page.latex import render_latex
from mtbench.report.page.layout import Page
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo, read_record, render_record
from mtbench.store.record.pointing import ConstantPoint, Nearness, Outcomes, Pointing, TaskPointing
from mtbench.store.status import RunStatus
from tests.report.records import beside, finished
from tests.report.shown import shown_beside

BIRD = tuple(TaskInfo.of(Task(name=name, kind=Classification(classes=16, unknown=15))) for name in ("wing", "eye"))


def found(within_5: float, within_10: float, median: float, outcomes: Outcomes | None = None) -> TaskPointing:
    constant = ConstantPoint(x=0.5, y=0.25, nearness=Nearness(within_5=0.1, within_10=0.2, median=0.3))
    peak = Nearness(within_5=within_5, within_10=within_10, median=median)
    return TaskPointing(count=200, peak=peak, constant=constant, outcomes=outcomes)


def pointing(run: RunStatus, tasks: Mapping[str, TaskPointing], name: str = "coarse map") -> RunStatus:
    assert run.record is not None
    return replace(run, record=replace(run.record, pointing=Pointing(map=name, tasks=tasks)))


def bird(method: str, seed: int, wing: float, known: float) -> RunStatus:
    metrics = {"accuracy": wing, "balanced-accuracy": 50.0, "macro-f1": 50.0, "known-accuracy": known}
    run = finished(method, seed, {"wing": metrics, "eye": metrics}, tasks=BIRD)
    return beside(run, {task: {**metrics, "accuracy": 20.0, "known-accuracy": 0.0} for task in ("wing", "eye")})


def outcomes(*counts: int) -> Outcomes:
    names = ("localized_right", "localized_wrong", "elsewhere_right", "elsewhere_wrong")
    return Outcomes(**dict(zip(names, counts, strict=True)))


def runs() -> list[RunStatus]:
    return [
        pointing(
            bird("td", 0, 80.0, 70.0),
            {
                "wing": found(0.4, 0.6, 0.05, outcomes(90, 30, 20, 60)),
                "eye": found(0.6, 0.8, 0.03, outcomes(160, 0, 10, 30)),
            },
            "image-level map",
        ),
        pointing(
            bird("td", 1, 82.0, 74.0),
            {
                "wing": found(0.5, 0.7, 0.05, outcomes(100, 40, 20, 40)),
                "eye": found(0.7, 0.9, 0.01, outcomes(170, 10, 10, 10)),
            },
            "image-level map",
        ),
        pointing(bird("chmod", 0, 60.0, 40.0), {"wing": found(0.0, 0.2, 0.4), "eye": found(0.0, 0.0, 0.4)}),
        bird("moo", 0, 60.0, 40.0),
    ]


def comparison() -> Comparison:
    [made] = compare(runs())
    return made


def cells(name: str) -> list[list[str]]:
    page = pages(comparison())[name]
    return [list(page.layout.header), *([cell.says for cell in line] for line in page.layout.lines)]


def pages(of: Comparison) -> dict[str, Page]:
    """Return the pages of pointing and of known classes."""
    return shown_beside(PointingExhibit, of) | shown_beside(Classes, of)


def test_the_table_of_pointing_has_a_row_per_method_with_a_map_and_one_of_the_constant_point() -> None:
    assert cells("pointing") == [
        ["method", "map", "wing", "eye", "within 5 %", "within 10 %", "median", "misses"],
        ["chmod", "coarse map", "20.00", "0.00", "0.00", "10.00", "40.00", "\N{MULTIPLICATION SIGN}1.12"],  # .9 / .8
        [
            *("td", "image-level map", "65.00 ± 7.07", "85.00 ± 7.07"),
            *("55.00 ± 7.07", "75.00 ± 7.07", "3.50 ± 0.71", "\N{MULTIPLICATION SIGN}0.31"),  # .25 / .8
        ],
        ["constant point", "\N{EN DASH}", "20.00", "20.00", "10.00", "20.00", "30.00", "\N{MULTIPLICATION SIGN}1.00"],
    ]


def test_the_table_of_outcomes_has_the_four_counts_of_each_task() -> None:
    table = cells("outcomes")
    assert [line[0] for line in table] == ["method, task", "td, wing", "td, eye", "td, all"]
    assert table[1][1:] == [
        *("200", "47.50 ± 3.54", "17.50 ± 3.54", "10.00 ± 0.00", "25.00 ± 7.07"),
        *("73.21 ± 2.53", "29.17 ± 5.89"),  # 90/120, 100/140; 20/80, 20/60
    ]
    assert table[3][1] == "400"
    assert table[3][2].startswith("65.00")  # (90 + 160) / 400, (100 + 170) / 400


def test_accuracy_on_known_classes_stands_beside_accuracy() -> None:
    assert cells("known") == [
        ["method", "wing", "eye", "mean"],
        ["chmod", "40.00", "40.00", "40.00"],
        ["moo", "40.00", "40.00", "40.00"],
        ["td", "72.00 ± 2.83", "72.00 ± 2.83", "72.00 ± 2.83"],
        ["majority class", "0.00", "0.00", "0.00"],
    ]


def test_records_without_pointing_and_known_classes_have_no_such_pages() -> None:
    [bare] = compare([finished("td", seed) for seed in range(2)])
    assert not pages(bare)
    assert pointing_frame(bare).empty


def test_of_many_tasks_there_are_means_alone() -> None:
    names = [f"task{index}" for index in range(13)]
    run = finished("td", 0, dict.fromkeys(names, 50.0))
    [many] = compare([pointing(run, dict.fromkeys(names, found(0.4, 0.6, 0.05, outcomes(90, 30, 20, 60))))])
    found_pages = pages(many)
    assert found_pages["pointing"].layout.header[2] == "within 5 %"
    assert [line[0].says for line in found_pages["outcomes"].layout.lines] == ["td, all"]


def test_a_frame_has_a_row_per_run_and_task() -> None:
    frame = pointing_frame(comparison())
    assert frame.groupby("method").size().to_dict() == {"chmod": 2, "td": 4}
    row = frame[(frame["method"] == "td") & (frame["seed"] == 1) & (frame["task"] == "wing")].iloc[0]
    assert (row["within_10"], row["constant_within_10"], row["constant_y"], row["elsewhere_wrong"]) == (
        *(0.7, 0.2, 0.25, 40),
    )


def test_both_tables_are_written_in_every_markup(tmp_path: Path) -> None:
    files = {path.name for path in make_report(runs()).write(tmp_path)}
    for name in ("pointing", "outcomes", "known"):
        assert {f"mmnist2-paper-{name}.{kind}" for kind in ("tex", "md")} <= files
    frame = pd.read_csv(tmp_path / "mmnist2-paper-pointing.csv")
    assert len(frame) == 6
    for name, page in pages(comparison()).items():
        assert (tmp_path / f"mmnist2-paper-{name}.md").read_text() == render_markdown(page)
        assert (tmp_path / f"mmnist2-paper-{name}.tex").read_text() == render_latex(page)


def test_a_record_with_pointing_is_read_as_it_was_written() -> None:
    record = runs()[0].record
    assert record is not None
    assert read_record(render_record(record), "here").pointing == record.pointing


@pytest.mark.parametrize("name", ["pointing", "outcomes", "known"])
def test_a_preview_says_so(name: str) -> None:
    previews = [
        replace(run, spec=replace(run.spec, protocol=replace(run.spec.protocol, name="quick", epochs=2)))
        for run in runs()
    ]
    [quick] = compare(previews)
    page = pages(quick)[name]
    assert page.quick
    assert "\n**Preview, not a result.** " in render_markdown(page)
