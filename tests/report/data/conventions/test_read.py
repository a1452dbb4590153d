"""Numbers of a table by the rules of published code, against hand-made curves."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mtbench.contract import Batches, TrainingProtocol
from mtbench.plan.parse import parse_dataset
from mtbench.report.data.choices import Choices, Convention
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.conventions.fit import misfit
from mtbench.report.data.conventions.read import read_by
from mtbench.report.data.conventions.rules import Rules, rules_of
from mtbench.report.data.gains.relative import deltas
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.store.record import PhaseInfo
from mtbench.store.status import RunStatus
from tests.report.curves import DATASET, PAIRS, ROW, along, better

FIVE = Batches(size=5)
LAST_TEN = parse_dataset(DATASET).dataset_class.conventions["last-ten"]
OWN_START = Rules(epoch="own-start", delta=Convention(base="own-start"))
MAIN = Convention(average="main", base="mean")


def read(runs: Sequence[RunStatus], rules: Rules) -> Comparison:
    (comparison,) = compare(runs)
    return read_by(comparison, rules, name="some")


def values(comparison: Comparison, method: str, seed: int = 0) -> list[float]:
    (found,) = (each for each in comparison.methods if each.title == method)
    return [found.records[seed].value(*pair) for pair in PAIRS]


def gain(comparison: Comparison, method: str, rules: Rules) -> list[float]:
    found = dict(zip((each.title for each in comparison.methods), deltas(comparison, rules.delta), strict=True))
    return [float(value) for value in found[method]]


def table(comparison: Comparison, rules: Rules) -> Table:
    return build_table(comparison, Choices(delta=rules.delta))


def test_the_last_ten_epochs_are_averaged_over_batches_but_for_what_is_of_all_pixels_everywhere() -> None:
    rows = {epoch: better(epoch) for epoch in range(1, 13)}
    batched = {(5, False): {epoch: better(epoch, better(10)) for epoch in range(1, 13)}}
    rules = rules_of(LAST_TEN, "constants")
    found = read([along("td", 0, rows, batched=batched)], rules)
    # Epochs 3 to 12 are better by 3 to 12 %, in the mean by 7.5 %; over batches everything is better by 10 % more.
    set_values, means = better(7.5), better(7.5, better(10))
    assert values(found, "td") == pytest.approx([*set_values[:2], *means[2:]])
    # Two metrics gain 7.5 %, depth and angles 1 - .9 * .925 = 16.75 %, the three fractions 1.1 * 1.075 - 1 = 18.25 %.
    assert gain(found, "td", rules) == pytest.approx([-(2 * 7.5 + 4 * 16.75 + 3 * 18.25) / 9])


def test_the_base_of_constants_takes_no_run_and_its_rounding_is_a_band() -> None:
    rows = dict.fromkeys(range(1, 11), ROW)
    rules = rules_of(LAST_TEN, "constants")
    found = read([along("td", 0, rows, batched={(5, False): rows})], rules)
    shown = table(found, rules)
    assert shown.rows[0].delta.mean == pytest.approx(0)
    # r = M/B - 1 at M = B moves by h / (B -+ h) in each metric; the largest sum over the nine of them:
    halves = [0.005, 0.005, 0.0005, 0.005, *[0.005] * 5]
    lower = sum(half / (value - half) for half, value in zip(halves, ROW, strict=True))
    assert shown.rows[0].band == pytest.approx(100 / 9 * lower, rel=0.02)
    assert "Δm: mean relative drop from the constants of toy-conv (%, lower is better)." in shown.caption
    band = f"The rounding of the printed constants changes Δm by up to ±{shown.rows[0].band:.2f}."
    assert band in shown.details
    assert page_of(shown).aside.startswith("Δm: drop from the constants of toy-conv in %, mean over all metrics")


def test_a_method_on_another_backbone_has_no_gain_over_constants() -> None:
    rows = {epoch: better(1) for epoch in range(1, 11)}
    rules = rules_of(LAST_TEN, "constants")
    runs = [
        along("td", 0, rows, batched={(5, False): rows}),
        along("moo", 0, rows, batched={(5, False): rows}, backbone="lenet"),
    ]
    found = read(runs, rules)
    assert gain(found, "td", rules) == pytest.approx([-1])
    assert np.isnan(gain(found, "moo", rules)).all()


def test_a_run_chooses_the_epoch_that_is_best_over_its_own_first_one_and_its_gain_is_over_that() -> None:
    rows = {1: ROW, 2: better(4), 3: better(9), 4: better(9), 5: better(2)}
    found = read([along("td", 0, rows), along("moo", 0, {**rows, 1: better(-50)})], OWN_START)
    assert values(found, "td") == pytest.approx(better(9))
    assert gain(found, "td", OWN_START) == pytest.approx([9])
    # Over a first epoch that is half as good: .5 of 60 becomes 1.09, .4 * 1.5 becomes .91 * .4.
    up, down = 100 * (1.09 / 0.5 - 1), 100 * (1 - 0.91 / 1.5)
    assert gain(found, "moo", OWN_START) == pytest.approx([(up + down + (2 * down + 3 * up) / 5) / 3])


def test_single_task_networks_choose_an_epoch_for_each_task_by_its_own_gain_over_their_first() -> None:
    """The choice of code that trains each of them in a run of its own."""
    good_class, good_normal = (*better(10)[:2], *ROW[2:]), (*ROW[:4], *better(9)[4:])
    found = read([along("single", 0, {1: ROW, 2: good_class, 3: good_normal})], OWN_START)
    assert values(found, "single") == pytest.approx([*better(10)[:2], *ROW[2:4], *better(9)[4:]])
    assert gain(found, "single", OWN_START) == pytest.approx([(10 + 0 + 9) / 3])
    found = read([along("single", 0, {1: (*ROW[:6], 0.0, 0.0, *ROW[8:]), 2: ROW})], OWN_START)
    assert found.reading is not None
    (told,) = found.reading.lacking
    assert told.endswith("over its first epoch, for within-11.25 of normal and within-22.5 of normal are 0 there.")


def test_the_best_test_epoch_is_one_of_the_last_phase_in_which_the_network_of_the_row_is_trained() -> None:
    rows = {1: ROW, 2: better(30), 3: better(4), 4: better(6)}
    phases = tuple(PhaseInfo(name=name, epochs=2, parameters=9, weights=9, tasks=()) for name in ("embedding", "masks"))
    made = along("td", 0, rows, epochs=2)
    assert made.record is not None
    phased = replace(made, record=replace(made.record, phases=phases))
    runs = [along("single", 0, {1: ROW, 2: ROW}), phased]
    assert values(read(runs, Rules(epoch="test")), "td") == pytest.approx(better(6))
    assert values(read(runs, Rules(epoch="own-start")), "td") == pytest.approx(better(6))


def test_the_best_test_epoch_is_chosen_by_the_gain_over_single_task_networks_at_their_own_best_of_each_task() -> None:
    rules = Rules(epoch="test", delta=MAIN)
    good_class, good_normal = (*better(10)[:2], *ROW[2:]), (*ROW[:4], *better(10)[4:])
    runs = [
        along("single", 0, {1: good_class, 2: good_normal, 3: ROW}),
        along("td", 0, {1: better(5), 2: better(15), 3: better(12)}),
    ]
    found = read(runs, rules)
    # One network a task: the class is best after epoch 1, the normal after epoch 2, depth after any.
    assert values(found, "single") == pytest.approx([*better(10)[:2], *ROW[2:4], *better(10)[4:]])
    assert values(found, "td") == pytest.approx(better(15))
    expected = 100 / 3 * ((1.15 / 1.1 - 1) + 0.15 + (1 - 0.85 / 0.9))
    assert gain(found, "td", rules) == pytest.approx([expected])


def test_the_last_epoch_over_all_pixels_is_what_every_report_shows() -> None:
    runs = [along(name, seed, {1: ROW, 2: better(3 + seed)}) for name in ("single", "td") for seed in range(2)]
    (usual,) = compare(runs)
    found = read(runs, Rules())
    assert [values(found, "td", seed) for seed in range(2)] == [values(usual, "td", seed) for seed in range(2)]


def test_a_table_of_epochs_chosen_on_the_test_split_marks_them_and_has_nothing_bold_and_no_ranks() -> None:
    runs = [
        along(name, seed, {1: ROW, 2: better(amount * (1 + 0.02 * seed))})
        for name, amount in (("single", 0), ("td", 9), ("moo", 1))
        for seed in range(3)
    ]
    (usual,) = compare(runs)
    assert any(cell.best for row in build_table(usual).rows for cell in row.cells)
    shown = build_table(read(runs, OWN_START), Choices(delta=OWN_START.delta, rank=True))
    assert not any(cell.best for row in shown.rows for cell in row.cells)
    page = page_of(shown)
    assert [line[0].says for line in page.layout.lines] == ["moo¶", "single¶", "td‖¶"]
    assert "rank ↓" not in page.layout.header
    assert "¶: the epoch was chosen on the test split; nothing is bold." in page.caption
    said = " ".join(page.details)
    assert "No rank: epochs were chosen on the test split." in said
    assert (
        "after the epoch that is best on the test split, by the Δm (task) over the run's own first epoch (of "
        "single-task networks, each task's best)." in said
    )
    assert "the test split is not used" not in said


@pytest.mark.parametrize(
    ("run", "rules", "why"),
    [
        (along("td", 0, {1: ROW, 5: ROW}), Rules(epoch="last10"), "a run of 5 epochs has no mean of the last 10"),
        (along("td", 0, {1: ROW}), Rules(epoch="last10"), "a run of 1 epoch has no mean of the last 10"),
        (
            along("td", 0, {1: ROW, 20: ROW}),
            Rules(epoch="last10"),
            r"its curve lacks 9 of the epochs that it takes \(train with `--set curve=last10`\)",
        ),
        (
            along("td", 0, {1: ROW, 3: ROW}),
            OWN_START,
            r"its curve lacks 1 of the epochs that it takes \(train with `--set curve=all`\)",
        ),
        (
            along("td", 0, {1: ROW, 2: ROW}),
            Rules(batches=FIVE),
            "its record has no means over batches of 5 test images",
        ),
        (
            along("td", 0, {1: (*ROW[:6], 0.0, *ROW[7:]), 2: ROW}),
            OWN_START,
            "no epoch has a gain over its first epoch, for within-11.25 of normal is 0 there",
        ),
        (
            along("td", 0, {1: ROW, 2: ROW}),
            Rules(epoch="test", delta=MAIN),
            "no epoch has a gain over what Δm is relative to, for a value is lacking",
        ),
        (
            along("td", 0, {2: ROW}, protocol=TrainingProtocol(epochs=2, validation=True)),
            OWN_START,
            "with a validation split held out, its curve is not of the test split",
        ),
    ],
)
def test_a_run_that_lacks_something_has_no_number_and_a_sentence_says_why(
    run: RunStatus, rules: Rules, why: str
) -> None:
    found = read([run], rules)
    assert np.isnan(values(found, "td")).all()
    assert found.reading is not None
    (told,) = found.reading.lacking
    assert told.startswith("No numbers of td (seed 0): ")
    assert re.search(why, told)
    shown = table(found, rules)
    assert list(shown.footnotes) == [told]
    assert {cell.summary.n for row in shown.rows for cell in row.cells} == {0}


def test_constants_fit_the_same_tasks_images_and_backbone_alone() -> None:
    (comparison,) = compare([along("td", 0, {1: ROW})])
    constants = LAST_TEN.constants
    assert constants is not None
    assert misfit(comparison, constants) == ""
    told = misfit(comparison, replace(constants, outputs={**constants.outputs, "class": 7}))
    assert told == (
        "they are of class (7 outputs), depth (1 output), normal (3 outputs), and the runs are of class (3 outputs), "
        "depth (1 output), normal (3 outputs)"
    )
    told = misfit(comparison, replace(constants, size=(28, 56)))
    assert told == "they are of images of 28 x 56, and the runs of 28 x 28"
    told = misfit(comparison, replace(constants, backbone="vgg11"))
    assert told == "they are of networks on vgg11, and the runs are on toy-conv"
