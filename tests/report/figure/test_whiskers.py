import numpy as np
import pytest

from mtbench.report.figure.lines import label_log, label_places, nearest
from mtbench.report.figure.style import new_figure
from mtbench.report.figure.whiskers import Whisker, draw_whiskers


@pytest.mark.parametrize("upright", [True, False])
def test_an_axis_shows_every_value_and_a_short_interval_as_a_whole(upright: bool) -> None:
    axes = new_figure(2).subplots()
    draw_whiskers(axes, [Whisker(at=0, low=-1, high=2, color="#000000")], [[0.0, 1.0], [np.nan]], upright=upright)
    low, high = axes.get_ylim() if upright else axes.get_xlim()
    assert low == pytest.approx(-1 - 0.06 * 3)
    assert high == pytest.approx(2 + 0.06 * 3)
    assert {line.get_marker() for line in axes.lines} == {"None", "_" if upright else "|"}


def test_an_interval_that_dwarfs_the_values_is_cut_off_and_ends_in_arrows() -> None:
    axes = new_figure(2).subplots()
    draw_whiskers(axes, [Whisker(at=0, low=-90, high=90, color="#000000")], [[0.0, 1.0]], upright=True, beyond=0.5)
    assert axes.get_ylim() == pytest.approx((-0.5 - 0.12, 1.5 + 0.12))
    arrows = {line.get_marker(): float(np.asarray(line.get_ydata())[0]) for line in axes.lines}
    assert arrows["v"] == pytest.approx(-0.62)
    assert arrows["^"] == pytest.approx(1.62)


def test_without_values_nothing_is_drawn() -> None:
    axes = new_figure(2).subplots()
    draw_whiskers(axes, [], [[np.nan]], upright=True)
    assert not axes.lines


def test_names_of_places_that_would_run_into_one_another_are_left_out_and_ticks_are_not() -> None:
    axes = new_figure(2).subplots()
    at = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0]
    label_places(axes, at, list(map(str, at)), inches=1.0, log=True)
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert list(axes.get_xticks()) == at
    assert shown[0] == "0.01"
    assert 2 < sum(map(bool, shown)) < 6


def test_the_nearest_places_are_found_on_the_scale_of_the_axis() -> None:
    assert nearest([1, 10, 100], inches=1, log=True) == pytest.approx(72 / 1.2 / 2)
    assert nearest([1, 2, 11], inches=1, log=False) == pytest.approx(72 / 1.2 / 10)
    assert nearest([3], inches=1, log=False) == 72


@pytest.mark.parametrize(
    ("values", "least"), [([1.0, 1.2], 2), ([1.0, 9.0], 3), ([30.0, 31_000.0], 2), ([5.0], 1), ([], 0)]
)
def test_a_logarithmic_axis_has_few_round_numbers_however_wide_it_is(values: list[float], least: int) -> None:
    figure = new_figure(2)
    axes = figure.subplots()
    label_log(axes, "y", values)
    figure.draw_without_rendering()
    low, high = axes.get_ylim()
    assert all(low < value < high for value in values)
    assert least <= sum(low <= tick <= high for tick in axes.get_yticks()) <= 7
