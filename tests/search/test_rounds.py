"""Searches in a world where runs take no time: one budget, one sequence of trials whatever happens, no test split."""

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mtbench.errors import Busy, RunError, Stopped, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.search.planning import plan_search
from mtbench.search.request import SearchRequest
from mtbench.search.rounds import run_search
from mtbench.store.record import read_record, render_record
from mtbench.store.run.lease import Lease
from mtbench.store.status import RunStatus
from mtbench.store.study import FILE, Study, read_studies
from tests.search.worlds import World, validation_scores


def search(world: World, *methods: str, **asked: Any) -> list[Study]:
    # A backbone that is built in no time, since each setting is built once when it is planned.
    request = {"trials": 12, "protocol": "quick", "backbone": "mlp:width=2:depth=1", **asked}
    plans = plan_search(SearchRequest(datasets=["toy-all"], methods=methods, **request))
    return run_search(plans, results=world.results, perform=world)


def proposals(study: Study) -> list[dict[str, str]]:
    return [dict(trial.asked) for trial in study.trials]


def test_every_method_gets_the_same_trials_and_epochs(world: World) -> None:
    studies = search(world, "moo", "uniform", "branches+gradnorm", seeds=(1000, 1001))
    assert {len(study.trials) for study in studies} == {12}
    assert {(study.spent.trials, study.spent.runs, study.spent.epochs) for study in studies} == {(12, 24, 48)}
    assert {study.spent.seconds for study in studies} == {48.0}


def test_rounds_of_all_methods_take_turns(world: World) -> None:
    search(world, "moo", "uniform", retrain=1)
    assert [what for what, _ in world.calls] == [
        *("trials 0 to 3", "trials 4 to 7", "trials 8 to 11", "chosen settings, retrained")
    ]
    assert {spec.balancer.name for spec in world.calls[0][1]} == {"mgda-ub", "uniform"}


def test_the_first_trial_is_the_default(world: World) -> None:
    (weights,) = search(world, "branches")
    assert weights.trials[0].asked == {"weights": "0.5/0.5"}
    (rate,) = search(world, "uniform", settings={"lr": "0.5"})
    assert rate.trials[0].asked == {"lr": "0.5"}  # outside the space, and tried all the same
    assert all(1e-4 <= float(trial.asked["lr"]) <= 1e-2 for trial in rate.trials[1:])


def test_a_trial_is_worth_the_mean_over_its_tuning_seeds_on_the_validation_split(world: World) -> None:
    (study,) = search(world, "branches", seeds=(1000, 1001, 1005), trials=4)
    assert len(study.trials) == 4
    for trial in study.trials:
        specs = [spec for what, specs in world.calls for spec in specs if spec.titles == trial.titles]
        expected = [validation_scores(spec)["lower"] for spec in specs if spec.protocol.validation]
        assert len(expected) == 3
        assert trial.values is not None
        assert trial.values["lower"] == pytest.approx(sum(expected) / 3, abs=1e-12)


def test_with_one_objective_the_best_and_the_default_are_trained_again(world: World) -> None:
    (study,) = search(world, "uniform", retrain=3)
    scores = {t.number: sum(t.values.values()) for t in study.trials if t.values}
    best = max(scores, key=lambda number: scores[number])
    assert study.chosen == (0, best)
    assert [trial.number for trial in study.trials if trial.front] == [best]
    _, again = world.calls[-1]
    assert {spec.seed for spec in again} == {0, 1, 2}
    assert not any(spec.protocol.validation for spec in again)
    assert {number: len(runs) for number, runs in study.retrained.items()} == {0: 3, best: 3}
    assert all((world.results / run / "record.json").exists() for runs in study.retrained.values() for run in runs)


def test_with_an_objective_per_task_the_front_is_trained_again_or_all(world: World) -> None:
    (study,) = search(world, "branches", retrain=1)
    assert study.chosen == tuple(range(12))  # every trade-off of this world is on its front
    lost = dataclasses.replace(world, calls=[], is_lost=lambda spec: spec.balancer.options["weights"] == worst)
    worst = study.trials[5].asked["weights"]
    shutil.rmtree(world.results)
    (again,) = search(lost, "branches", points="all", retrain=1)
    assert again.chosen == tuple(number for number in range(12) if number != 5)


def test_nothing_is_trained_again_if_nothing_is_asked_for(world: World) -> None:
    (study,) = search(world, "uniform", retrain=0)
    assert study.retrained == {}
    assert all(spec.protocol.validation for _, specs in world.calls for spec in specs)


def test_tuning_seeds_are_never_reported(world: World) -> None:
    (study,) = search(world, "uniform")
    again = {run for runs in study.retrained.values() for run in runs}
    assert not again & study.trial_runs
    assert {spec.seed for _, specs in world.calls[:-1] for spec in specs} == {1000}


def test_a_trial_that_fails_counts_and_is_told_and_is_not_fatal(world: World) -> None:
    world.is_lost = lambda spec: spec.protocol.validation and spec.protocol.lr > 4e-3
    (study,) = search(world, "uniform", seeds=(1000, 1001))
    failed = [trial for trial in study.trials if trial.state == "failed"]
    assert failed
    assert all(trial.values is None and trial.why == "the loss became nan" for trial in failed)
    assert study.spent.trials == 12
    assert study.spent.runs == 2 * (12 - len(failed))
    assert not set(study.chosen) & {trial.number for trial in failed}


def test_a_search_in_which_everything_fails_chooses_nothing(world: World) -> None:
    world.is_lost = lambda _: True
    (study,) = search(world, "uniform", trials=5)
    assert study.chosen == ()
    assert study.retrained == {}
    assert {trial.state for trial in study.trials} == {"failed"}


def test_what_cannot_be_measured_is_a_failure(world: World) -> None:
    world.is_unmeasured = lambda spec: spec.protocol.lr < 1e-3
    (study,) = search(world, "uniform", retrain=0)
    whys = {trial.why for trial in study.trials if float(trial.asked["lr"]) < 1e-3}
    assert whys == {"a task cannot be measured on the validation split"}


def test_a_run_that_could_not_be_done_is_no_failure_of_its_trial(world: World) -> None:
    def missing(specs: Sequence[RunSpec], what: str) -> list[RunStatus]:
        return [dataclasses.replace(run, record=None, state="missing", why="disk full.") for run in world(specs, what)]

    plans = plan_search(SearchRequest(datasets=["toy-all"], methods=["uniform"], trials=4, protocol="quick"))
    with pytest.raises(RunError, match=r"has no record: disk full\. Run the command again\."):
        run_search(plans, results=world.results, perform=missing)
    (study,) = run_search(plans, results=world.results, perform=world)
    assert {trial.state for trial in study.trials} == {"done"}


@pytest.mark.parametrize(
    ("sampler", "method"), [("tpe", "branches"), ("tpe", "mmoe"), ("nsga2", "branches+gradnorm"), ("qmc", "mmoe")]
)
def test_a_longer_search_goes_on_from_a_shorter_one(world: World, tmp_path: Path, sampler: str, method: str) -> None:
    (whole,) = search(world, method, sampler=sampler, trials=18, retrain=0)
    other = World(results=tmp_path / "other")
    for trials in (1, 6, 13):
        (part,) = search(other, method, sampler=sampler, trials=trials, retrain=0)
        assert proposals(part) == proposals(whole)[:trials]
    before = len(other.calls)
    (longer,) = search(other, method, sampler=sampler, trials=18, retrain=0)
    assert dataclasses.replace(longer, id=whole.id) == whole
    assert sum(len(specs) for _, specs in other.calls[before:]) == 5


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_whatever_part_of_the_journal_is_there_the_same_trials_follow(
    world: World, tmp_path: Path, sampler: str
) -> None:
    # A process that is killed leaves some first part of the journal: each line is one write. Every third is tried.
    asked: dict[str, Any] = {"sampler": sampler, "trials": 14, "retrain": 0}
    (whole,) = search(world, "branches+gradnorm", **asked)
    (log,) = world.results.rglob("journal.log")
    lines = log.read_bytes().splitlines(keepends=True)
    assert len(lines) > 14 * 3
    for count in range(1, len(lines), 3):
        part = World(results=tmp_path / f"part-{count}")
        folder = part.results / log.parent.relative_to(world.results)
        folder.mkdir(parents=True)
        torn = lines[count][: count % len(lines[count])]
        (folder / log.name).write_bytes(b"".join(lines[:count]) + torn)
        (study,) = search(part, "branches+gradnorm", **asked)
        assert study == whole


def test_a_search_that_is_stopped_goes_on_with_the_same_trials(world: World, tmp_path: Path) -> None:
    (whole,) = search(world, "branches", retrain=2)
    other = World(results=tmp_path / "other", stop_after=0)
    while True:
        try:
            (study,) = search(other, "branches", retrain=2)
            break
        except Stopped:
            other.stop_after, other.calls = 1, []
    assert study == whole


def test_searches_with_other_seeds_propose_other_trials(world: World) -> None:
    (first,) = search(world, "uniform", retrain=0)
    (second,) = search(world, "uniform", retrain=0, seed=1)
    assert proposals(first)[0] == proposals(second)[0]
    assert not set(map(str, proposals(first)[1:])) & set(map(str, proposals(second)[1:]))


def test_the_search_comes_nearer_to_what_is_best(world: World) -> None:
    (study,) = search(world, "uniform", trials=32, retrain=0)
    scores = [sum(trial.values.values()) for trial in study.trials if trial.values]
    assert sum(scores[16:]) / 16 > sum(scores[1:9]) / 8
    (best,) = (trial for trial in study.trials if trial.front)
    assert 7e-4 < float(best.asked["lr"]) < 1.5e-3  # 1e-3 is best


def test_the_test_split_does_not_say_what_is_chosen(world: World, tmp_path: Path) -> None:
    (honest,) = search(world, "uniform")
    blind = World(results=tmp_path / "blind", reads_test=False)
    (study,) = search(blind, "uniform")
    assert (study.chosen, study.trials) == (honest.chosen, honest.trials)
    # The test split says the opposite here, so that a search by it would have chosen something else.
    by_test = min(honest.trials, key=lambda trial: sum((trial.values or {}).values()))
    assert by_test.number not in honest.chosen


def test_what_was_found_is_written_down_and_read_without_optuna(world: World) -> None:
    studies = search(world, "moo", "uniform", retrain=1)
    found = read_studies(world.results)
    assert found == sorted(studies, key=lambda study: study.titles.method)
    (path, _) = sorted(world.results.rglob(FILE))
    assert json.loads(path.read_text())["study"]["trials"][0]["values"]


def test_the_study_is_written_before_and_after_every_round(world: World) -> None:
    world.stop_after = 2
    with pytest.raises(Stopped):
        search(world, "uniform")
    (study,) = read_studies(world.results)
    assert [trial.state for trial in study.trials] == ["done"] * 8 + ["asked"] * 4
    assert study.planned == 12
    _, under_way = world.calls[-1]
    assert {Path(run).name for run in study.trial_runs} >= {Path(spec.folder).name for spec in under_way}


def test_trials_beyond_those_of_a_shorter_search_are_set_aside_and_still_known(world: World) -> None:
    (longer,) = search(world, "uniform", trials=12)
    (shorter,) = search(world, "uniform", trials=5)
    assert [trial.number for trial in shorter.trials] == list(range(5))
    assert shorter.spent.trials == 5
    assert shorter.trial_runs == longer.trial_runs
    assert set(shorter.set_aside) == {run for trial in longer.trials[5:] for run in trial.runs}
    assert read_studies(world.results) == [shorter]
    assert search(world, "uniform", trials=12) == [longer]


def test_a_winner_is_the_same_whatever_a_record_of_an_earlier_trial_has_of_the_test_split(world: World) -> None:
    (honest,) = search(world, "uniform")
    for run in honest.trial_runs:
        path = world.results / run / "record.json"
        record = read_record(path.read_bytes(), str(path))
        record.results["test"]["upper"].metrics["accuracy"] = 1000.0 * len(run)  # type: ignore[index]
        path.write_text(render_record(record))
    assert search(world, "uniform") == [honest]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"upper":8', '"upper":9', "another objective than its values"),
        ('"values":[8', '"values":[9', "another objective than its values"),
        ('"upper":8', '"above":8', "other settings or tasks than the search"),
        ('"lr":"0.0', '"lr":"0.5', "the default settings"),
        ('"lr":"0.008', '"lr":"0.5', "a run of another setting"),
    ],
)
def test_a_value_in_the_journal_that_was_altered_is_refused(world: World, old: str, new: str, why: str) -> None:
    search(world, "uniform", retrain=0)
    (log,) = world.results.rglob("journal.log")
    text = log.read_text()
    assert old in text
    log.write_text(text.replace(old, new, 1))
    with pytest.raises(
        StoreError, match=rf"the journal .* cannot be read \(line \d+: trial \d+ (has|does not have) {why}"
    ):
        search(world, "uniform", retrain=0)


@pytest.mark.parametrize(
    ("old", "new"), [('"values":[', '"values":["x",'), ('"upper":', '"upper":[1],"x":'), ('"lr":"0.0', '"lr":[],"x":"')]
)
def test_a_value_of_another_type_in_the_journal_is_refused(world: World, old: str, new: str) -> None:
    search(world, "uniform", retrain=0)
    (log,) = world.results.rglob("journal.log")
    text = log.read_text()
    assert old in text
    log.write_text(text.replace(old, new, 1))
    with pytest.raises(StoreError, match=r"the journal .* cannot be read \((line \d+: |TypeError|ValueError)"):
        search(world, "uniform", retrain=0)


def test_a_trial_whose_values_and_objective_are_both_altered_contradicts_its_records(world: World) -> None:
    search(world, "branches", trials=4, retrain=0)  # an objective per task
    (log,) = world.results.rglob("journal.log")
    text = log.read_text()
    (upper,) = set(re.findall(r'"outcome":\{"values":\{"upper":([0-9.]+)', text)[:1])
    log.write_text(text.replace(upper, "99.5"))
    with pytest.raises(StoreError, match=rf"trial 0 has other values than the records: upper 99.5 and not {upper[:5]}"):
        search(world, "branches", trials=4, retrain=0)


def test_two_searches_at_the_same_time_do_not_meet(world: World) -> None:
    search(world, "uniform", trials=4)
    (folder,) = world.results.glob("searches/*/*")
    before = (folder / "journal.log").read_bytes()
    with (
        Lease(folder),
        pytest.raises(Busy, match=rf"another mtbench works on the search in .*uniform-.*: process {os.getpid()} on "),
    ):
        search(world, "uniform", trials=8)
    assert (folder / "journal.log").read_bytes() == before
    assert len(search(world, "uniform", trials=8)[0].trials) == 8
    assert not list(folder.glob("claim.*"))


def test_a_setting_that_does_not_fit_is_a_failed_trial(world: World) -> None:
    (study,) = search(world, "chmod", backbone="", space={"first": "1..9"}, sampler="grid", retrain=0, trials=None)
    failed = {int(trial.asked["first"]): trial.why for trial in study.trials if trial.state == "failed"}
    assert failed
    assert all(first > 2 for first in failed)
    assert all("chmod" in why for why in failed.values())


def test_a_record_that_was_changed_behind_a_finished_trial_changes_nothing(world: World) -> None:
    (study,) = search(world, "uniform", retrain=0)
    for run in study.trial_runs:
        path = world.results / run / "record.json"
        record = read_record(path.read_bytes(), str(path))
        path.write_text(render_record(dataclasses.replace(record, results={})))
    assert search(world, "uniform", retrain=0) == [study]
