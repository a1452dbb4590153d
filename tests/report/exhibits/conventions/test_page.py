"""The exhibit of conventions on made-up runs of the toy that has some."""

import math
from dataclasses import replace

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Grid, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.conventions.data import switched
from mtbench.report.exhibits.conventions.exhibit import Conventions
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.store.status import RunStatus
from tests.report.curves import DATASET, ROW, along, better
from tests.report.shown import figure_of, only, pages_of, shown_of
from tests.report.suite_runs import filled

METHODS = ("single", "uniform", "td", "moo")
SUITE = Suite(
    name="switches",
    title="Conventions of a toy",
    grid=(Grid(datasets=(DATASET,), methods=METHODS), Grid(datasets=(DATASET,), methods=METHODS, set={"clip": 1.0})),
    figures=("conventions",),
)
EPOCHS = 12


def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    """Return networks that are better than single ones by 1 % (uniform), 2 % (td) and 3 % (moo) after the last epoch.

    In the epochs before td is better by 8 % and moo worse by 8 %; with a clip uniform is better by 5 %. Means over
    batches of 5 have single worse by 10 %; those of 4 are as over all.
    """
    assert dataset == DATASET
    last = {"single": 0.0, "uniform": 5.0 if protocol.clip else 1.0, "td": 2.0, "moo": 3.0}[method]
    before = {"td": 8.0, "moo": -8.0}.get(method, last)
    rows = {epoch: better(before if epoch < EPOCHS else last, better(seed)) for epoch in range(1, EPOCHS + 1)}
    fives = {epoch: better(-10 if method == "single" else 0, row) for epoch, row in rows.items()}
    named = replace(protocol, epochs=EPOCHS)
    return along(method, seed, rows, batched={(5, False): fives, (4, True): rows}, protocol=named)


def runs() -> SuiteRuns:
    return filled(SUITE, run, seeds=2)


def test_each_switch_is_thrown_alone_and_moves_the_gain_and_the_order_as_made_up() -> None:
    (found,) = switched(runs())
    by_name = {(switch.group, switch.name): switch for switch in found.switches}
    usual = by_name["", "none"]
    assert [round(usual.gains[name].mean, 6) for name in METHODS] == [0, 1, 2, 3]
    assert usual.ranks == {"moo": 1, "td": 2, "uniform": 3}
    # td has 8 % in nine of the last ten epochs, moo -8 %, both their own in the last.
    ten = by_name["epoch", "last10"]
    assert [ten.gains[name].mean for name in METHODS] == pytest.approx([0, 1, 7.4, -6.9])
    assert ten.ranks == {"td": 1, "uniform": 2, "moo": 3}
    assert ten.moved.change == pytest.approx(9.9)
    assert ten.moved.tau == pytest.approx(-1 / 3)  # two of the three pairs are the other way about
    # The class is of all pixels; depth and normals are better than single ones that are 10 % worse.
    pool = by_name["pooling", "batches of 5"]
    lower, higher = 100 * (1 - 0.98 / 1.1), 100 * (1.02 / 0.9 - 1)
    assert pool.gains["td"].mean == pytest.approx((2 + lower + (2 * lower + 3 * higher) / 5) / 3)
    assert pool.moved.tau == 1
    same = by_name["pooling", "batches of 4 by images"]
    assert same.moved.change == pytest.approx(0, abs=1e-9)
    assert by_name["training", "clip=1"].gains["uniform"].mean == pytest.approx(5)
    assert by_name["training", "clip=1"].ranks["uniform"] == 1
    assert by_name["epoch", "own-start"].chosen
    assert by_name["epoch", "test"].gains["td"].mean == pytest.approx(8)
    groups = [switch.group for switch in found.switches]
    assert list(dict.fromkeys(groups)) == ["", "epoch", "pooling", "average", "base", "convention", "training"]


def test_bases_are_the_mean_of_single_task_runs_and_the_constants_where_they_fit() -> None:
    (found,) = switched(runs())
    by_name = {(switch.group, switch.name): switch for switch in found.switches}
    # Seeds 0 and 1 are the constants and 1 % better: over their mean seed 1 gains 1/2 % of the constants more, seed 0
    # as much less.
    assert by_name["base", "mean"].gains["single"].mean == pytest.approx(0, abs=1e-9)
    assert by_name["base", "mean"].gains["single"].std == pytest.approx(0.5**0.5, rel=0.02)
    constants = by_name["base", "constants of last-ten"]
    assert constants.gains["single"].mean == pytest.approx(0.5)
    assert "single" not in constants.ranks
    whole = by_name["convention", "last-ten"]
    # A gain here, over all metrics: nine of ten epochs of 8 % and one of 2 %, of seed 0 over the constants themselves.
    assert whole.gains["td"].mean == pytest.approx(7.4 + 0.5 * 1.0, abs=0.1)
    assert not whole.own_start
    assert whole.moved.change > 1


def test_a_gain_over_the_first_epoch_is_not_taken_for_a_change_of_one_over_single_task_networks() -> None:
    [found] = switched(filled(SUITE, run))
    [own] = [switch for switch in found.switches if switch.own_start]
    assert (own.group, own.name) == ("convention", "own-start")
    assert len(own.ranks) == 3
    assert math.isnan(own.moved.change)
    assert not math.isnan(own.moved.tau)


def test_the_page_has_a_row_per_method_a_column_per_switch_and_what_it_changes() -> None:
    (exhibit,) = shown_of(Conventions, runs())
    (page,) = pages_of(exhibit)
    assert page.label == "switches-paper-conventions-toy-surfaces"
    assert page.layout.header[:6] == (
        *("method", "none", "epoch last10", "epoch own-start¶", "epoch test¶", "pooling batches of 5"),
    )
    assert [line[0].says for line in page.layout.lines] == [
        *METHODS,
        "largest change",
        "in spreads",
        "tau",
        "reversed",
        "n",
    ]
    row = {line[0].says: [cell.says for cell in line[1:]] for line in page.layout.lines}
    assert row["moo"][:2] == ["+3.00 ± 0.00 (1)", "-6.90 ± 0.00 (3)"]
    assert row["single"][0] == "+0.00 ± 0.00"
    assert row["largest change"][:2] == ["\N{EN DASH}", "9.90"]
    assert row["tau"][:2] == ["\N{EN DASH}", "-0.33"]
    assert row["n"][0] == "2"
    assert "| moo | +3.00 ± 0.00 (1) |" in render_markdown(page)
    assert r"\P{}" in render_latex(page)
    frame = only(exhibit.numbers)
    assert len(frame) == len(METHODS) * len(page.layout.header[1:])
    figure_of(exhibit).draw_without_rendering()


def test_what_a_switch_lacks_is_said_below_and_a_dataset_without_single_task_runs_has_no_page() -> None:
    def short(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:  # noqa: ARG001
        return along(method, seed, {1: ROW, 2: better(2)}, protocol=replace(protocol, epochs=2))

    (exhibit,) = shown_of(Conventions, filled(SUITE, short, seeds=1))
    (page,) = pages_of(exhibit)
    assert any(
        note.startswith("convention last-ten: no numbers of single (seed 0), ")
        and note.endswith(": a run of 2 epochs has no mean of the last 10.")
        for note in page.footnotes
    )
    alone = replace(SUITE, grid=(Grid(datasets=(DATASET,), methods=("td", "moo")),))
    assert shown_of(Conventions, filled(alone, run)) == []
