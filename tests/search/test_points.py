"""Grids and Sobol's sequence: known before any of it is tried."""

import math

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_method
from mtbench.search.axes import Axis, axes_of
from mtbench.search.points import default_point, grid_point, grid_size, setting_count, sobol_point


def axes(method: str, tasks: int = 2, **space: str) -> list[Axis]:
    names = [f"task{index}" for index in range(tasks)]
    return axes_of(parse_method(method), TrainingProtocol(), names, space)[0]


def grid(found: list[Axis], seed: int = 0) -> list[dict[str, str]]:
    count = grid_size(found)
    return [{axis.name: axis.text(grid_point(found, seed, n)) for axis in found} for n in range(1, count + 1)]


def test_a_grid_is_every_combination_but_the_default() -> None:
    found = axes("td", lr="3e-4/1e-3/3e-3", gate="choices")
    everything = {(lr, gate) for lr in ("0.0003", "0.001", "0.003") for gate in ("sigmoid", "tanh")}
    assert {(point["lr"], point["gate"]) for point in grid(found)} == everything - {("0.001", "sigmoid")}
    assert len(grid(found)) == 5


def test_a_range_is_five_levels_of_a_grid_with_its_ends() -> None:
    levels = sorted(float(point["lr"]) for point in grid(axes("td", lr="1e-4..1e-2:log")))
    assert levels == pytest.approx([1e-4, 10**-3.5, 10**-2.5, 1e-2], rel=1e-5)  # 1e-3 is the default
    assert sorted(int(point["batch"]) for point in grid(axes("td", batch="16..18"))) == [16, 17, 18]
    assert sorted(int(point["channels"]) for point in grid(axes("td", channels="0..100"))) == [25, 50, 75, 100]


def test_a_default_outside_the_space_takes_no_point_of_the_grid() -> None:
    assert grid_size(axes("mmoe", experts="2/4/8")) == 3


@pytest.mark.parametrize("tasks", [2, 3, 4])
def test_a_grid_of_weights_has_equal_ones_but_once(tasks: int) -> None:
    assert grid_size(axes("branches+fixed", tasks, weights="simplex")) == 5 ** (tasks - 1) - 1


def test_a_part_of_a_grid_is_spread_out_and_depends_on_the_seed() -> None:
    found = axes("td", lr="1e-4..1e-2:log", batch="16/32/64/128")
    assert grid(found) == grid(found)
    assert grid(found) != grid(found, seed=1)
    assert len({point["lr"] for point in grid(found)[:8]}) >= 4


def test_settings_are_counted_with_a_default_that_lies_outside() -> None:
    assert setting_count(axes("td", lr="1e-3/1e-2", gate="sigmoid/tanh")) == 4
    assert setting_count(axes("td", lr="1e-5/1e-2")) == 3
    assert setting_count(axes("td", channels="0..7")) == 8
    assert setting_count(axes("td", channels="0..7", lr="1e-4..1e-2")) == math.inf


def test_a_grid_that_nobody_can_try_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a grid over weights has 390,625 points\. Search less"):
        grid_size(axes("branches+fixed", 9, weights="simplex"))


def test_sobol_points_fill_each_axis_evenly() -> None:
    found = axes("td", lr="1e-4..1e-2:log", channels="0..7", gate="choices")
    points = [sobol_point(found, 3, number) for number in range(1, 17)]
    fractions = sorted(math.log(float(point["lr"]) / 1e-4) / math.log(100) for point in points)
    # A point in every sixteenth, as a (0, m, 1)-net.
    assert [int(fraction * 16) for fraction in fractions] == list(range(16))
    assert [point["gate"] for point in points].count("tanh") == 8
    assert all(0 <= float(point["channels"]) <= 7 and float(point["channels"]).is_integer() for point in points)


def test_sobol_points_do_not_depend_on_how_many_there_are_but_on_the_seed() -> None:
    found = axes("td", lr="1e-4..1e-2:log")
    assert sobol_point(found, 0, 5) == sobol_point(found, 0, 5)
    assert sobol_point(found, 0, 5) != sobol_point(found, 1, 5)


def test_the_default_of_all_axes_is_a_point_or_none() -> None:
    assert default_point(axes("td", lr="1e-4..1e-2", gate="choices")) == {"lr": 1e-3, "gate": "sigmoid"}
    assert default_point(axes("mmoe", lr="1e-4..1e-2", experts="2/4")) is None
