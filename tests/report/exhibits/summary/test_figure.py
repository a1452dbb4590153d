import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from mtbench.contract import Metric, TrainingProtocol
from mtbench.report.assemble import make_report
from mtbench.report.data.choices import Convention
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.exhibits.summary.figure import draw_curves, draw_points
from mtbench.report.figure.legend import GREY
from mtbench.report.figure.style import looks, looks_of, new_figure, save
from mtbench.store.record import TaskInfo, TaskResult
from mtbench.store.status import RunStatus
from tests.report.records import MANY, QUICK, finished, many_runs, unfinished

DRAWINGS = [draw_curves, draw_points]


def comparison(runs: list[RunStatus]) -> Comparison:
    (found,) = compare(runs)
    return found


def some_runs() -> list[RunStatus]:
    td = [finished("td", seed, (90 + seed, 80 - seed)) for seed in range(3)]
    return [*td, finished("moo", 0), unfinished("failed", "moo", 1, "out of memory"), unfinished("missing", "single")]


def validated() -> RunStatus:
    """Return a run with a held-out validation split, which its curve is of; the last point has all splits."""
    protocol = TrainingProtocol(validation=True, epochs=2)
    run = finished(protocol=protocol)
    assert run.record is not None
    val = [{"LU": TaskResult(loss=1, count=9, metrics={"accuracy": score})} for score in (40.0, 60.0)]
    first, last = run.record.curve
    results = {**run.record.results, "val": val[1], "train": val[0]}
    curve = (replace(first, results={"val": val[0]}), replace(last, results=results))
    return replace(run, record=replace(run.record, curve=curve, results=results))


def dots(axes: Axes) -> list[float]:
    offsets = [points.get_offsets() for points in axes.collections if isinstance(points, PathCollection)]
    return [float(x) for block in offsets for x, _ in np.asarray(block)]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_the_same_runs_make_the_same_bytes(draw: Callable[[Comparison], Figure]) -> None:
    assert save(draw(comparison(some_runs()))) == save(draw(comparison(some_runs())))


@pytest.mark.parametrize("draw", DRAWINGS)
def test_files_are_of_their_kind_and_bear_no_date(draw: Callable[[Comparison], Figure]) -> None:
    files = save(draw(comparison(some_runs())))
    assert files["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in files["pdf"]
    assert files["png"].startswith(b"\x89PNG")


def test_letters_that_could_be_one_glyph_are_letters_so_that_a_file_holds_one_subset_of_the_font() -> None:
    figure = new_figure(1.0)
    figure.suptitle("five different films, \u00b1")
    assert save(figure)["pdf"].count(b"/FontFile2") == 1


@pytest.mark.parametrize("draw", DRAWINGS)
def test_the_title_names_dataset_and_protocol_and_marks_a_preview(draw: Callable[[Comparison], Figure]) -> None:
    assert draw(comparison(some_runs())).get_suptitle() == "mmnist2, protocol paper"
    quick = draw(comparison([finished(protocol=QUICK)]))
    assert quick.get_suptitle() == "mmnist2, protocol quick\nPreview, not a result."


def test_curves_have_a_line_per_seed_and_a_mean_per_method() -> None:
    panels = draw_curves(comparison(some_runs())).axes
    assert len(panels) == 2
    for axes in panels:
        thin = [seeds for seeds in axes.collections if isinstance(seeds, LineCollection)]
        assert sorted(len(seeds.get_segments()) for seeds in thin) == [1, 3]
        for seeds, mean in zip(thin, axes.lines, strict=True):
            assert to_hex(tuple(np.asarray(seeds.get_color())[0])) == to_hex(str(mean.get_color()))
            values = np.mean([segment[:, 1] for segment in seeds.get_segments()], axis=0)
            assert np.asarray(mean.get_ydata()) == pytest.approx(values)


def test_of_many_methods_the_best_and_the_worst_curves_are_named_and_the_others_grey() -> None:
    figure = draw_curves(comparison(many_runs()))
    (legend,) = figure.legends
    named = [entry.get_text() for entry in legend.get_texts()]
    assert [name.split(". ")[0] for name in named] == ["1", "2", "3", "4", "42", "43", "44", "45"]
    assert (named[0], named[-1]) == ("1. branches+famo", "45. tensormod")  # 96.84 and 84.76, by the table
    for axes in figure.axes:
        grey = [line for line in axes.lines if line.get_color() == "#C4C4C4"]
        thick = [line for line in axes.lines if line.get_linewidth() == 1.4]
        assert (len(grey), len(thick)) == (45 - 8, 8)
        assert len({f"{line.get_color()} {line._dash_pattern}" for line in thick}) == 8  # type: ignore[attr-defined]


def test_curves_of_unlike_lengths_all_have_looks_and_names() -> None:
    """Networks that are trained in phases have more epochs than others."""
    short, long = finished("td"), finished("moo")
    assert long.record is not None
    *_, last = long.record.curve
    curve = (*long.record.curve, replace(last, epoch=last.epoch + 3))
    figure = draw_curves(comparison([short, replace(long, record=replace(long.record, curve=curve))]))
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {"td", "moo"}
    assert not any(line.get_color() == GREY for axes in figure.axes for line in axes.lines)


def test_the_best_of_many_curves_is_the_lowest_where_lower_is_better() -> None:
    runs = [
        finished(f"m{place:02}", 0, (place, place), metric="error", unit="", higher_is_better=False)
        for place in range(20)
    ]
    (legend,) = draw_curves(comparison(runs)).legends
    assert legend.get_texts()[0].get_text() == "1. m00"


def test_points_of_many_methods_fit_a_page_and_show_every_name() -> None:
    figure = draw_points(comparison(many_runs()))
    assert figure.get_figheight() < 9.7  # inches of a page between margins
    figure.draw_without_rendering()
    names = figure.axes[0].get_yticklabels()
    assert [name.get_text() for name in names] == sorted(MANY)
    boxes = [name.get_window_extent() for name in names]
    assert all(above.y0 > below.y1 for above, below in pairwise(boxes))


def test_curves_say_what_they_show() -> None:
    held_out, train = draw_curves(comparison(some_runs())).axes
    assert (held_out.get_ylabel(), train.get_ylabel()) == ("test accuracy (%)", "training loss")


def test_curves_are_of_the_validation_split_where_one_is_held_out() -> None:
    held_out = draw_curves(comparison([validated()])).axes[0]
    assert held_out.get_ylabel() == "validation accuracy (%)"
    assert np.asarray(held_out.lines[0].get_ydata()) == pytest.approx([40, 60])


def test_a_curve_of_one_epoch_is_a_marker_at_that_epoch() -> None:
    axes = draw_curves(comparison([finished(protocol=TrainingProtocol(name="quick", epochs=1))])).axes[0]
    assert {line.get_marker() for line in axes.lines} == {"o"}
    assert [tick for tick in axes.get_xticks() if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]] == [1]


def test_points_show_every_seed_in_every_panel() -> None:
    figure = draw_points(comparison(some_runs()))
    assert [axes.get_title() for axes in figure.axes if axes.get_visible()] == ["LU", "RL", "mean over tasks"]
    panel = figure.axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["moo", "single", "td"]
    assert sorted(dots(panel)) == [90, 90, 91, 92]


def test_an_interval_is_students_and_none_is_drawn_of_one_seed() -> None:
    panel = draw_points(comparison(some_runs())).axes[0]
    (interval,) = [bars.get_segments()[0] for bars in panel.collections if isinstance(bars, LineCollection)]
    # Of 90, 91 and 92: t(0.975, 2) / sqrt(3), with 4.303 from any table of t.
    assert interval[:, 0] == pytest.approx([91 - 4.303 / 3**0.5, 91 + 4.303 / 3**0.5], abs=1e-3)


def arms(panel: Axes) -> list[list[float]]:
    """Return the ends of the intervals in a panel."""
    return [
        np.asarray(each.get_segments()[0])[:, 0].tolist()
        for each in panel.collections
        if isinstance(each, LineCollection)
    ]


def test_two_seeds_have_a_mean_and_no_interval() -> None:
    panel = draw_points(comparison([finished("td", seed, (90.0 + seed, 80.0)) for seed in range(2)])).axes[0]
    assert arms(panel) == []
    assert [line.get_xdata() for line in panel.lines if line.get_marker() == "|"] == [[90.5]]


def test_an_interval_of_what_is_measured_in_percent_ends_at_100() -> None:
    panel = draw_points(comparison([finished("td", seed, (97.0 + seed, 80.0)) for seed in range(3)])).axes[0]
    ((low, high),) = arms(panel)
    assert low == pytest.approx(98 - 4.303 / 3**0.5, abs=1e-3)
    assert high == 100


def test_a_task_without_any_number_has_an_empty_panel() -> None:
    figure = draw_points(comparison([finished("td", seed, {"LU": math.nan, "RL": 80.0 + seed}) for seed in range(3)]))
    assert [len(dots(axes)) for axes in figure.axes] == [0, 3, 0]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["td"]
    save(figure)


def test_tasks_of_unlike_metrics_have_a_panel_each() -> None:
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]
    mixed = comparison([finished(scores={"shape": 90, "depth": 0.5}, tasks=tasks)])
    curves = draw_curves(mixed)
    panels = {axes.get_title(): axes.get_ylabel() for axes in curves.axes if axes.get_visible()}
    assert panels == {
        "shape": "test accuracy (%)",
        "depth": "test error (m), lower is better",
        "": "training loss",
    }
    ends = [float(np.asarray(axes.lines[0].get_ydata())[-1]) for axes in curves.axes[:2]]
    assert ends == pytest.approx([90 * (1 - 0.6**20), 0.5 * (1 - 0.6**20)])  # of the last point, by `finished`
    labels = [axes.get_xlabel() for axes in draw_points(mixed).axes]
    assert labels == ["test accuracy (%), higher is better", "test error (m), lower is better"]


@pytest.mark.parametrize(("sign", "factor", "better"), [("gain", 1, "higher"), ("drop", -1, "lower")])
def test_delta_m_stands_where_unlike_metrics_have_no_mean(sign: str, factor: int, better: str) -> None:
    """Gains of td: 0 and 40 % with the first seed, 5 and 0 % with the second."""
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]
    single = [finished("single", seed, {"shape": 80, "depth": 0.5}, tasks=tasks) for seed in range(2)]
    td = [
        finished("td", seed, {"shape": shape, "depth": depth}, tasks=tasks)
        for seed, (shape, depth) in enumerate([(80, 0.3), (84, 0.5)])
    ]
    figure = draw_points(comparison([*single, *td]), Convention(sign=sign))
    panel = figure.axes[2]
    assert (panel.get_title(), panel.get_xlabel()) == ("Δm", f"{sign} (%), {better} is better")
    assert sorted(dots(panel)) == pytest.approx(sorted([0, 0, factor * 20, factor * 2.5]))


def test_names_with_dollars_are_no_formulas() -> None:
    save(draw_points(comparison([finished("td", 0, {"$\\frac$ and $x": 90.0})])))


def test_tasks_of_unlike_metrics_that_are_too_many_for_panels_are_drawn_as_losses() -> None:
    tasks = [
        TaskInfo(name=f"{place}", metrics=(Metric(name="error", unit=unit, higher_is_better=False),))
        for place, unit in enumerate(["m"] * 12 + ["s"])
    ]
    run = finished(scores={task.name: 1.0 for task in tasks}, tasks=tasks)
    labels = [axes.get_ylabel() for axes in draw_curves(comparison([run])).axes]
    assert labels == ["test loss", "training loss"]


def test_a_common_metric_of_which_less_is_better_says_so() -> None:
    run = finished(scores={"LU": 1.0, "RL": 2.0}, metric="error", unit="m", higher_is_better=False)
    assert draw_curves(comparison([run])).axes[0].get_ylabel() == "test error (m), lower is better"


def test_many_methods_look_unlike() -> None:
    many = looks(88)
    assert len({(look.color, look.dashes) for look in many[:48]}) == 48
    assert len({(look.color, look.marker) for look in many}) == 88


def test_a_known_look_is_kept_and_an_unknown_method_has_a_free_one() -> None:
    known = dict(zip("abc", looks(3), strict=True))
    found = looks_of(["new", "c"], known)
    assert found["c"] == known["c"]
    assert found["new"] not in known.values()


def test_a_method_has_one_color_in_all_figures_of_a_report_of_very_many() -> None:
    runs = many_runs()
    known = make_report(runs).results.looks
    curves, points = draw_curves(comparison(runs), known), draw_points(comparison(runs), known=known)
    names = [text.get_text().partition(". ")[2] for text in curves.legends[0].get_texts()]
    colors = [to_hex(line.get_color()) for line in curves.legends[0].get_lines()]
    rows = [text.get_text() for text in points.axes[0].get_yticklabels()]
    dots = [each for each in points.axes[0].collections if isinstance(each, PathCollection)]
    beside = {name: to_hex(np.asarray(dot.get_facecolor())[0]) for name, dot in zip(rows, dots, strict=True)}
    assert len(names) == 8
    assert dict(zip(names, colors, strict=True)) == {name: beside[name] for name in names}
