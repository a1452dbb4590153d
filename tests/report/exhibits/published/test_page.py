import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtbench.contract import Classification, Task
from mtbench.plan.suite import Grid, PaperTable, Suite
from mtbench.plan.suite.planned import plan_suite
from mtbench.report.data.comparison import compare
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibits.claims.evidence import paper_contrast
from mtbench.report.exhibits.published.page import published_frame, published_number, published_page
from mtbench.report.page.layout import Page
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo
from tests.report.records import answering, finished

DASH = "\N{EN DASH}"
PAPER = PaperTable(
    dataset="mmnist2",
    columns=("LU", "RL"),
    n=5,
    rows={"td": ((97.0, 0.1), (95.0, 0.3)), "uniform": ((96.0, 0.2), (94.0, 0.4)), "single": (95.0, 93.0)},
)
SUITE = Suite(
    name="pair",
    title="",
    source="Somebody (2020), Table 7",
    grid=(Grid(datasets=("mmnist2",), methods=("uniform", "td", "single", "moo")),),
    paper=(PAPER,),
    labels={"td": "Top-down"},
)
OURS: dict[str, list[tuple[float, float]]] = {
    "td": [(96.0, 95.0), (97.0, 95.5)],
    "uniform": [(96.5, 94.0), (96.5, 93.0)],
    "moo": [(90, 90), (91, 91)],
}


def ran(suite: Suite, scores: Mapping[str, Sequence[tuple[float, float]]] = OURS) -> SuiteRuns:
    seeds = range(max(map(len, scores.values())))
    specs = [spec for spec in plan_suite(suite, seeds=seeds) if spec.titles.method in scores]
    runs = [
        answering(spec, scores[spec.titles.method][spec.seed])
        for spec in specs
        if spec.seed < len(scores[spec.titles.method])
    ]
    (found,) = suite_runs(suite, runs)
    return found


def page_of(runs: SuiteRuns) -> Page:
    page = published_page(runs, runs.sheets[0])
    assert page is not None
    return page


def lines(runs: SuiteRuns) -> dict[str, list[str]]:
    return {name.says: [cell.says for cell in cells] for name, *cells in page_of(runs).layout.lines}


def test_ours_stand_beside_the_papers_with_the_difference() -> None:
    layout = page_of(ran(SUITE)).layout
    assert layout.header == ("method", *(f"{name} {what}" for name in ("LU", "RL", "mean") for what in TRIPLE))
    assert lines(ran(SUITE)) == {
        # LU 96, 97 and RL 95, 95.5: means 96.5 and 95.25, within runs 95.5 and 96.25.
        "uniform": [
            *("96.00 ± 0.20", "96.50 ± 0.00", "+0.50", "94.00 ± 0.40", "93.50 ± 0.71", "-0.50"),
            *("95.00 ± 0.30", "95.00 ± 0.35", "+0.00"),
        ],
        "Top-down": [
            *("97.00 ± 0.10", "96.50 ± 0.71", "-0.50", "95.00 ± 0.30", "95.25 ± 0.35", "+0.25"),
            *("96.00 ± 0.20", "95.88 ± 0.53", "-0.12"),
        ],
        "single": ["95.00", DASH, DASH, "93.00", DASH, DASH, "94.00", DASH, DASH],
        "moo": [DASH, "90.50 ± 0.71", DASH, DASH, "90.50 ± 0.71", DASH, DASH, "90.50 ± 0.71", DASH],
    }


TRIPLE = ("paper", "ours", "diff")


def test_the_page_says_whose_numbers_they_are_and_how_the_mean_was_computed() -> None:
    page = page_of(ran(SUITE))
    assert page.caption[0] == "mmnist2, protocol paper: ours beside Somebody (2020), Table 7, 5 repeats."
    assert page.details[0].startswith("Ours: mmnist2, protocol paper: 100 epochs, batch size 512")
    assert page.details[1].endswith(
        " The paper's mean over tasks is the mean of its means, with the largest standard deviation that they allow."
    )
    alone = dataclasses.replace(PAPER, n=0, source="A blog", columns=("mean",), rows={"td": (96.0,)})
    page = page_of(ran(dataclasses.replace(SUITE, paper=(alone,))))
    assert page.caption[0] == "mmnist2, protocol paper: ours beside A blog, repeats not stated."
    assert "mean over tasks" not in page.details[1]


def test_columns_that_were_not_published_are_left_out() -> None:
    alone = dataclasses.replace(PAPER, columns=("mean",), rows={"td": (96.0,)})
    assert page_of(ran(dataclasses.replace(SUITE, paper=(alone,)))).layout.header == (
        *("method", "mean paper", "mean ours", "mean diff"),
    )


def test_nothing_published_is_no_page() -> None:
    for tables in ((), (dataclasses.replace(PAPER, rows={}),), (dataclasses.replace(PAPER, dataset="mmnist3"),)):
        found = ran(dataclasses.replace(SUITE, paper=tables))
        assert published_page(found, found.sheets[0]) is None
        assert published_frame(found).empty


@pytest.mark.parametrize(
    ("method", "column", "number"),
    [
        ("td", "LU", (97.0, 0.1)),
        ("single", "RL", (93.0, None)),
        ("td", "mean", (96.0, 0.2)),
        ("single", "mean", (94.0, None)),
        ("moo", "LU", None),
        ("moo", "mean", None),
        ("td", "LL", None),
    ],
)
def test_what_was_published_of_a_column_and_what_follows_for_the_mean(
    method: str, column: str, number: tuple[float, float | None] | None
) -> None:
    found = published_number(PAPER, method, column)
    assert found == (None if number is None else (number[0], number[1] and pytest.approx(number[1])))


def test_a_published_mean_goes_before_one_that_follows() -> None:
    paper = dataclasses.replace(PAPER, columns=("LU", "mean"), rows={"td": ((97.0, 0.1), (50.0, 0.4))})
    assert published_number(paper, "td", "mean") == (50.0, 0.4)


def test_the_order_of_the_methods_is_held_against_the_papers() -> None:
    scores: dict[str, list[tuple[float, float]]] = {
        "single": [(93, 93), (93, 93.1), (93.2, 93)],
        "uniform": [(95, 95), (95.1, 95), (95, 95.2)],
        "td": [(94, 94), (94.1, 94), (94, 94.1)],
        "moo": [(1, 1)],
    }
    (sentence,) = page_of(ran(SUITE, scores)).footnotes
    # Of three pairs two are as in the paper (td > single, uniform > single), one is not: (2 - 1) / 3.
    assert sentence == (
        "The order of 3 methods by mean against the paper's: Kendall's tau +0.33; in 95 % of 2,000 bootstrap "
        "samples of our seeds it is +0.33 to +0.33, and the whole order is the paper's in 0 %."
    )


def test_the_order_of_one_seed_is_not_resampled() -> None:
    scores = {"single": [(93, 93)], "uniform": [(94, 94)], "td": [(95, 95)]}
    assert page_of(ran(SUITE, scores)).footnotes == (
        "The order of 3 methods by mean against the paper's: Kendall's tau +1.00.",
    )


def test_stale_runs_are_marked() -> None:
    found = ran(SUITE, {"td": [(96.0, 95.0)], "uniform": [(96.5, 94.0)]})
    (sheet,) = found.sheets
    methods = [
        dataclasses.replace(
            method,
            runs=tuple(dataclasses.replace(run, state="stale" if name == "td" else run.state) for run in method.runs),
        )
        for name, method in zip(sheet.methods, sheet.comparison.methods, strict=True)
    ]
    old = dataclasses.replace(sheet, comparison=dataclasses.replace(sheet.comparison, methods=tuple(methods)))
    marked = dataclasses.replace(found, sheets=(old,))
    assert list(lines(marked)) == ["uniform", "Top-down†", "single"]
    assert page_of(marked).footnotes == (
        "† Stale runs: code or data that their numbers depend on has changed since they were trained.",
    )


def test_two_methods_are_too_few_for_an_order() -> None:
    assert page_of(ran(SUITE)).footnotes == ()


def test_the_frame_has_full_precision_and_welchs_interval() -> None:
    rows = {(row["method"], row["column"]): row for row in published_frame(ran(SUITE)).to_dict("records")}
    assert len(rows) == 9
    row = rows["td", "LU"]
    assert (row["n"], row["mean"], row["paper_n"], row["difference"]) == (2, 96.5, 5, -0.5)
    first, second = 0.5 / 2, 0.1**2 / 5  # variances of the means
    freedom = (first + second) ** 2 / (first**2 / 1 + second**2 / 4)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(first + second)
    assert (row["welch95_low"], row["welch95_high"]) == pytest.approx((-0.5 - half, -0.5 + half))
    absent = rows["single", "LU"]
    assert (absent["n"], absent["paper_mean"]) == (0, 95)
    assert all(pd.isna(absent[name]) for name in ("mean", "std", "difference", "welch95_low"))


def test_it_reads_as_markdown() -> None:
    text = render_markdown(page_of(ran(SUITE, {"td": [(96.0, 95.0)]})))
    assert text.startswith("### pair: mmnist2, protocol paper, beside the paper\n\n| method | LU paper | LU ours |")
    assert "\n| Top-down | 97.00 ± 0.10 | 96.00 | -1.00 | 95.00 ± 0.30 | 95.00 | +0.00 | " in text


def test_the_details_say_by_what_standard_deviations_are_divided() -> None:
    """The standard deviation of five repeats with divisor n is sqrt(4 / 5) of that with divisor n - 1."""
    said = "ours with divisor n-1; a paper that divides by n = 5 prints 0.89 of that"
    assert any(said in sentence for sentence in page_of(ran(SUITE)).details)
    assert np.std([1, 2, 4, 8, 16]) / np.std([1, 2, 4, 8, 16], ddof=1) == pytest.approx(0.89, abs=0.005)


def test_the_details_say_the_papers_convention_of_the_gain() -> None:
    suite = dataclasses.replace(SUITE, paper=(dataclasses.replace(PAPER, delta="metric/drop"),))
    assert (
        "The paper's Δm (metric/drop): the mean over the metrics of all tasks of the relative drop, lower is better. "
        "Ours is relative to the single-task run with the same seed."
    ) in page_of(ran(suite)).details[1]
    without = page_of(ran(SUITE))
    assert "Δm" not in " ".join((*without.caption, *without.details))


def test_numbers_of_another_metric_stand_beside_ours_of_that_metric() -> None:
    f1 = dataclasses.replace(PAPER, columns=("mean",), rows={"td": (60.0,), "single": (50.0,)}, metric="f1", n=0)
    runs = ran(SUITE)
    (sheet,) = runs.sheets
    tasks = tuple(TaskInfo.of(Task(name=name, kind=Classification(classes=2))) for name in ("LU", "RL"))
    scores = {"LU": 70.0, "RL": 55.0}
    methods = [
        finished(name, 0, {task: {"accuracy": 90.0, "f1": value} for task, value in scores.items()}, tasks=tasks)
        for name in ("td", "uniform")
    ]
    (comparison,) = compare(methods)
    sheet = dataclasses.replace(
        sheet, comparison=comparison, methods=tuple(method.title for method in comparison.methods), paper=f1
    )
    page = published_page(runs, sheet)
    assert page is not None
    cells = {name.says: [cell.says for cell in line] for name, *line in page.layout.lines}
    assert cells["Top-down"] == ["60.00", "62.50", "+2.50"]
    assert cells["single"] == ["50.00", DASH, DASH]
    assert "Numbers are of f1 in %." in page.caption[0]
    assert paper_contrast((f1, "td"), (f1, "single"), "mean") is None  # no claim is about it
