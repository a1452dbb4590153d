"""Searches of kept packs beside a reader's own: which are taken, and what is said of the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.report.data.comparison import compare
from mtbench.report.data.kept.searches import beside_searches, tuned_alone
from mtbench.report.data.studies import StudyRuns, home, in_tables
from mtbench.report.exhibits.tuned.data import tuned_methods
from mtbench.report.exhibits.tuned.page import tuned_page
from mtbench.store.status import RunStatus
from tests.report.records import PAPER, QUICK, finished
from tests.report.searches import Tried, rated, weighted

Found = tuple[StudyRuns, list[RunStatus]]
RATES = ("0.001", "0.003", "0.01")
PACK = "baselines.zip"


def searched(method: str, low: float = 70.0, *, trials: int = 2, protocol: TrainingProtocol = PAPER) -> Found:
    """Return a search over learning rates whose second trial is the best, and what was retrained with two seeds."""
    tried = [
        Tried(asked=RATES[0], worth=(low, low), tested=[(low, low), (low + 1, low)]),
        Tried(asked=RATES[1], worth=(low + 9, low + 9), front=True, tested=[(low + 8, low + 8), (low + 9, low + 8)]),
        Tried(asked=RATES[2], worth=(low - 9, low - 9)),
    ]
    return rated(method, tried[:trials], protocol=protocol)


def kept(found: Found, **changed: Any) -> StudyRuns:
    """Return a search of a pack, with another identity than the reader's and changes of its study."""
    study, _ = found
    again = {number: tuple(replace(run, origin=PACK) for run in runs) for number, runs in study.again.items()}
    return replace(study, study=replace(study.study, id="f" * 12, **changed), again=again, origin=PACK)


OWN, RUNS = searched("td")
SPENT = (
    f"To spend what {PACK} spent: mtbench search --methods td --dataset mmnist2 --protocol paper --trials 2 --sampler "
    "grid --seeds 1000, --retrain 2 --space lr=0.001/0.003"
)


def left_out(found: StudyRuns, own: Sequence[StudyRuns] = (OWN,), runs: Sequence[RunStatus] = RUNS) -> list[str]:
    taken, sentences = beside_searches(own, [found], runs)
    assert taken == []
    return sentences


def test_a_search_with_the_same_budget_and_spaces_is_taken() -> None:
    assert beside_searches([OWN], [kept(searched("single"))], RUNS) == ([kept(searched("single"))], [])


def test_a_search_with_another_number_of_trials_is_left_out_with_both_budgets_and_the_command_for_its_own() -> None:
    longer, runs = searched("td", trials=3)
    assert left_out(kept(searched("single")), [longer], runs) == [
        f"{PACK}: 1 search left out: 1 with another budget (2 trials of 100 epochs with 1 tuning seed; yours: 3 trials "
        "of 100 epochs with 1 tuning seed).",
        SPENT,
    ]


def test_a_search_that_is_not_finished_has_the_budget_that_it_has_used() -> None:
    study = OWN.study
    begun = replace(OWN, study=replace(study, trials=(study.trials[0], replace(study.trials[1], state="asked"))))
    (said, _) = left_out(kept(searched("single")), [begun])
    assert "(2 trials of 100 epochs with 1 tuning seed; yours: 1 trial of 100 epochs with 1 tuning seed)" in said


def test_without_a_search_of_the_reader_no_tuned_method_is_shown_and_the_command_is_given() -> None:
    default = [finished("td", 0)]
    assert left_out(kept(searched("single")), [], default) == [
        f"{PACK}: 1 search left out: 1 beside which none of your methods is tuned (mmnist2, paper).",
        SPENT,
    ]


def test_a_search_of_another_setting_of_training_is_left_out_and_one_of_more_options_is_not() -> None:
    decayed = kept(searched("single"), space={"lr": "0.001/0.003", "weight_decay": "0/0.0001"})
    said, command = left_out(decayed)
    assert said.endswith("(lr 0.001/0.003, weight_decay 0/0.0001; yours: lr 0.001/0.003).")
    assert command.endswith("--space lr=0.001/0.003 --space weight_decay=0/0.0001")
    optioned = kept(searched("branches+cagrad"), space={"lr": "0.001/0.003", "c": "0.1..1"})
    assert beside_searches([OWN], [optioned], RUNS)[0] == [optioned]


def test_the_command_searches_declared_options_where_a_kept_search_did() -> None:
    optioned = kept(searched("branches+cagrad"), space={"lr": "0.001/0.003", "c": "0.1..1"})
    _, command = left_out(optioned, [], [finished("td", 0)])
    assert command == f"{SPENT} --space options=declared"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (kept(searched("td")), "of methods that you have tuned too (td)"),
        (kept(searched("single", protocol=QUICK)), "under other training protocols (mmnist2, quick)"),
        (kept(searched("single"), dataset="mmnist3"), "of other datasets (mmnist2)"),
        (kept(weighted([Tried(asked="0.5/0.5", worth=(1, 1), tested=[(1, 1)])])), "with an objective per task"),
        (replace(kept(searched("single")), again={}), "without a run of what was chosen"),
    ],
)
def test_a_search_that_cannot_stand_beside_the_others_is_counted_with_the_reason(found: StudyRuns, reason: str) -> None:
    assert left_out(found) == [f"{PACK}: 1 search left out: 1 {reason}."]


def test_a_search_on_other_data_or_with_other_seeds_is_left_out() -> None:
    found, _ = searched("single")
    other = {1: (replace(finished("single", 0, data="another sum"), origin=PACK),)}
    assert left_out(replace(kept((found, [])), again=other)) == [
        f"{PACK}: 1 search left out: 1 on other data of mmnist2."
    ]
    later = {1: (replace(finished("single", 7), origin=PACK),)}
    assert left_out(replace(kept((found, [])), again=later)) == [
        f"{PACK}: 1 search left out: 1 of other seeds (seed 7)."
    ]


def test_runs_with_chosen_settings_are_those_of_trials_after_the_default() -> None:
    found, runs = searched("single")
    assert tuned_alone([found]) == {run.folder.name for run in runs if run.spec.protocol.lr == 0.003}


def test_kept_methods_in_the_table_of_tuned_settings_have_a_word_and_a_footnote() -> None:
    taken, _ = beside_searches([OWN], [kept(searched("single", 60.0))], RUNS)
    studies = [OWN, *taken]
    comparison = home(OWN, compare(in_tables(RUNS, studies)[0]))
    page = tuned_page(comparison, tuned_methods(studies), "tuned")
    assert [line[0].says for line in page.layout.lines] == ["td", "single (kept)"]
    assert "(kept): runs of single are from baselines.zip, code mtbench 0.1.0, machine" in "".join(page.footnotes)
    assert "Δm ↑" in page.layout.header
