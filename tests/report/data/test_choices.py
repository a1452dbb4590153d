"""Metrics that tables show, and conventions of Δm, as a reader chooses them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import pytest

from mtbench.contract import Classification, Metric, Regression
from mtbench.errors import UsageError
from mtbench.report.data.choices import DEFAULT, Choices, Convention, parse_choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.gains.relative import deltas
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.numbers import table_frame
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.report.write import csv_text
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import INDOOR, INDOOR_SINGLE, INDOOR_UNIFORM, finished, indoor

DIGIT = TaskInfo(name="digit", metrics=Classification(classes=10).metrics)
SIDE = TaskInfo(name="side", metrics=Classification(classes=2).metrics)
NYUV2 = [indoor("single", 0, INDOOR_SINGLE), indoor("uniform", 0, INDOOR_UNIFORM)]


def table(runs: Sequence[RunStatus], choices: Choices = DEFAULT) -> Table:
    (comparison,) = compare(runs)
    return build_table(comparison, choices)


def heads(runs: Sequence[RunStatus], *metrics: str) -> tuple[str, ...]:
    """Return the heads up to n."""
    header = page_of(table(runs, Choices(metrics=metrics))).layout.header
    return header[1 : header.index("n")]


def details(runs: Sequence[RunStatus], choices: Choices = DEFAULT) -> str:
    return " ".join(table(runs, choices).details)


def classified(method: str, seed: int, accuracy: float, other: float) -> RunStatus:
    scores = {
        task.name: {metric.name: accuracy if metric.name == "accuracy" else other for metric in task.metrics}
        for task in (DIGIT, SIDE)
    }
    return finished(method, seed, scores, tasks=(DIGIT, SIDE))


def test_a_table_has_the_primary_metric_of_each_task_if_nothing_is_chosen() -> None:
    assert heads(NYUV2)[:3] == ("segmentation (miou % ↑)", "depth (absolute-error ↓)", "normals (mean-angle ° ↓)")


def test_a_chosen_metric_is_shown_of_the_tasks_that_have_it_and_the_details_name_the_others() -> None:
    assert heads(NYUV2, "relative-error")[0] == "depth"
    chosen = Choices(metrics=("relative-error",))
    assert "Test relative-error (lower is better), one seed." in table(NYUV2, chosen).caption
    assert "Tasks without relative-error are left out: segmentation and normals." in details(NYUV2, chosen)


def test_all_metrics_are_a_column_each_with_task_metric_unit_and_direction() -> None:
    columns = [
        "segmentation (miou % ↑)",
        "segmentation (pixel-accuracy % ↑)",
        "depth (absolute-error ↓)",
        "depth (relative-error ↓)",
        "normals (mean-angle ° ↓)",
        "normals (median-angle ° ↓)",
        "normals (within-11.25 % ↑)",
        "normals (within-22.5 % ↑)",
        "normals (within-30 % ↑)",
    ]
    assert heads(NYUV2, "all")[:9] == tuple(columns)
    page = page_of(table(NYUV2, Choices(metrics=("all",))))
    row = next(line for line in render_markdown(page).splitlines() if line.startswith("| uniform |"))
    assert row.split(" | ")[1:10] == [
        *("39.29", "65.33", "0.5493", "0.2263", "28.15", "23.96", "22.09", "47.50", "61.08")
    ]
    latex = render_latex(page)
    assert r"(pixel-\\accuracy \%\\$\uparrow$)" in latex
    assert r"$^\circ$ $\downarrow$" in latex
    assert "U+" not in latex
    rows = list(csv.DictReader(io.StringIO(csv_text(table_frame(table(NYUV2, Choices(metrics=("all",))))))))
    assert [float(each["mean"]) for each in rows if each["method"] == "uniform"] == list(INDOOR_UNIFORM)


def test_a_metric_that_all_tasks_share_has_a_mean_column() -> None:
    runs = [classified("td", 0, 90, 80)]
    assert heads(runs)[:3] == ("digit", "side", "mean")
    assert heads(runs, "macro-f1")[:3] == ("digit", "side", "mean")
    assert [cell.summary.mean for cell in table(runs, Choices(metrics=("macro-f1",))).rows[0].cells] == [80, 80, 80]
    shown = heads(runs, "all")
    assert "side (f1 % ↑)" in shown
    assert [head for head in shown if head.startswith("mean")] == [
        *("mean (accuracy % ↑)", "mean (balanced-accuracy % ↑)", "mean (macro-f1 % ↑)")
    ]


def test_where_no_task_has_the_metric_primary_ones_are_shown_and_the_details_say_so() -> None:
    runs = [finished("td")]
    assert heads(runs, "miou")[:3] == ("LU", "RL", "mean")
    assert "No task here has miou: primary metrics are shown." in details(runs, Choices(metrics=("miou",)))


def test_a_record_of_format_1_shows_its_only_metric_beside_records_with_more() -> None:
    old = finished("moo", 0, {"digit": 70, "side": 60}, tasks=[replace(DIGIT, metrics=DIGIT.metrics[:1]), SIDE])
    found = table([classified("td", 0, 90, 80), old], Choices(metrics=("all",)))
    moo = {
        (column.name, column.metric): cell.summary.n
        for column, cell in zip(found.columns, found.rows[0].cells, strict=True)
    }
    assert (moo["digit", "accuracy"], moo["digit", "macro-f1"]) == (1, 0)


def test_an_unknown_metric_is_refused_with_the_nearest_and_all_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"'mIoU'\. Did you mean 'miou'\? Metrics here: absolute-error, .*; or all\."):
        parse_choices("mIoU", Convention(), INDOOR)
    assert parse_choices(" miou, mean-angle,", Convention(), INDOOR).metrics == ("miou", "mean-angle")
    assert parse_choices("all", Convention(), INDOOR).metrics == ("all",)


@pytest.mark.parametrize(("average", "gain"), [("task", 0.88), ("metric", -5.59), ("main", 2.90)])
def test_each_average_gives_what_is_published_of_nyuv2(average: str, gain: float) -> None:
    """Gains as in `tests/stats/test_relative.py`, with kinds' metrics, in both signs."""
    (comparison,) = compare(NYUV2)
    for sign, factor in (("gain", 1), ("drop", -1)):
        (single, uniform) = deltas(comparison, Convention(average=average, sign=sign))
        assert uniform == pytest.approx([factor * gain], abs=5e-3)
        assert single == pytest.approx([0])


def test_where_tasks_have_several_metrics_the_other_averages_stand_beside_the_chosen_one() -> None:
    page = page_of(table(NYUV2, Choices(delta=Convention(average="metric", sign="drop"))))
    at = page.layout.header.index("Δm ↓")
    assert page.layout.header[at : at + 4] == ("Δm ↓", "Δm task ↓", "Δm main ↓", "n")
    assert [cell.says for cell in page.layout.lines[1][at : at + 3]] == ["+5.59", "-0.88", "-2.90"]
    assert (
        "Δm: the mean over the metrics of all tasks of the relative drop from single with the same seed and backbone. "
        "Δm task: the mean over the metrics of each task, then over tasks; Δm main: the mean over the tasks' primary "
        "metrics."
    ) in page.details
    assert "Δm: mean relative drop from single (%, lower is better)." in page.caption
    assert page.aside.startswith("Δm: drop from single in %, mean over all metrics.")


def test_averages_that_must_agree_are_not_shown_twice() -> None:
    both = (INDOOR[0], replace(INDOOR[0], name="parts"))
    scores = {task.name: {"miou": 40.0, "pixel-accuracy": 60.0} for task in both}
    runs = [finished(method, 0, scores, tasks=both) for method in ("single", "td")]
    assert table(runs).averages == ("main",)
    assert table(runs, Choices(delta=Convention(average="main"))).averages == ("task",)


def test_a_single_task_metric_of_0_leaves_the_gains_that_include_it_undefined_and_is_said() -> None:
    runs = [indoor("single", 0, (*INDOOR_SINGLE[:6], 0.0, *INDOOR_SINGLE[7:])), indoor("td", 0, INDOOR_UNIFORM)]
    row = table(runs).rows[1]
    assert [row.deltas[average, "seed"].n for average in ("task", "metric", "main")] == [0, 0, 1]
    assert "Δm is undefined where it includes within-11.25 of normals, in which single has 0." in details(runs)


def test_classification_gains_by_accuracy_alone_and_the_details_say_so() -> None:
    runs = [classified("single", 0, 80, 20), classified("td", 0, 84, 90)]
    found = table(runs)
    assert found.rows[1].delta.mean == pytest.approx(5)
    assert found.averages == ()
    assert page_of(found).layout.header.count("Δm ↑") == 1
    assert "Not part of Δm: balanced-accuracy, f1 and macro-f1." in details(runs)


def test_a_negative_r2_leaves_the_gain_of_a_regression_defined() -> None:
    task = TaskInfo(name="size", metrics=Regression().metrics)
    runs = [
        finished(method, 0, {"size": {"mse": mse, "mae": 1.0, "r2": -0.5}}, tasks=(task,))
        for method, mse in (("single", 4.0), ("td", 3.0))
    ]
    assert table(runs).rows[1].delta.mean == pytest.approx(12.5)  # 25 % of mse, 0 % of mae


def test_a_primary_metric_counts_whatever_it_declares() -> None:
    only = (TaskInfo(name="LU", metrics=(Metric(name="accuracy", unit="%", in_delta=False),)),)
    runs = [finished(name, 0, {"LU": score}, tasks=only) for name, score in (("single", 80), ("td", 88))]
    assert table(runs).rows[1].delta.mean == pytest.approx(10)


def test_the_divisor_is_the_run_of_the_same_seed_or_the_mean_of_the_single_task_runs() -> None:
    runs = [
        *(finished("single", seed, {"LU": 50.0 + 50 * seed}) for seed in range(2)),
        *(finished("td", seed, {"LU": 75.0}) for seed in range(3)),
    ]
    by_seed, by_mean = table(runs), table(runs, Choices(delta=Convention(base="mean")))
    # 75 of 50 and of 100: +50 and -25 %; of their mean of 75, nothing, for the seed without a single-task run too.
    assert [by_seed.rows[1].delta.mean, by_mean.rows[1].delta.mean] == pytest.approx([12.5, 0])
    assert [by_seed.rows[1].delta.n, by_mean.rows[1].delta.n] == [2, 3]
    assert "Relative to the mean of the runs of single instead, a method's Δm differs by up to 12.50." in details(runs)
    assert "relative gain over the mean of the runs of single with the same backbone." in " ".join(by_mean.details)


def test_the_csv_has_every_average_by_both_divisors() -> None:
    row = list(csv.DictReader(io.StringIO(csv_text(table_frame(table(NYUV2))))))[-1]
    names = [f"delta_m_{average}_{base}" for average in ("task", "metric", "main") for base in ("seed", "mean")]
    assert [float(row[name]) for name in names] == pytest.approx([0.88, 0.88, -5.59, -5.59, 2.90, 2.90], abs=5e-3)
    assert (row["delta_convention"], row["delta_m"]) == ("task/gain/seed", row["delta_m_task_seed"])


@pytest.mark.parametrize(("name", "value"), [("average", "tasks"), ("sign", "loss"), ("base", "first")])
def test_an_unknown_convention_is_refused_with_those_that_there_are(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=rf"--delta\S* is '{value}'\..* Allowed: "):
        Convention(**{name: value})
