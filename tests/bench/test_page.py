"""Measurements in words, numbers and a figure, from made-up ones."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from mtbench.bench.figure import draw_bench
from mtbench.bench.measure import Ask, Bench, Measured
from mtbench.bench.page import bench_frame, bench_page, times
from mtbench.bench.work import Steps
from mtbench.report.figure.style import save
from mtbench.report.page.terminal import print_page
from mtbench.report.page.words import DASH


def steps(count: int, seconds: float = 2.0) -> Steps:
    return Steps(steps=count, seconds=seconds, examples=500.0, macs=1_000_000, memory=412_000_000)


def bench(methods: Mapping[str, Measured], jobs: tuple[int, ...] = (1, 2)) -> Bench:
    ask = Ask(
        methods=tuple(methods),
        dataset="mmnist3",
        protocol="paper",
        settings={},
        device="cpu",
        jobs=jobs,
        seconds=2.0,
        is_random=False,
        root=Path(),
    )
    return Bench(ask=ask, limit=100e9, protocol="paper", methods=tuple(methods.values()))


FOUND = bench(
    {
        "uniform": Measured(method="uniform", steps={1: [steps(20)], 2: [steps(19), steps(19)]}),
        "td": Measured(method="td", steps={1: [steps(5)]}, why="it took more than 302 s with 2 at a time"),
        "mine": Measured(method="mine", steps={}, why="no."),
    }
)


@pytest.mark.parametrize("width", [80, 200])
def test_the_table_fits_the_screen(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    print_page(bench_page(FOUND), Console(width=width))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:5] == [
        "Speed of training on mmnist3, protocol paper, cpu",
        "method   ms/step  images/s  FLOP/step  of limit  memory     2 runs",
        f"uniform      100      5.0k       3.0G    30.0 %  412 MB  105 {times(1.9)}",
        f"td           400      1.2k       3.0G     7.5 %  412 MB          {DASH}",
        f"mine           {DASH}         {DASH}          {DASH}         {DASH}       {DASH}          {DASH}",
    ]
    assert lines[-2:] == ["td failed: it took more than 302 s with 2 at a time", "mine failed: no."]
    assert max(map(len, lines)) <= width


def test_the_numbers_are_there_for_each_number_of_runs_at_a_time() -> None:
    frame = bench_frame(FOUND)
    assert frame["method"].tolist() == ["uniform", "uniform", "td", "td", "mine", "mine"]
    assert frame["runs_at_a_time"].tolist() == [1, 2] * 3
    assert frame["seconds_per_step"].dropna().tolist() == pytest.approx([0.1, 2 / 19, 0.4])
    assert frame["speed_up"].dropna().tolist() == pytest.approx([1, 1.9, 1])
    assert frame["fraction_of_limit"].dropna().tolist() == pytest.approx([0.3, 0.3 * 0.95, 0.075])
    assert frame["why_not"].astype(bool).tolist() == [False, False, False, True, True, True]


@pytest.mark.parametrize("found", [FOUND, bench({"uniform": FOUND.methods[0]}, jobs=(1,))])
def test_the_figure_has_a_row_for_each_method_that_was_measured(found: Bench) -> None:
    figure = draw_bench(found)
    assert figure is not None
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [each.method for each in found.methods if each.steps]
    assert len(figure.axes) == 2 + (len(found.ask.jobs) > 1)
    assert {kind: data[:4] for kind, data in save(figure).items()} == {"pdf": b"%PDF", "png": b"\x89PNG"}


def test_without_any_measurement_there_is_no_figure() -> None:
    assert draw_bench(bench({"mine": FOUND.methods[-1]})) is None
