import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import ttest_ind, ttest_rel

from mtbench.contract import Metric
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.studies import StudyRuns, home
from mtbench.report.exhibits.pareto.data import TradeOff, dominated, trade_off, volume
from mtbench.report.exhibits.pareto.figure import draw_scatter, draw_validation
from mtbench.report.exhibits.pareto.page import pareto_page
from mtbench.report.exhibits.pareto.rows import pareto_frame, pareto_rows
from mtbench.report.figure.style import looks, save
from mtbench.report.page.layout import Page
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import QUICK, finished, many_runs
from tests.report.searches import Tried, accuracies, weighted

FRONT = (
    Tried(asked="0.5/0.5", worth=(70, 70), front=True, tested=[(70, 70), (71, 70), (72, 70.5)]),
    Tried(asked="0.9/0.1", worth=(80, 50), front=True, tested=[(80, 49), (81, 50), (82, 51)]),
    Tried(asked="0.1/0.9", worth=(50, 80), front=True, tested=[(50, 80), (49, 80), (48, 80.5)]),
    Tried(asked="0.4/0.6", worth=(60, 60), tested=[(90, 90), (91, 91), (90, 92)]),
    Tried(asked="0.6/0.4", worth=None),
)


def methods() -> list[RunStatus]:
    """moo is far behind the default in both tasks, td ahead in one; single is beyond all."""
    return [
        run
        for seed in range(3)
        for run in (
            finished("moo", seed, (65 + 1.2 * seed, 64 + seed / 4)),
            finished("td", seed, (60 + seed, 79 + seed)),
            finished("single", seed, (95, 95 + seed / 2)),
        )
    ]


def trade(
    tried: tuple[Tried, ...] = FRONT, runs: list[RunStatus] | None = None, **more: object
) -> tuple[StudyRuns, TradeOff]:
    found, again = weighted(tried, **more)  # type: ignore[arg-type]
    comparisons = compare([*again, *(methods() if runs is None else runs)])
    return found, trade_off(found, home(found, comparisons))


def page_of(found: StudyRuns, made: TradeOff) -> Page:
    return pareto_page(found, made, pareto_rows(made), "page")


def page(*args: object, **more: object) -> Page:
    found, made = trade(*args, **more)  # type: ignore[arg-type]
    return page_of(found, made)


def stars(axes: Axes) -> dict[tuple[float, float], str]:
    """Return the points that are drawn as stars, with the color of their faces."""
    found = {}
    for line in axes.lines:
        if line.get_marker() == (5, 1, 0):
            (x,), (y,) = np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()
            found[x, y] = str(line.get_markerfacecolor())
    return found


def names(axes: Axes) -> set[str]:
    return {text.get_text() for text in axes.texts} - {""}


def test_points_are_no_methods_and_methods_no_points() -> None:
    _, made = trade()
    assert [point.name for point in made.points] == [f"weights {each.asked}" for each in FRONT[:4]]
    assert [(rival.title, rival.kin, rival.single) for rival in made.rivals] == [
        ("moo", True, False),
        ("single", False, True),
        ("td", False, False),
    ]


def test_another_searchs_points_are_no_methods_but_its_default_is() -> None:
    found, again = weighted(FRONT)
    _, others = weighted(FRONT[:2], protocol=found.study.protocol)
    other = replace(found, again={0: tuple(others[:3]), 1: tuple(others[3:])})
    nothing = replace(found, again={})
    made = trade_off(nothing, home(nothing, compare(again)), [other])
    assert [rival.title for rival in made.rivals] == [
        f"branches+fixed:weights={weights}" for weights in ("0.1/0.9", "0.4/0.6", "0.5/0.5")
    ]


def test_a_volume_is_the_share_of_the_box_that_two_boxes_cover() -> None:
    _, made = trade(FRONT[:3], [])
    limits = made.bounds
    # From chance, 10 %: means (71, 70.1667), (81, 50) and (49, 80.1667); strips from right to left.
    assert (limits.ideal, limits.chance) == ((100, 100), (10, 10))
    by_hand = (81 - 71) * 40 + (71 - 49) * (70 + 1 / 6 - 10) + 39 * (80 + 1 / 6 - 10)
    tested = [point.tested for point in made.front]
    assert volume(tested, limits.chance, made) == pytest.approx(by_hand / 90**2)
    assert volume(tested[:1], limits.chance, made) == pytest.approx(61 * (60 + 1 / 6) / 90**2)
    # The nadir is the worst of each task: (49, 50), against which the outer points have no volume.
    assert limits.nadir == pytest.approx((49, 50))
    assert volume(tested, limits.nadir, made) == pytest.approx(22 * (20 + 1 / 6) / (51 * 50))


def test_two_boxes_of_the_whole_table() -> None:
    tried = (
        Tried(asked="0.6/0.4", worth=(80, 60), front=True, tested=[(80, 60)]),
        Tried(asked="0.4/0.6", worth=(60, 80), front=True, tested=[(60, 80)]),
    )
    _, made = trade(tried, [])
    (whole,) = [row for row in pareto_rows(made) if row.name == "the front (2 points)"]
    assert whole.chance == pytest.approx((70 * 50 + 50 * 70 - 50 * 50) / 90**2)


def test_errors_have_an_ideal_of_nothing_and_no_chance() -> None:
    tasks = [
        TaskInfo(name=name, metrics=(Metric(name="error", unit="", higher_is_better=False),)) for name in ("LU", "RL")
    ]
    tried = (
        Tried(asked="0.6/0.4", worth=(0.2, 0.4), front=True, tested=[(0.2, 0.4)]),
        Tried(asked="0.4/0.6", worth=(0.4, 0.3), front=True, tested=[(0.4, 0.3)]),
        Tried(asked="0.5/0.5", worth=(0.3, 0.35), front=True, tested=[(0.3, 0.35)]),
    )
    _, made = trade(tried, [], tasks=tasks)
    limits = made.bounds
    assert (limits.ideal, limits.chance, limits.nadir) == ((0, 0), None, (0.4, 0.4))
    tested = [point.tested for point in made.front]
    assert volume(tested, limits.nadir, made) == pytest.approx(0.1 * 0.05 / 0.4**2)


def test_what_falls_below_nothing_is_no_error_and_has_no_volume() -> None:
    tasks = [
        TaskInfo(name=name, metrics=(Metric(name="log-likelihood", unit="", higher_is_better=False),))
        for name in ("LU", "RL")
    ]
    tried = (
        Tried(asked="0.6/0.4", worth=(-4, 1), front=True, tested=[(-4, 1)]),
        Tried(asked="0.4/0.6", worth=(2, -3), front=True, tested=[(2, -3)]),
    )
    found, made = trade(tried, [], tasks=tasks)
    assert made.bounds.ideal is None
    assert any(sentence.startswith("No hypervolumes") for sentence in page_of(found, made).details)


def test_a_metric_without_a_best_value_has_no_volume() -> None:
    tasks = [
        TaskInfo(name=name, metrics=(Metric(name="score", unit="", higher_is_better=True),)) for name in ("LU", "RL")
    ]
    found, made = trade(FRONT, [], tasks=tasks)
    assert made.bounds.ideal is None
    shown = page_of(found, made)
    assert not [head for head in shown.layout.header if head.startswith("HV")]
    assert any(sentence.startswith("No hypervolumes") for sentence in shown.details)


def test_domination_is_the_worst_paired_test_of_a_point_corrected_for_points() -> None:
    _, made = trade()
    moo, default = made.rivals[0].tested, made.points[0].tested
    found = dominated(moo, made)
    assert found is not None
    worst = max(ttest_rel(default[:, task], moo[:, task], alternative="greater").pvalue for task in range(2))
    assert (found.dominated, found.by) == (True, 0)
    assert found.p[0] == pytest.approx(worst)
    assert min(found.adjusted) == pytest.approx(3 * worst)


def test_a_method_that_is_ahead_in_one_task_is_not_dominated() -> None:
    _, made = trade()
    found = dominated(made.rivals[2].tested, made)
    assert found is not None
    assert not found.dominated


def test_a_long_setting_is_called_by_its_trial() -> None:
    infos = accuracies([f"t{index}" for index in range(6)])
    tried = (
        Tried(asked="/".join(["0.166667"] * 6), worth=[70] * 6, front=True, tested=[[70] * 6, [71] * 6, [72] * 6]),
    )
    runs = [finished("moo", seed, {t.name: 60 + seed * seed / 9 for t in infos}, tasks=infos) for seed in range(3)]
    shown = page(tried, runs, tasks=infos)
    assert shown.layout.lines[1][0].says == f"weights {'/'.join(['0.167'] * 6)} (trial 0), the default"
    (moo,) = [line for line in shown.layout.lines if line[0].says == "moo"]
    assert moo[-2].says == "dominated by trial 0"
    assert moo[-1].says.startswith("0.00")


def test_of_other_seeds_the_tests_are_welchs() -> None:
    _, made = trade(FRONT, [finished("moo", seed, (60 + seed % 2, 60 + seed % 3)) for seed in range(7, 11)])
    found, moo = dominated(made.rivals[0].tested, made), made.rivals[0].tested[3:]
    default = made.points[0].tested[:3]
    assert found is not None
    tests = [ttest_ind(default[:, at], moo[:, at], equal_var=False, alternative="greater").pvalue for at in range(2)]
    assert found.p[0] == pytest.approx(max(tests))


def test_the_front_is_the_validation_splits_whatever_the_test_split_says() -> None:
    _, made = trade()
    assert [point.number for point in made.front] == [0, 1, 2]
    shown = [row.point.number for row in pareto_rows(made) if row.point]
    assert shown == [1, 0, 2]  # though trial 3 is the best of all on the test split


def test_how_often_a_point_is_on_the_test_splits_front_of_all() -> None:
    _, made = trade()
    assert made.shares == {0: 0, 1: 0, 2: 0, 3: 1}
    _, made = trade(FRONT[:3])
    assert made.shares == {0: 1, 1: 1, 2: 1}
    _, made = trade(tuple(replace(each, tested=each.tested[:1]) for each in FRONT[:3]))
    assert made.shares == {}  # of one seed it says nothing


def test_the_share_of_resamples_is_that_of_the_seeds_that_put_a_point_there() -> None:
    tried = (
        Tried(asked="0.5/0.5", worth=(50, 50), front=True, tested=[(50, 50), (50, 50)]),
        Tried(asked="0.6/0.4", worth=(51, 49), front=True, tested=[(52, 51), (40, 40)]),
    )
    _, made = trade(tried, [])
    # The second is ahead if only its first seed is drawn, which is one time in four.
    assert made.shares[1] == pytest.approx(0.25, abs=0.03)
    assert made.shares[0] == pytest.approx(0.75, abs=0.03)


def test_the_page_says_what_was_found() -> None:
    shown = page()
    assert render_markdown(shown).split("\n\n")[:2] == [
        "### mmnist2, protocol paper: search over branches+fixed",
        TABLE,
    ]
    assert shown.caption == CAPTION
    assert shown.details == DETAILS
    assert shown.footnotes == ("Trial 4 (weights 0.6/0.4) failed: loss of task LU became NaN.",)


def test_an_unfinished_search_says_so_and_shows_what_is_there() -> None:
    found, made = trade(tuple(replace(each, tested=()) for each in FRONT), planned=8)
    shown = page_of(found, made)
    assert shown.footnotes[:1] == ("The search is not finished: 5 of 8 trials are.",)
    assert "No trial has been retrained, so that test metrics are unknown." in shown.footnotes
    assert [line[0].says for line in shown.layout.lines] == [
        *("other methods on branches:", "moo", "other networks:", "single", "td"),
    ]
    assert draw_validation(made)[0].get_suptitle() == "mmnist2, protocol paper: 5 of 8 trials of branches+fixed"


def test_a_search_before_its_first_trial_is_over_has_a_page_and_no_figures_of_points() -> None:
    found, made = trade((), [], planned=8)
    shown = page_of(found, made)
    assert shown.layout.lines == ()
    assert "The search is not finished: 0 of 8 trials are." in shown.footnotes
    assert render_markdown(shown)
    assert draw_validation(made) == []


def test_one_seed_can_be_shown_and_not_tested() -> None:
    tried = tuple(replace(each, tested=each.tested[:1]) for each in FRONT)
    shown = page(tried, [finished("moo", 0, (60, 60))])
    (moo,) = [line for line in shown.layout.lines if line[0].says == "moo"]
    assert [cell.says for cell in moo[1:3]] == ["60.00", "60.00"]
    assert [cell.says for cell in moo[-2:]] == ["cannot be tested", "–"]  # noqa: RUF001


def test_the_numbers_behind_the_page_have_every_point() -> None:
    found, made = trade()
    frame = pareto_frame(found, made, pareto_rows(made))
    assert sorted({int(number) for number in frame["trial"].dropna()}) == [0, 1, 2, 3]
    off = frame[(frame["trial"] == 3) & (frame["task"] == "LU")].iloc[0]
    assert (off["validation"], off["front"], off["n"]) == (60, False, 3)
    assert off["mean"] == pytest.approx(271 / 3)
    moo = frame[(frame["name"] == "moo") & (frame["task"] == "RL")].iloc[0]
    assert (moo["dominated_by"], moo["reference_chance"]) == (0, 10)


@pytest.mark.parametrize(
    ("tasks", "seeds", "panels", "pages"), [(2, 0, 1, 1), (2, 1, 1, 1), (3, 3, 3, 1), (4, 1, 6, 1), (5, 3, 10, 2)]
)
def test_every_pair_of_tasks_has_a_panel(tasks: int, seeds: int, panels: int, pages: int) -> None:
    found, made = of_tasks(tasks, seeds)
    assert page_of(found, made).layout.tasks == tasks
    for draw in (draw_scatter, draw_validation):
        figures = draw(made)
        assert len(figures) == pages
        shown = [axes for figure in figures for axes in figure.axes if axes.get_visible()]
        split = "test" if draw is draw_scatter else "validation"
        assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in shown] == [
            (f"t{first}: {split} accuracy (%)", f"t{second}: {split} accuracy (%)")
            for first, second in combinations(range(tasks), 2)
        ]
        assert len(shown) == panels
    save(draw_scatter(made)[0])


def of_tasks(count: int, seeds: int) -> tuple[StudyRuns, TradeOff]:
    infos = accuracies([f"t{index}" for index in range(count)])
    tried = tuple(
        Tried(
            asked="/".join("0.5" if at == first else "0.1" for at in range(count)),
            worth=[80 if at == first else 60 + at for at in range(count)],
            front=True,
            tested=[[80 + seed if at == first else 60 + at for at in range(count)] for seed in range(seeds)],
        )
        for first in range(count)
    )
    runs = [finished("td", seed, {info.name: 70 + seed for info in infos}, tasks=infos) for seed in range(2)]
    return trade(tried, runs, tasks=infos)


def test_of_one_task_there_is_nothing_to_scatter() -> None:
    _, made = of_tasks(1, 2)
    assert draw_scatter(made) == draw_validation(made) == []


def test_stars_are_methods_at_their_means_filled_where_the_network_is_the_same() -> None:
    _, made = trade()
    known = {rival.title: look for rival, look in zip(made.rivals, looks(9)[3:], strict=False)}
    (axes,) = draw_scatter(made, known)[0].axes
    assert {(round(x, 6), y): face for (x, y), face in stars(axes).items()} == {
        (66.2, 64.25): known["moo"].color,
        (61, 80): "white",
    }
    assert names(axes) == {"moo", "td"}


def test_single_task_networks_are_lines_with_a_band() -> None:
    _, made = trade()
    (axes,) = draw_scatter(made)[0].axes
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [np.unique(line.get_xdata()).tolist() for line in dashed[:1]] == [[95]]
    assert [np.unique(line.get_ydata()).tolist() for line in dashed[1:]] == [[95.5]]
    assert len(axes.patches) == 2
    without = draw_scatter(trade(FRONT, methods()[:2])[1])[0].axes[0]
    assert not [line for line in without.lines if line.get_linestyle() == "--"]
    assert not without.patches


def test_the_front_is_joined_in_steps_and_only_of_two_tasks() -> None:
    (axes,) = draw_validation(trade()[1])[0].axes
    (front,) = [line for line in axes.lines if line.get_drawstyle() == "steps-pre"]
    assert np.asarray(front.get_xydata()).tolist() == [[50, 80], [70, 70], [80, 50]]
    panels = draw_validation(of_tasks(3, 2)[1])[0].axes
    assert {line.get_drawstyle() for each in panels for line in each.lines} == {"default"}


def test_top_right_is_better_where_lower_is() -> None:
    tasks = [
        replace(accuracies(["LU"])[0]),
        TaskInfo(name="RL", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]
    _, made = trade(FRONT, [], tasks=tasks)
    for axes in (*draw_scatter(made)[0].axes, *draw_validation(made)[0].axes):
        assert axes.get_xlim()[0] < axes.get_xlim()[1]
        assert axes.get_ylim()[0] > axes.get_ylim()[1]
        assert axes.get_ylabel().endswith("error (m), lower is better")


def test_a_method_that_is_far_out_is_an_arrow_at_the_edge_with_its_values() -> None:
    tried = tuple(
        Tried(asked=f"0.{at}/0.{9 - at}", worth=(90 - at, 80 + at), front=True, tested=[(90 - at, 80 + at)])
        for at in range(1, 8)
    )
    _, made = trade(tried, [finished("moo", 0, (85.5, 83)), finished("chmod", 0, (20, 30))])
    (axes,) = draw_scatter(made)[0].axes
    assert names(axes) == {"moo", "chmod (20, 30)"}
    assert axes.get_xlim()[0] > 70
    (arrow,) = [line for line in axes.lines if isinstance(mark := line.get_marker(), tuple) and mark[:2] == (3, 0)]
    marker = arrow.get_marker()
    assert isinstance(marker, tuple)
    assert marker[2] == pytest.approx(math.degrees(math.atan2(-1, -1)) - 90, abs=30)  # down and to the left


def boxes(figure: Figure) -> list[tuple[float, float, float, float]]:
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    shown = [text for axes in figure.axes for text in axes.texts if text.get_text()]
    return [tuple(super(type(text), text).get_window_extent(renderer).extents) for text in shown]  # type: ignore[misc]


def test_names_do_not_lie_on_each_other() -> None:
    spots = [(70 + 3 * math.cos(angle), 70 + 3 * math.sin(angle)) for angle in range(12)]
    networks = ("td", "chmod", "film", "mmoe", "mtan", "astmt", "routing", "moo", "cross-stitch", "tensormod")
    runs = [finished(name, 0, spot) for name, spot in zip(networks, spots, strict=False)]
    found = boxes(draw_scatter(trade(FRONT[:3], runs)[1])[0])
    assert len(found) == 10
    for (a0, b0, a1, b1), (c0, d0, c1, d1) in combinations(found, 2):
        assert min(a1, c1) <= max(a0, c0) or min(b1, d1) <= max(b0, d0)


def test_many_methods_are_numbered_and_named_below() -> None:
    found, _ = weighted(FRONT, protocol=QUICK)
    made = trade_off(found, home(found, compare(many_runs())))
    (figure,) = draw_scatter(made)
    assert {"1", "7", "44"} <= {name.split(" ")[0] for name in names(figure.axes[0])}
    assert "1 astmt   2 branches+aligned-mtl" in figure.legends[0].get_title().get_text()
    assert figure.get_suptitle().endswith("\nPreview, not a result.")


def test_methods_alone_can_be_scattered() -> None:
    comparison: Comparison
    (comparison,) = compare(methods())
    (figure,) = draw_scatter(trade_off(None, comparison))
    assert figure.get_suptitle() == "mmnist2, protocol paper"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["methods", "single"]


TABLE = """\
| setting or method | LU | RL | HV chance | HV nadir | on front | n | against the front | p |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| searched: |  |  |  |  |  |  |  |  |
| weights 0.9/0.1 | 81.00 ± 1.00 | 50.00 ± 1.00 | 35.06 % | 0.00 % | 0 % | 3 | on it | – |
| weights 0.5/0.5, the default | 71.00 ± 1.00 | 70.17 ± 0.29 | 45.31 % | 17.40 % | 0 % | 3 | on it | – |
| weights 0.1/0.9 | 49.00 ± 1.00 | 80.17 ± 0.29 | 33.78 % | 0.00 % | 0 % | 3 | on it | – |
| the front (3 points) | – | – | 55.06 % | 17.40 % | – | 3 | – | – |
| other methods on branches: |  |  |  |  |  |  |  |  |
| moo | 66.20 ± 1.20 | 64.25 ± 0.25 | 37.64 % | 9.61 % | – | 3 | dominated by weights 0.5/0.5 | 0.00087 |
| other networks: |  |  |  |  |  |  |  |  |
| single | 95.00 ± 0.00 | 95.50 ± 0.50 | 89.72 % | 82.08 % | – | 3 | not shown to be dominated | 1 |
| td | 61.00 ± 1.00 | 80.00 ± 1.00 | 44.07 % | 14.12 % | – | 3 | not shown to be dominated | 1 |"""  # noqa: RUF001

CAPTION = (
    "mmnist2, protocol paper: search over branches+fixed. Test accuracy (%), mean ± standard deviation over "
    "n = 3 seeds.",
    "Front: the non-dominated trials on the validation split.",
)
DETAILS = (
    "mmnist2, protocol paper: 100 epochs, batch size 512, adam with learning rate 0.001, halved after 30, 60 and 90 % "
    "of the epochs, 60,000 training examples, at each step all labels of an image or a random one, as the network "
    "requires, gradient scale native.",
    "Searched: weights (simplex) of branches+fixed on lenet, 5 trials proposed by tpe, of 1 tuning seed each.",
    "Front: the trials that no other trial dominates on the validation split. The test split, on which all numbers are "
    "measured, is not used to choose it. Standard deviations have the divisor n-1.",
    "On front: fraction of bootstrap samples of the seeds in which the point is on the test split's front of all "
    "searched points.",
    "HV: hypervolume of the means as a fraction of the box from a reference to the best values (LU 100, RL 100).",
    "Chance: 100 % over the number of classes in the test split (LU 10, RL 10).",
    "Nadir: in each task the worst mean of all points and methods here (LU 49, RL 50), so that a point that is "
    "worst in a task has no volume.",
    "Dominated: worse in every task than one point of the front; p: largest p-value over tasks of one-sided t-tests "
    "(paired where each point shares two seeds with the method), and the smallest over points after Holm's correction "
    "over the 3 points of the front.",
)


def test_points_that_another_one_dominates_on_the_test_split_are_hollow_and_not_joined() -> None:
    tried = (
        Tried(asked="0.5/0.5", worth=(70, 70), front=True, tested=[(70, 70)]),
        Tried(asked="0.9/0.1", worth=(80, 50), front=True, tested=[(69, 60)]),  # behind the first in both
        Tried(asked="0.1/0.9", worth=(50, 80), front=True, tested=[(50, 80)]),
        Tried(asked="0.4/0.6", worth=(60, 60), tested=[(90, 90)]),  # not chosen on the validation split
    )
    _, made = trade(tried, runs=[])
    (figure,) = draw_scatter(made)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    faces = {tuple(np.asarray(line.get_xydata())[0].tolist()): line.get_markerfacecolor() for line in dots}
    assert faces == {(70, 70): "#000000", (69, 60): "white", (50, 80): "#000000", (90, 90): "white"}
    (joined,) = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-pre"]
    assert np.asarray(joined.get_xydata()).tolist() == [[50, 80], [70, 70]]
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said[:3] == ["the validation split's front", "of that front, dominated here", "others that were tried"]
