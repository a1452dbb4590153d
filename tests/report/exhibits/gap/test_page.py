"""The exhibit of errors over training losses on made-up curves."""

import math
from dataclasses import replace

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import MEAN, Grid, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.gap.data import gaps_of
from mtbench.report.exhibits.gap.exhibit import Gap
from mtbench.report.exhibits.gap.figure import paths
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import CurvePoint, TaskResult
from mtbench.store.status import RunStatus
from tests.report.records import finished
from tests.report.shown import figure_of, only, pages_of, shown_of
from tests.report.suite_runs import filled

SUITE = Suite(
    name="gap",
    title="Errors over losses",
    grid=(Grid(datasets=("mmnist2",), methods=("single", "uniform", "td")),),
    labels={"uniform": "shared"},
    figures=("gap",),
)
LOSSES = {"single": (1.0, 0.1, 0.01), "uniform": (1.0, 0.1, 0.1), "td": (1.0, 0.2, 0.1)}


def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    """Return runs with an error of 5 - 2 log10(loss) (single) and half a point or a point more (uniform, seeds 0 to 2),
    with the training losses above and test losses that are larger by .25; td has dropout."""
    assert dataset == "mmnist2"
    more = {"single": 0.0, "uniform": 0.5 + 0.25 * seed, "td": 3.0}[method]

    def results(loss: float, held_out: float) -> dict[str, TaskResult]:
        accuracy = 95 + 2 * math.log10(loss) - more
        return {task: TaskResult(loss=held_out, count=9, metrics={"accuracy": accuracy}) for task in ("LU", "RL")}

    named = replace(protocol, epochs=3)
    made = finished(method, seed, dataset=dataset, protocol=named)
    assert made.record is not None
    losses = LOSSES[method]
    curve = tuple(
        CurvePoint(
            epoch=at + 1,
            steps=at,
            label_uses=at,
            train_losses=dict.fromkeys(("LU", "RL"), loss),
            results={"test": results(loss, loss + 0.25)},
        )
        for at, loss in enumerate(losses)
    )
    evaluated = losses[-1] / 2 if method == "td" else losses[-1]
    ends = {"test": results(losses[-1], evaluated + 0.25), "train": results(losses[-1], evaluated)}
    return replace(made, record=replace(made.record, curve=curve, results=ends, selected_epoch=3))


def runs() -> SuiteRuns:
    return filled(SUITE, run)


def test_errors_are_compared_at_the_lowest_loss_that_all_reach_and_with_single_task_networks() -> None:
    (found,) = gaps_of(runs())
    assert found.single == "single"
    assert [part.column for part in found.parts] == ["LU", "RL", MEAN]
    assert found.unlike == pytest.approx({"td": 2})
    for part in found.parts:
        single, shared, dropped = part.rows
        assert part.levels == pytest.approx([0.1] * 3)
        assert single.equal == pytest.approx([7.0] * 3)
        assert shared.equal == pytest.approx([7.5, 7.75, 8.0])
        assert shared.against is not None
        assert shared.against.difference == pytest.approx(0.75)
        assert single.final == pytest.approx([9.0] * 3)
        assert single.gap == pytest.approx([0.25] * 3)
        assert dropped.against is not None
        assert dropped.against.n == 0


def test_the_page_has_a_row_per_task_and_method_and_says_who_is_left_out() -> None:
    (exhibit,) = shown_of(Gap, runs())
    (page,) = pages_of(exhibit)
    assert page.label == "gap-paper-mmnist2-gap"
    lines = [[cell.says for cell in line] for line in page.layout.lines]
    assert len(lines) == 9
    # Of .5, .75 and 1 the mean is .75 and the half-width 4.303 * .25 / sqrt(3), with t from any table.
    assert lines[1] == [
        *("shared, LU", "7.75 ± 0.25", "+0.75 (+0.13 to +1.37)", "7.75 ± 0.25"),
        *("0.1000 ± 0.0000", "+0.2500 ± 0.0000"),
    ]
    assert lines[2][:3] == ["td, LU", "\N{EN DASH}", "\N{EN DASH}"]
    assert "test error (100 - accuracy, %)" in " ".join(page.details)
    assert "These losses: LU 0.1000 ± 0.0000, RL 0.1000 ± 0.0000 and mean 0.1000 ± 0.0000." in " ".join(page.details)
    (left,) = page.footnotes
    assert left.endswith("td (×2.00).")  # noqa: RUF001
    assert "| shared, LU | 7.75 ± 0.25 |" in render_markdown(page)
    assert "7.75" in render_latex(page)
    frame = only(exhibit.numbers)
    assert len(frame) == 3 * 3 * 3
    row = frame[(frame["method"] == "uniform") & (frame["task"] == "RL") & (frame["seed"] == 2)].iloc[0]
    assert (row["error_at_equal_loss"], row["level"]) == (pytest.approx(8), pytest.approx(0.1))
    assert frame[frame["method"] == "td"]["error_at_equal_loss"].isna().all()


def test_numbers_of_seeds_have_a_column_where_runs_are_lacking() -> None:
    def fewer(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus | None:
        return None if method == "uniform" and seed == 2 else run(method, dataset, protocol, seed)

    (exhibit,) = shown_of(Gap, filled(SUITE, fewer))
    (page,) = pages_of(exhibit)
    assert page.layout.header[-1] == "n"
    assert [line[-1].says for line in page.layout.lines[:3]] == ["3", "2/3", "3"]


def test_the_figure_has_a_panel_per_task_and_draws_each_run_on_the_points_that_all_runs_have() -> None:
    suite = runs()
    (exhibit,) = shown_of(Gap, suite)
    figure = figure_of(exhibit)
    figure.draw_without_rendering()
    assert [axes.get_title() for axes in figure.axes] == ["LU", "RL"]
    assert all(axes.xaxis_inverted() for axes in figure.axes)
    losses, errors = paths(suite.sheets[0], "uniform", "LU")[1]
    assert losses == pytest.approx([1.0, 0.1, 0.1])
    assert errors == pytest.approx([5.75, 7.75, 7.75])
    # Three faint runs, their mean and its end for each of two methods, and the level; none of the one with dropout.
    assert len(figure.axes[0].lines) == 2 * 5 + 1
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["single", "shared"]
    assert "Not drawn: td" in legend.get_title().get_text()
