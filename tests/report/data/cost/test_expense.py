import math
from dataclasses import replace

import pytest

from mtbench.plan.spec import Choice
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.cost.expense import Expense, Yardstick, expense, seconds_per_epoch, yardstick
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import lay_out
from mtbench.store.status import RunStatus
from tests.report.records import QUICK, finished, on, unfinished


def comparison(*runs: RunStatus) -> Comparison:
    (found,) = compare(runs)
    return found


def seconds(*runs: RunStatus) -> float | None:
    return seconds_per_epoch(comparison(*runs).methods[0])


def times(*runs: RunStatus) -> tuple[str, list[str]]:
    """Return the head of the column of times, and its cells."""
    layout = lay_out(build_table(comparison(*runs)))
    return layout.header[-2], [line[-2].says for line in layout.lines]


def test_seconds_per_epoch_are_the_median_over_runs_of_training_alone() -> None:
    # The records' seconds in all, 0.3 on the clock and 500.25 of the CPU, do not matter.
    assert seconds(*(finished("td", seed, seconds=each) for seed, each in enumerate((2.0, 70.0, 3.0)))) == 3.0
    assert seconds(finished("td", 0, seconds=2.0), finished("td", 1, seconds=3.0)) == 2.5


def test_seconds_on_a_gpu_are_those_on_the_clock() -> None:
    assert seconds(finished(seconds=2.0, device="cuda:1", protocol=QUICK)) == 6.0


def test_runs_of_before_training_was_timed_are_left_out_of_the_median() -> None:
    assert seconds(finished("td", 0, seconds=math.nan), finished("td", 1, seconds=3.0)) == 3.0
    assert seconds(finished(seconds=math.nan)) is None


def test_a_method_takes_what_its_records_say() -> None:
    runs = [finished("td", 0, label_uses=100, memory=7), finished("td", 1, label_uses=300, memory=5)]
    assert expense(comparison(*runs).methods[0], Yardstick(method="uniform", seconds=0.5)) == Expense(
        parameter_ratio=1.25, macs=800_000, label_uses=200, seconds=1.5, relative=3.0, memory=7
    )


def test_what_a_method_takes_is_not_known_before_a_run_has_finished() -> None:
    assert expense(comparison(unfinished("running")).methods[0], None) is None


def test_times_are_relative_to_the_plain_network_with_uniform_weights() -> None:
    runs = [finished("uniform", seconds=2.0), finished("td", seconds=5.0), finished("moo", seconds=math.nan)]
    assert times(*runs, unfinished("failed", "film")) == ("time", ["–", "–", "×2.50", "×1.00"])  # noqa: RUF001
    assert (
        "Time: CPU seconds of training per epoch without evaluation, median over runs, relative to uniform (2.00 s)."
        in build_table(comparison(*runs)).details
    )


def test_the_yardstick_is_found_by_its_parts_whatever_it_is_called() -> None:
    run = finished("uniform", seconds=2.0)
    renamed = replace(run, spec=replace(run.spec, titles=replace(run.spec.titles, method="plain")))
    assert yardstick(comparison(renamed, finished("td"))) == Yardstick(method="plain", seconds=2.0)
    titled = replace(finished("td"), spec=replace(finished("td").spec, titles=run.spec.titles))
    assert yardstick(comparison(titled)) is None


@pytest.mark.parametrize(
    "other",
    [
        unfinished("failed", "uniform"),
        finished("uniform", seconds=math.nan),
        finished("uniform", seconds=0.0),
        finished("branches+mgda"),
        finished("td"),
    ],
)
def test_without_the_yardstick_times_are_seconds(other: RunStatus) -> None:
    head, cells = times(finished("film", seconds=5.0), other)
    assert (head, "5.00" in cells) == ("s/epoch", True)
    assert (
        "s/epoch: CPU seconds of training per epoch without evaluation, median over runs."
        in build_table(comparison(finished("film"), other)).details
    )


def test_options_make_it_another_network() -> None:
    run = finished("uniform")
    wide = replace(run, spec=replace(run.spec, network=Choice(name="branches", options={"width": "2"})))
    assert yardstick(comparison(wide)) is None


def test_the_yardstick_is_on_the_backbone_that_most_methods_have() -> None:
    resnet, wide = Choice(name="resnet18"), Choice(name="lenet", options={"width": "2"})
    runs = [
        finished("uniform", seconds=1.0),
        on(wide, finished("uniform", seconds=2.0)),
        *(on(resnet, finished(method, seconds=9.0)) for method in ("td", "film", "uniform")),
    ]
    assert yardstick(comparison(*runs)) == Yardstick(method="uniform@resnet18", seconds=9.0)
    assert yardstick(comparison(*runs[:-1])) is None


def test_seconds_of_a_cpu_are_never_divided_by_those_of_a_gpu() -> None:
    runs = [finished("uniform", device="cuda:0", seconds=0.1), finished("td", seconds=5.0)]
    assert times(*runs) == ("s/epoch", ["5.00", "0.300"])
    assert (
        "s/epoch: seconds (of CPU time on a CPU, elapsed on a GPU) of training per epoch without evaluation, median "
        "over runs." in build_table(comparison(*runs)).details
    )


@pytest.mark.parametrize(("device", "peak"), [("cpu", "of the whole process"), ("cuda:0", "of tensors on the GPU")])
def test_the_details_say_what_memory_is(device: str, peak: str) -> None:
    details = build_table(comparison(finished(device=device))).details
    assert details[-1] == f"Memory: peak memory {peak}, maximum over runs."
