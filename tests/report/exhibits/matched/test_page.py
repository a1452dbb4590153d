from dataclasses import replace
from itertools import combinations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.suite import Grid, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.matched.exhibit import Matched
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import MANY, finished, unfinished
from tests.report.shown import figure_of, only, pages_of, shown_of
from tests.report.suite_runs import filled

MATCHED = Suite(
    name="matched",
    title="At equal cost",
    grid=(Grid(datasets=("mmnist2",), methods=("td", "single", "film", "moo")),),
    labels={"film": "film, as wide as td"},
    figures=("matched",),
)
GAINS = {"single": (1.0, 2.0, 3.0), "film": (0.0, 0.0, 0.0), "td": (0.0, 0.0, 0.0)}


def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    if method == "moo":
        return unfinished("missing", method, seed, dataset=dataset, protocol=protocol)
    mean = 90.0 + seed + GAINS[method][seed]
    weights, macs = {"td": (31_541, 3_600_000), "single": (48_500, 900_000), "film": (31_541, 1_800_000)}[method]
    return finished(method, seed, (mean + 1, mean - 1), dataset=dataset, protocol=protocol, weights=weights, macs=macs)


def crowd(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    """Return methods of few unlike costs, whose means lie close together."""
    place = MANY.index(method)
    return finished(
        method,
        seed,
        (90 + 0.3 * (place % 5) + 0.1 * seed, 88.0),
        dataset=dataset,
        protocol=protocol,
        weights=30_000 + 3_000 * (place % 3),
        macs=500_000 * (1 + place % 4),
    )


def drawn(runs: SuiteRuns) -> Figure:
    (exhibit,) = shown_of(Matched, runs)
    figure = figure_of(exhibit)
    figure.draw_without_rendering()
    return figure


def test_a_page_has_each_cost_with_its_ratio_and_the_paired_difference_to_the_reference() -> None:
    (exhibit,) = shown_of(Matched, filled(MATCHED, run))
    (page,) = pages_of(exhibit)
    # Of 1, 2 and 3 the mean is 2 and the half-width 4.303 / sqrt(3), with t from any table; 0, 0 and 0 do not vary.
    assert render_markdown(page) == (
        "### matched: mmnist2, protocol paper, over cost\n\n"
        "| method | weights | MACs one | MACs all | mean | difference | n |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| td | 31,541 (×1.00) | 1.8M (×1.00) | 3.6M (×1.00) | 91.00 ± 1.00 | – | 3 |\n"  # noqa: RUF001
        "| single | 48,500 (×1.54) | 450.0k (×0.25) | 900.0k (×0.25) | 93.00 ± 2.00 | +2.00 (-0.48 to +4.48) | 3 |\n"  # noqa: RUF001
        "| film, as wide as td | 31,541 (×1.00) | 900.0k (×0.50) | 1.8M (×0.50) | 91.00 ± 1.00 | +0.00 | 3 |\n"  # noqa: RUF001
        "| moo | – | – | – | – | – | 0/3 |\n"  # noqa: RUF001
        "\n"
        "mmnist2, protocol paper: test accuracy and cost, mean ± standard deviation over n = 3 seeds. "
        "Difference: from td, paired over seeds, with its 95 % confidence interval.\n"
        "\n"
        "**Details.** Suite matched: At equal cost. "
        "Weights: number of weights of the whole network without biases. MACs: multiply-accumulates of the predictions "
        "for one example, of one task and of all tasks. In brackets: relative to td. "
        "Test accuracy in %, higher is better, the mean over tasks within each run, after the last epoch; the test "
        "split is not used for any choice. Standard deviations have the divisor n-1.\n"
    )


def test_small_losses_are_shown_in_four_digits() -> None:
    def loss(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        mean = 0.0123 + 0.001 * seed + 0.0001 * GAINS[method][seed]
        values = (mean, mean)
        kind = {"metric": "loss", "unit": "", "higher_is_better": False}
        return finished(method, seed, values, dataset=dataset, protocol=protocol, **kind)  # type: ignore[arg-type]

    suite = replace(MATCHED, grid=(Grid(datasets=("mmnist2",), methods=("td", "single")),))
    (exhibit,) = shown_of(Matched, filled(suite, loss))
    td, single = ([words.says for words in line] for line in pages_of(exhibit)[0].layout.lines)
    assert td[4] == "0.0133 ± 0.0010"
    assert single[4:6] == ["0.0135 ± 0.0011", "+0.0002 (+0.0000 to +0.0004)"]  # the lower end is -0.000048


def test_without_a_finished_run_of_the_reference_nothing_is_relative_to_it() -> None:
    def some(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        return run("moo" if method == "td" else method, dataset, protocol, seed)

    grid = Grid(datasets=("mmnist2",), methods=("moo", "single", "film"))
    (page,) = pages_of(shown_of(Matched, filled(replace(MATCHED, grid=(grid,)), some))[0])
    assert [words.says for words in page.layout.lines[1]] == [
        *("single", "48,500", "450.0k", "900.0k", "93.00 ± 2.00", "–", "3"),  # noqa: RUF001
    ]


def test_a_panel_per_cost_has_a_point_per_finished_arm_with_its_name() -> None:
    figure = drawn(filled(MATCHED, run))
    assert [axes.get_xlabel() for axes in figure.axes] == [
        *("weights", "MACs to answer one task", "MACs to answer all tasks"),
    ]
    for axes in figure.axes:
        names = [text.get_text() for text in axes.texts if text.get_text()]
        assert names == ["1", "2", "3"]  # one name is long, so that numbers stand for all
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["1. td", "2. single", "3. film, as wide as td"]
    short = drawn(filled(replace(MATCHED, labels={}), run))
    assert [text.get_text() for text in short.axes[0].texts if text.get_text()] == ["td", "single", "film"]


@pytest.mark.parametrize("count", [6, 14, 30])
def test_no_name_lies_on_another_or_outside_its_panel(count: int) -> None:
    suite = replace(MATCHED, grid=(Grid(datasets=("mmnist2",), methods=tuple(MANY[:count])),))
    figure = drawn(filled(suite, crowd))
    assert len(figure.axes) == 3  # weights, and multiply-accumulates of one task and of all
    for axes in figure.axes:
        notes = [text for text in axes.texts if isinstance(text, Annotation) and text.get_text()]
        boxes = [note.get_window_extent() for note in notes]
        assert len(boxes) == count
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
        frame = axes.get_window_extent()
        assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 + 1 for box in boxes)


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_are_drawn(seeds: int) -> None:
    drawn(filled(MATCHED, run, seeds=seeds))


def test_the_frame_has_ratios_and_differences_at_full_precision() -> None:
    (exhibit,) = shown_of(Matched, filled(MATCHED, run))
    rows = only(exhibit.numbers).set_index("method")
    assert rows.loc["single", "weights_ratio"] == 48_500 / 31_541
    assert rows.loc["single", "macs_per_task_ratio"] == 0.25
    assert (rows.loc["single", "pairs"], rows.loc["single", "difference"]) == (3, 2)
    assert rows.loc["single", "difference_t95_low"] == pytest.approx(2 - 4.303 / 3**0.5, abs=1e-3)
    assert rows.loc["moo", "n"] == 0


def test_tasks_of_unlike_metrics_are_not_matched() -> None:
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]

    def mixed(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        return finished(method, seed, {"shape": 90.0, "depth": 0.5}, tasks=tasks, dataset=dataset, protocol=protocol)

    assert shown_of(Matched, filled(MATCHED, mixed)) == []
