"""Kept runs beside a reader's own: which are taken, and what tables say of them."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from mtbench.report.assemble import make_report
from mtbench.report.data.comparison import compare
from mtbench.report.data.cost.expense import yardstick
from mtbench.report.data.gains.relative import deltas
from mtbench.report.data.kept.runs import beside, is_elsewhere, kept_mark, kept_notes, twice
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.text import ratio
from mtbench.store.status import RunStatus
from tests.report.records import PAPER, QUICK, finished, unfinished


def kept(run: RunStatus, pack: str = "baselines.zip") -> RunStatus:
    return replace(run, origin=pack)


OWN = [finished("td", seed, (90.0 + seed, 80.0)) for seed in (0, 1)]
SINGLE = [kept(finished("single", seed, (80.0, 80.0), processor="another", seconds=3.0)) for seed in (0, 1)]


def test_runs_of_the_same_dataset_data_protocol_and_seed_are_taken() -> None:
    taken, left = beside(OWN, SINGLE)
    assert taken == SINGLE
    assert left == []


def test_every_run_that_is_left_out_is_counted_with_its_reason() -> None:
    others = [
        finished("single", 0, dataset="mmnist3"),
        finished("single", 0, protocol=QUICK, title="quick"),
        finished("single", 0, data="another sum"),
        finished("single", 5),
    ]
    taken, left = beside(OWN, [*SINGLE, *map(kept, others)])
    assert taken == SINGLE
    assert left == [
        "baselines.zip: 4 runs left out: 1 of other datasets (mmnist3), 1 under other training protocols (mmnist2, "
        "quick), 1 on other data of mmnist2, 1 of other seeds (seed 5)."
    ]


def test_one_changed_setting_of_the_training_protocol_leaves_a_run_out() -> None:
    taken, left = beside(OWN, [kept(finished("single", 0, protocol=replace(PAPER, lr=2e-3), title="paper, lr=0.002"))])
    assert taken == []
    assert left[0] == "baselines.zip: 1 run left out: 1 under other training protocols (mmnist2, paper, lr=0.002)."


def test_an_own_run_without_a_record_brings_no_kept_runs_in() -> None:
    taken, left = beside([unfinished("failed", "td", 0)], SINGLE)
    assert taken == []
    assert left == ["baselines.zip: 2 runs left out: 2 of other datasets (mmnist2)."]


def test_the_number_of_seeds_that_a_protocol_has_by_default_is_no_difference() -> None:
    assert beside(OWN, [kept(finished("single", 0, protocol=replace(PAPER, seeds=3)))])[0] != []


def test_gains_are_over_kept_single_task_runs_in_pairs_of_seeds() -> None:
    (comparison,) = compare([*OWN, *SINGLE])
    gains = dict(zip([method.title for method in comparison.methods], deltas(comparison), strict=True))
    # (90 - 80) / 80 and (91 - 80) / 80, each halved: the second task is equal.
    np.testing.assert_allclose(gains["td"], [6.25, 6.875])


def test_kept_rows_have_a_word_and_a_footnote_with_pack_code_and_machine() -> None:
    (comparison,) = compare([*OWN, *SINGLE])
    page = page_of(build_table(comparison))
    assert [line[0].says for line in page.layout.lines] == ["single (kept)", "td‡"]
    (note,) = [note for note in page.footnotes if note.startswith("(kept)")]
    assert note == (
        "(kept): runs of single are from baselines.zip, code mtbench 0.1.0, machine another (cpu). Their times are "
        "those of another machine and are not compared."
    )


def test_times_of_another_machine_are_no_unit_and_are_not_related_to_it() -> None:
    there = [kept(finished("uniform", seed, processor="another")) for seed in (0, 1)]
    (comparison,) = compare([*OWN, *there])
    assert yardstick(comparison) is None
    (comparison,) = compare([*OWN, *SINGLE, finished("uniform", 0), finished("uniform", 1)])
    cells = {line[0].says: line[-2].says for line in page_of(build_table(comparison)).layout.lines}
    assert cells == {"single (kept)": "3.00 s (kept)", "td‡": ratio(1), "uniform‡": ratio(1)}


def test_kept_runs_of_the_same_machine_are_compared_in_time() -> None:
    (comparison,) = compare([*OWN, *[kept(finished("uniform", seed)) for seed in (0, 1)]])
    assert not any(is_elsewhere(comparison, method) for method in comparison.methods)
    assert yardstick(comparison) is not None
    assert "Their times" not in kept_notes(comparison)[0]


def test_a_method_with_own_and_kept_runs_is_partly_kept() -> None:
    (comparison,) = compare([OWN[0], kept(OWN[1])])
    assert [kept_mark(method) for method in comparison.methods] == [" (partly kept)"]


def test_a_table_without_kept_runs_says_nothing_of_them() -> None:
    (comparison,) = compare(OWN)
    page = page_of(build_table(comparison))
    assert "kept" not in str((page.layout, page.footnotes))


def test_a_pack_of_which_nothing_fits_says_how_to_train_as_it_was_trained() -> None:
    others = [kept(finished("single", seed, protocol=QUICK, title="quick")) for seed in (0, 1)]
    taken, left = beside(OWN, others)
    assert taken == []
    command = "mtbench run --methods td --dataset mmnist2 --protocol quick --seeds 0,1"
    assert left == [
        "baselines.zip: 2 runs left out: 2 under other training protocols (mmnist2, quick).",
        f"To train as baselines.zip was trained: {command}",
    ]


def test_other_records_of_the_readers_own_runs_are_said_to_be_left_out() -> None:
    same, other = finished("single", 0, (80.0, 80.0)), finished("single", 0, (81.0, 80.0))
    later = finished("single", 0, (80.0, 80.0), seconds=9.0)
    assert same.record is not None
    own = {same.folder.name: same.record}
    assert twice(own, [kept(same)]) == []
    (said,) = twice(own, [kept(later)])
    assert said == "baselines.zip: 1 run left out that you have trained too (mmnist2 single). Yours are shown."
    (said,) = twice(own, [kept(other)])
    assert "(mmnist2 single; the results of 1 differ)" in said


def test_kept_methods_have_their_word_in_figures_too() -> None:
    drawn = {name: draw() for piece in make_report([*OWN, *SINGLE]).shown for name, draw in piece.figures.items()}
    (points,) = [figure for name, figure in drawn.items() if name.endswith("-points")]
    (curves,) = [figure for name, figure in drawn.items() if name.endswith("-curves")]
    assert isinstance(points, Figure)
    assert isinstance(curves, Figure)
    assert {label.get_text() for label in points.axes[0].get_yticklabels()} == {"td", "single (kept)"}
    (legend,) = curves.legends
    assert {"td", "single (kept)"} <= {entry.get_text() for entry in legend.get_texts()}
