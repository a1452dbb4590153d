from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from mtbench.report.comparison import Comparison, compare
from mtbench.report.figures import draw_curves, draw_points
from mtbench.report.style import looks, save
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import QUICK, finished, unfinished

DRAWINGS = [draw_curves, draw_points]


def comparison(runs: list[RunStatus]) -> Comparison:
    (found,) = compare(runs)
    return found


def some_runs() -> list[RunStatus]:
    td = [finished("td", seed, (90 + seed, 80 - seed)) for seed in range(3)]
    return [*td, finished("moo", 0), unfinished("failed", "moo", 1, "out of memory"), unfinished("missing", "single")]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_the_same_runs_make_the_same_bytes(draw: Callable[[Comparison], Figure]) -> None:
    assert save(draw(comparison(some_runs()))) == save(draw(comparison(some_runs())))


@pytest.mark.parametrize("draw", DRAWINGS)
def test_files_are_of_their_kind_and_bear_no_date(draw: Callable[[Comparison], Figure]) -> None:
    files = save(draw(comparison(some_runs())))
    assert files["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in files["pdf"]
    assert files["png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("draw", DRAWINGS)
def test_the_title_names_dataset_and_protocol_and_marks_a_look(draw: Callable[[Comparison], Figure]) -> None:
    assert draw(comparison(some_runs())).get_suptitle() == "mmnist2, protocol paper"
    quick = draw(comparison([finished(protocol=QUICK)]))
    assert quick.get_suptitle() == "mmnist2, protocol quick\nQUICK: a look, not a result."


def test_curves_have_a_line_per_seed_and_a_mean_per_method() -> None:
    test, train = draw_curves(comparison(some_runs())).axes
    assert (len(test.lines), len(train.lines)) == (3 + 1 + 1, 3 + 1 + 1)
    assert (test.get_ylabel(), train.get_ylabel()) == ("test accuracy (%)", "training loss")


def test_points_show_every_seed_in_every_panel() -> None:
    figure = draw_points(comparison(some_runs()))
    assert [axes.get_title() for axes in figure.axes if axes.get_visible()] == ["LU", "RL", "mean over tasks"]
    panel = figure.axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["moo", "single", "td"]
    dots = np.concatenate([np.asarray(line.get_xdata()) for line in panel.lines if line.get_marker() == "o"])
    assert sorted(dots) == [90, 90, 91, 92]


def test_unlike_metrics_are_drawn_as_losses_and_panels_of_their_own() -> None:
    tasks = [
        TaskInfo(name="shape", metric="accuracy", unit="%", higher_is_better=True),
        TaskInfo(name="depth", metric="error", unit="m", higher_is_better=False),
    ]
    mixed = comparison([finished(scores={"shape": 90, "depth": 0.5}, tasks=tasks)])
    assert draw_curves(mixed).axes[0].get_ylabel() == "test loss"
    labels = [axes.get_xlabel() for axes in draw_points(mixed).axes]
    assert labels == ["test accuracy (%), higher is better", "test error (m), lower is better"]


def test_names_with_dollars_are_no_formulas() -> None:
    save(draw_points(comparison([finished("td", 0, {"$\\frac$ and $x": 90.0})])))


def test_many_methods_look_unlike() -> None:
    assert len(set(map(str, looks(32)))) == 32
