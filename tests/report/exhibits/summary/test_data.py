import dataclasses
import re

import numpy as np
import pytest
from scipy import stats

from mtbench.contract import Metric
from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import QUICK, finished, unfinished


def table(runs: list[RunStatus]) -> Table:
    (comparison,) = compare(runs)
    return build_table(comparison)


def bold(found: Table) -> list[tuple[str, str]]:
    return [
        (row.method, column.name)
        for row in found.rows
        for column, cell in zip(found.columns, row.cells, strict=True)
        if cell.best
    ]


def two_methods(metric: str = "accuracy", *, higher_is_better: bool = True) -> list[RunStatus]:
    """LU: moo is higher by 1.0, 1.1 and 0.9 on seeds that differ by more; RL: by 5, -5 and 1."""
    more = {"metric": metric, "unit": "", "higher_is_better": higher_is_better}
    td = [finished("td", seed, (80 + 4 * seed, 70), **more) for seed in range(3)]  # type: ignore[arg-type]
    gains = [(1.0, 5.0), (1.1, -5.0), (0.9, 1.0)]
    moo = [
        finished("moo", seed, (80 + 4 * seed + lu, 70 + rl), **more)  # type: ignore[arg-type]
        for seed, (lu, rl) in enumerate(gains)
    ]
    return td + moo


def test_only_what_is_separated_in_pairs_is_bold() -> None:
    assert bold(table(two_methods())) == [("moo", "LU")]


def test_where_lower_is_better_the_lower_one_is_bold() -> None:
    found = table(two_methods("error", higher_is_better=False))
    assert bold(found) == [("td", "LU")]
    (sentence,) = [sentence for sentence in found.caption if sentence.startswith("Test ")]
    assert sentence.startswith(
        "Test error (lower is better), mean ± standard deviation over n = 3 seeds; bold: best mean, "
    )


def test_the_caption_says_what_bold_is_and_the_details_what_so_few_seeds_could_show() -> None:
    found = table(two_methods())
    bold_is = "; bold: best mean, significantly better than every other method (paired t-test, Holm-corrected, 5 %)."
    assert found.caption[1].endswith(bold_is)
    (sentence,) = [sentence for sentence in found.details if sentence.startswith("Tests are paired ")]
    assert "with Holm's correction over the 3 comparisons of this table. A difference of" in sentence
    assert sentence.endswith(
        "(uncorrected, median over methods); the smallest p-value of the exact sign-flip test is 0.25."
    )
    shown = re.search(r"A difference of ([\d.]+) from the best mean is detectable with 80 % power", sentence)
    assert shown is not None
    # The power of the two-sided test at that difference, of three pairs whose gains in the mean are 3, -1.95 and 0.95.
    shift = float(shown[1]) / (np.std([3, -1.95, 0.95], ddof=1) / 3**0.5)
    limit = stats.t.ppf(0.975, 2)
    power = stats.nct.sf(limit, 2, shift) + stats.nct.cdf(-limit, 2, shift)
    assert power == pytest.approx(0.8, abs=0.02)  # the difference is printed in two digits


def test_one_seed_has_no_spread_and_nothing_bold() -> None:
    found = table([finished("td", 0, (99, 99)), finished("moo", 0, (10, 10))])
    assert bold(found) == []
    assert {cell.summary.std for row in found.rows for cell in row.cells} == {None}
    assert "Nothing is bold: a test needs at least two seeds that methods share." in found.details
    assert "Test accuracy (%, higher is better), one seed." in found.caption
    assert not any("±" in sentence or "divisor" in sentence for sentence in (*found.caption, *found.details))


def test_the_mean_is_taken_within_each_run_before_its_spread() -> None:
    # The tasks' errors cancel within each run: the mean over tasks has no spread at all.
    found = table([finished("td", 0, (90, 80)), finished("td", 1, (80, 90)), finished("td", 2, (85, 85))])
    summary = found.rows[0].cells[2].summary
    assert (summary.n, summary.mean, summary.std) == (3, 85, 0)


def test_a_method_without_a_finished_run_keeps_its_row() -> None:
    found = table([finished("td"), unfinished("failed", "moo", 2, "loss of task LU became NaN at step 14.")])
    row = found.rows[0]
    assert (row.method, row.finished, row.planned, row.expense) == ("moo", 0, 1, None)
    assert found.footnotes == ("moo: 1 failed (seed 2: loss of task LU became NaN at step 14).",)


def test_footnotes_say_how_many_steps_a_balancer_did_not_solve() -> None:
    found = table([finished("fair", 0, unsolved=12), finished("fair", 1, unsolved=1_100), finished("td", 0)])
    said = "fair: in 1,112 of 23,600 steps its solver did not reach the condition that defines the balancer."
    assert found.footnotes == (said,)


def test_seeds_that_failed_alike_are_named_together() -> None:
    runs = [unfinished("failed", "td", seed, "out of memory") for seed in (1, 3)] + [unfinished("missing", "td", 4)]
    found = table([finished("td"), *runs])
    assert found.footnotes == ("td: 2 failed (seeds 1, 3: out of memory), 1 missing (seed 4).",)


def test_stale_runs_count_and_are_marked() -> None:
    found = table([finished("td", 0, stale="the network's code changed"), finished("td", 1), finished("td", 2)])
    assert (found.rows[0].stale, found.rows[0].finished, found.rows[0].cells[0].summary.n) == (True, 3, 3)
    assert found.footnotes == (
        "td†: 1 stale (seed 0: the network's code changed).",
        "† Stale runs: code or data that their numbers depend on has changed since they were trained.",
    )


def test_a_number_that_is_not_one_is_left_out_and_said() -> None:
    found = table([finished("td", 0, (90, float("nan"))), finished("td", 1, (91, 80))])
    assert [cell.summary.n for cell in found.rows[0].cells] == [2, 1, 1]
    assert found.footnotes == ("td: no number for RL (seed 0), no number for mean (seed 0).",)


def test_runs_that_differ_in_what_matters_are_said_to() -> None:
    runs = [finished("td", 0), finished("td", 1, device="cuda:0", torch="2.10.0"), finished("moo", 0, data="ffff")]
    assert table(runs).footnotes == (
        "‡ A mean is over runs of unlike numerics: td.",
        "The runs differ in data (fingerprint): d41d8cd98f00 (2 runs) and ffff (1 run).",
        "The runs differ in torch version and device: 2.10.0 and cuda (1 run); 2.9.0 and cpu (2 runs).",
        "Times of unlike machines cannot be compared.",
    )


def test_two_gpus_are_one_device_type() -> None:
    assert table([finished("td", 0, device="cuda:0"), finished("td", 1, device="cuda:1")]).footnotes == ()


def test_the_details_say_how_it_was_trained() -> None:
    found = table([finished(protocol=dataclasses.replace(QUICK, validation=True, tasks_per_image="one"))])
    assert found.details[0] == (
        "Training: 2 epochs, batch size 512, adam with learning rate 0.001, halved after 30, 60 and 90 % of the "
        "epochs, 4,000 training examples, at each step a random label of each image, gradient scale native, validation "
        "split held out."
    )


def test_the_details_say_where_batches_are_normalized_by_themselves_in_tests() -> None:
    said = "batch normalization with the statistics of test batches"
    for norm_eval in ("running", "batch"):
        found = table([finished(protocol=dataclasses.replace(QUICK, norm_eval=norm_eval))])
        assert (said in " ".join(found.details)) == (norm_eval == "batch")


def test_the_details_name_the_gradient_scale_and_any_clipping() -> None:
    found = table([finished(protocol=dataclasses.replace(QUICK, clip=1.0, gradient_scale="matched"))])
    assert found.details[0].endswith(", as the network requires, gradient scale matched, clipped to norm 1.")


def test_times_of_two_processors_are_said_to_be_of_unlike_machines() -> None:
    found = table([finished("td", 0), finished("td", 1, processor="other", threads=2)])
    assert found.footnotes == (
        "‡ A mean is over runs of unlike numerics: td.",
        "The runs differ in threads and processor: 1 and some (1 run); 2 and other (1 run).",
        "Times of unlike machines cannot be compared.",
    )


def test_unlike_metrics_have_no_mean_column() -> None:
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]
    found = table([finished(scores={"shape": 90, "depth": 0.5}, tasks=tasks)])
    assert [column.name for column in found.columns] == ["shape", "depth"]


@pytest.mark.parametrize("state", ["missing", "running"])
def test_without_any_finished_run_there_are_rows_and_no_columns(state: str) -> None:
    found = table([unfinished(state)])
    assert (found.columns, len(found.rows)) == ((), 1)
    assert found.footnotes == (f"td: 1 {state} (seed 0).",)
