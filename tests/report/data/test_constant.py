"""Constant predictions in reports: their line, the mark of what is not above them, and what is not ranked by them."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from scipy import stats

from mtbench.contract import Classification, Metric
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.constant import not_above
from mtbench.report.exhibits.classes.unequal import unequal_page
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.figure import draw_points
from mtbench.report.exhibits.summary.numbers import table_frame
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.markdown import render_markdown
from mtbench.report.write import csv_text
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import PAPER, QUICK, beside, finished

MAJORITY = {"LU": 71.8, "RL": 64.0}


def comparison(runs: Sequence[RunStatus]) -> Comparison:
    (found,) = compare(runs)
    return found


def runs(scores: Mapping[str, Sequence[tuple[float, float]]], **more: object) -> list[RunStatus]:
    """Return a run for each pair of accuracies, which are by method and seed, beside `MAJORITY`."""
    return [
        beside(finished(method, seed, pair, **more), MAJORITY)  # type: ignore[arg-type]
        for method, pairs in scores.items()
        for seed, pair in enumerate(pairs)
    ]


def marked(table: Table) -> set[tuple[str, str]]:
    return {
        (row.method, column.name)
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
        if cell.constant
    }


def dotted_places(axes: Axes) -> list[float]:
    return [float(np.asarray(line.get_xdata())[0]) for line in axes.lines if line.get_linestyle() == ":"]


@pytest.mark.parametrize("shift", [1.9, 2.0, 2.1, 3.0, -3.0, 0.0])
def test_a_cell_is_marked_unless_its_t_interval_lies_above_the_constant(shift: float) -> None:
    values = [MAJORITY["LU"] + shift + step for step in (-0.8, 0.0, 0.8)]
    low, _ = stats.t.interval(0.95, 2, loc=sum(values) / 3, scale=stats.sem(values))
    found = build_table(comparison(runs({"td": [(value, 90.0) for value in values]})))
    assert (("td", "LU") in marked(found)) == (low <= MAJORITY["LU"])
    assert ("td", "RL") not in marked(found)


def test_the_constant_is_a_dotted_line_in_figures_where_the_axis_reaches_it() -> None:
    figure = draw_points(comparison(runs({"td": [(70.0, 90.0), (73.0, 91.0)], "chmod": [(75.0, 90.5), (74.0, 91.5)]})))
    dotted = [dotted_places(axes) for axes in figure.axes[:3]]
    assert dotted == [[71.8], [64.0], [pytest.approx(67.9)]]
    limits = [axes.get_xlim() for axes in figure.axes[:3]]
    assert [low <= x <= high for (low, high), [x] in zip(limits, dotted, strict=True)] == [True, False, False]
    assert figure.get_supxlabel().endswith("Dotted: the majority class, where the axis reaches it.")
    bare = draw_points(comparison([finished("td", seed, (90.0 + seed, 80.0)) for seed in range(2)]))
    assert not any(map(dotted_places, bare.axes))
    assert "Dotted" not in bare.get_supxlabel()


def test_both_sides_of_the_limit_are_tested() -> None:
    half = stats.t.ppf(0.975, 2) * 0.8 / 3**0.5
    assert 1.9 < half < 2.0


@pytest.mark.parametrize("count", [50, 1000, 10_000])
@pytest.mark.parametrize("accuracy", [70.0, 72.6, 73.0, 75.0, 84.0])
def test_with_one_seed_the_interval_is_wilsons_over_test_images(accuracy: float, count: int) -> None:
    right = round(count * accuracy / 100)
    run = beside(finished("td", 0, (100 * right / count, 90.0)), MAJORITY, count=count)
    low = stats.binomtest(right, count).proportion_ci(0.95, method="wilson").low
    assert (("td", "LU") in marked(build_table(comparison([run])))) == (low <= MAJORITY["LU"] / 100)


def test_with_one_seed_other_metrics_count_as_they_are_and_the_details_say_so() -> None:
    found = [
        beside(
            finished("td", 0, (0.5, 0.7), metric="mse", unit="", higher_is_better=False), {"LU": 0.6, "RL": 0.6}, "mean"
        )
    ]
    table = build_table(comparison(found))
    assert marked(table) == {("td", "RL"), ("td", "mean")}
    assert table.constants is not None
    assert (table.constants.name, table.constants.values) == ("mean", (0.6, 0.6, 0.6))
    said = "Metrics other than accuracy have no interval and are compared as they are."
    assert said in " ".join(table.details)


def test_where_lower_is_better_what_is_not_below_the_constant_is_marked() -> None:
    scores = {"td": [(0.50, 0.61), (0.51, 0.59), (0.49, 0.64)]}
    found = [
        beside(
            finished(method, seed, pair, metric="mse", unit="", higher_is_better=False), {"LU": 0.6, "RL": 0.6}, "mean"
        )
        for method, pairs in scores.items()
        for seed, pair in enumerate(pairs)
    ]
    assert marked(build_table(comparison(found))) == {("td", "RL")}


def test_the_constant_stands_below_the_methods_with_dashes_for_what_methods_alone_have() -> None:
    layout = page_of(build_table(comparison(runs({"td": [(80.0, 64.5)] * 2, "moo": [(81.0, 66.0)] * 2})))).layout
    *methods, last = [[cell.says for cell in line] for line in layout.lines]
    assert [line[0] for line in methods] == ["moo", "td"]
    assert last[:4] == ["majority class", "71.80", "64.00", "67.90"]
    assert set(last[4:]) == {"\N{EN DASH}"}
    assert not any(cell.bold for cell in layout.lines[-1])


def test_records_without_constants_give_the_table_that_they_gave() -> None:
    table = build_table(comparison([finished("td", seed, (90 + seed, 80)) for seed in range(2)]))
    assert table.constants is None
    assert not marked(table)
    assert "§" not in render_markdown(page_of(table))
    assert len(page_of(table).layout.lines) == 1
    assert unequal_page(comparison([finished("td")])) is None


def test_what_is_best_and_not_above_the_constant_is_not_bold() -> None:
    td, moo = [(71.0, 80.0), (71.5, 80.4), (71.1, 80.1)], [(60.0, 70.0), (60.6, 70.1), (60.2, 70.3)]
    bare = [finished(name, seed, pair) for name, pairs in (("td", td), ("moo", moo)) for seed, pair in enumerate(pairs)]

    def bold(found: Sequence[RunStatus]) -> list[str]:
        table = build_table(comparison(found))
        cells = [cell for row in table.rows if row.method == "td" for cell in row.cells]
        return [column.name for column, cell in zip(table.columns, cells, strict=True) if cell.best]

    assert bold(bare) == ["LU", "RL", "mean"]
    assert bold([beside(run, MAJORITY) for run in bare]) == ["RL", "mean"]


def test_a_gain_in_part_of_what_nobody_has_learned_is_marked_and_in_a_preview_left_out() -> None:
    scores = {
        "single": [(71.0, 80.0), (71.9, 80.4)],
        "td": [(72.0, 83.0), (71.4, 83.1)],
        "moo": [(90.0, 83.0), (90.1, 83.1)],
    }
    for protocol, shown in ((PAPER, "§"), (QUICK, "\N{EN DASH}")):
        table = build_table(comparison(runs(scores, protocol=protocol)))
        page = page_of(table)
        place = page.layout.header.index("Δm ↑")
        gains = {line[0].says: line[place].says for line in page.layout.lines}
        assert not gains["moo"].endswith("§")
        assert gains["moo"].startswith("+")
        assert all(gains[method].endswith(shown) for method in ("single", "td"))
        assert [row.method for row in table.rows if row.idle] == ["single", "td"]
        assert "includes a task in which neither the method nor single is above it" in " ".join(page.details)


def test_the_csv_has_the_constant_and_says_of_each_cell_if_it_is_above() -> None:
    table = build_table(comparison(runs({"td": [(80.0, 64.5), (81.0, 63.0)]})))
    frame = pd.read_csv(io.StringIO(csv_text(table_frame(table))))
    constant = frame[frame.method == "majority class"].set_index("task")
    assert constant["mean"].to_dict() == {"LU": 71.8, "RL": 64.0, "mean": pytest.approx(67.9)}
    assert constant["n"].isna().all()
    ours = frame[frame.method == "td"].set_index("task")["not_above_constant"]
    assert ours.astype(bool).to_dict() == {"LU": False, "RL": True, "mean": False}


CLASSES = tuple(TaskInfo(name=name, metrics=Classification(classes=4).metrics) for name in ("q1", "q2"))


def asked(q1: float, q2: float) -> Comparison:
    """Return two methods on two tasks of four classes whose majority class has these accuracies."""
    return comparison(
        [
            beside(
                finished(
                    method,
                    seed,
                    {
                        task: {
                            "accuracy": 80 + seed,
                            "balanced-accuracy": 25 + 10 * place + seed,
                            "macro-f1": 22.0 + seed,
                        }
                        for task in ("q1", "q2")
                    },
                    tasks=CLASSES,
                ),
                {
                    task: {"accuracy": value, "balanced-accuracy": 25.0, "macro-f1": 2 * value / (100 + value) * 25}
                    for task, value in (("q1", q1), ("q2", q2))
                },
            )
            for place, method in enumerate(("moo", "td"))
            for seed in range(3)
        ]
    )


def test_balanced_accuracy_and_macro_f1_are_added_where_classes_are_unequal() -> None:
    page = unequal_page(asked(60.0, 29.9))
    assert page is not None
    assert page.layout.header == ("method", "q1 balanced", "q1 macro F1")
    assert [[cell.says for cell in line] for line in page.layout.lines] == [
        ["moo", "26.00 ± 1.00§", "23.00 ± 1.00"],
        ["td", "36.00 ± 1.00", "23.00 ± 1.00"],
        ["majority class", "25.00", "18.75"],
    ]
    assert "Tasks q1 of mmnist2" in page.caption[0]


def test_classes_are_unequal_from_a_fifth_more_than_equal_ones() -> None:
    assert unequal_page(asked(29.9, 29.9)) is None
    page = unequal_page(asked(30.0, 30.1))
    assert page is not None
    assert page.layout.header[-2:] == ("mean balanced", "mean macro F1")
    assert page.caption[0].startswith("All tasks of mmnist2")


def test_unlike_constants_are_named_together() -> None:
    tasks = (
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%"),)),
        TaskInfo(name="size", metrics=(Metric(name="mse", higher_is_better=False),)),
    )
    run = finished("td", 0, {"shape": 80.0, "size": 0.4}, tasks=tasks)
    one = beside(run, {"shape": 50.0})
    both = beside(run, {"shape": 50.0, "size": 0.7}, "mean")
    assert one.record is not None
    assert both.record is not None
    mixed = {**both.record.constants, **one.record.constants}
    record = type(one.record)(**{**vars(one.record), "constants": mixed})
    table = build_table(comparison([type(run)(**{**vars(run), "record": record})]))
    assert table.constants is not None
    assert table.constants.name == "constant (majority class and mean)"


def test_a_mean_over_tasks_of_which_one_has_no_constant_has_none() -> None:
    run = beside(finished("td", 0, (60.0, 60.0)), {"LU": 71.8})
    table = build_table(comparison([run]))
    assert marked(table) == {("td", "LU")}
    assert page_of(table).layout.lines[-1][3].says == "\N{EN DASH}"
    assert not not_above(comparison([run]).methods[0], table.columns[-1])
