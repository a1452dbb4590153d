"""A journal whose lines are not those that a search has written is refused, with the line and the remedy."""

import itertools
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.study import StudyDirection

from mtbench.errors import StoreError
from mtbench.plan.spec import RunSpec
from mtbench.search.journal.order import Misplaced, check_order
from mtbench.search.planning import plan_search
from mtbench.search.request import SearchRequest
from mtbench.search.rounds import run_search
from mtbench.store.study import Study
from tests.search.worlds import World

DEFAULT = 0.003


def search(world: World) -> Study:
    request = SearchRequest(
        datasets=["toy-all"],
        methods=["uniform"],
        trials=6,
        protocol="quick",
        backbone="mlp:width=2:depth=1",
        retrain=0,
    )
    (study,) = run_search(plan_search(request), results=world.results, perform=world)
    return study


def journal(world: World) -> Path:
    (found,) = world.results.rglob("journal.log")
    return found


def lines_of(world: World) -> list[bytes]:
    """Return the lines of a search of six trials.

    These are the beginning, trials 0 to 3, an outcome and a state of each, trials 4 and 5, and theirs.
    """
    search(world)
    lines = journal(world).read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["op_code"] for line in lines] == [0, *[4] * 4, *[8, 6] * 4, *[4] * 2, *[8, 6] * 2]
    return lines


def why_not(world: World, lines: Sequence[bytes]) -> str:
    """Return the reason why a journal of these lines is none of this search; empty if it is one."""
    name = json.loads(journal(world).read_bytes().splitlines()[0])["study_name"]
    try:
        check_order(b"".join(lines), name=name, directions=[StudyDirection.MAXIMIZE], size=4)
    except Misplaced as cause:
        return str(cause)
    return ""


def told(world: World, text: bytes) -> str:
    """Return the reason why a search does not go on from a journal."""
    journal(world).write_bytes(text)
    with pytest.raises(StoreError) as caught:
        search(world)
    assert journal(world).read_bytes() == text
    found = re.fullmatch(
        rf"the journal {re.escape(str(journal(world)))} cannot be read \((line \d+: .*)\)\. "
        r"Delete its folder and run the command again: finished runs are not repeated\.",
        str(caught.value),
    )
    assert found, caught.value
    return found[1]


def altered(world: World, number: int, **change: Any) -> bytes:
    """Return the journal with another outcome and state of a trial."""
    lines = []
    for raw in journal(world).read_bytes().splitlines():
        line = json.loads(raw)
        if line.get("trial_id") == number and line["op_code"] == 8:
            line["user_attr"]["outcome"] |= {"values": change["outcome"], "why": change.get("why", "")}
        elif line.get("trial_id") == number:
            line |= {"state": change["state"], "values": change["values"]}
        lines.append(json.dumps(line, separators=(",", ":")) + "\n")
    return "".join(lines).encode()


def test_a_journal_is_refused_if_any_line_but_the_last_ones_is_gone(world: World) -> None:
    lines = lines_of(world)
    assert not why_not(world, lines)
    for first, last in itertools.combinations(range(len(lines) + 1), 2):
        assert bool(why_not(world, lines[:first] + lines[last:])) == (last < len(lines)), (first, last)


def test_a_journal_is_refused_if_a_line_is_there_twice(world: World) -> None:
    lines = lines_of(world)
    for at, later in itertools.combinations(range(len(lines) + 1), 2):
        found = why_not(world, [*lines[:later], lines[at], *lines[later:]])
        assert found == f"line {later + 1}: it is line {at + 1} once more"


def test_a_journal_is_refused_if_two_lines_have_changed_places(world: World) -> None:
    lines = lines_of(world)
    for first, second in itertools.combinations(range(len(lines)), 2):
        other = list(lines)
        other[first], other[second] = lines[second], lines[first]
        assert why_not(world, other), (first, second)


@pytest.mark.parametrize(
    ("places", "why"),
    [
        ([1, 3, 2], "line 2: trial 1 stands where trial 0 belongs"),
        ([2, 1, 3], "line 1: the beginning of the search is missing"),
        ([1, 2, 3, 4, 5, 8, 9, 6, 7], "line 6: trial 1 is finished before trial 0"),
        ([1, 2, 3, 4, 5, 7, 6], "line 6: trial 0 is finished without an outcome in the line before"),
        ([1, 2, 3, 4, 5, 6, 7, 14], "line 8: trial 4 is proposed before trial 1, of an earlier round, is finished"),
        ([1, 2, 3, 6, 7, 8, 9, 10], "line 8: trial 2 has not been proposed before"),
        ([1, 2, 3, 2], "line 4: it is line 2 once more"),
    ],
)
def test_a_search_does_not_go_on_from_lines_in_another_order_and_names_the_first(
    world: World, places: Sequence[int], why: str
) -> None:
    lines = lines_of(world)
    assert told(world, b"".join(lines[place - 1] for place in places)) == why


def test_a_finished_trial_is_not_finished_again(world: World) -> None:
    lines = lines_of(world)
    again = [line.replace(b'"worker_id":"', b'"worker_id":"other-') for line in lines[5:7]]
    assert why_not(world, [*lines, *again]) == "line 20: trial 0 is finished already in line 7"


def test_an_outcome_that_a_killed_process_left_without_a_state_is_stored_once_more(world: World) -> None:
    lines = lines_of(world)
    whole = search(world)
    journal(world).write_bytes(b"".join(lines[:-1]))
    assert search(world) == whole
    now = journal(world).read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["op_code"] for line in now[-3:]] == [8, 8, 6]
    assert search(world) == whole


def test_the_journal_of_another_search_is_refused(world: World) -> None:
    lines = lines_of(world)
    name = json.loads(lines[0])["study_name"]
    assert told(world, b"".join(lines).replace(name.encode(), b"0123456789ab")) == "line 1: it begins another search"
    assert told(world, b"".join(lines).replace(b'"directions":[2]', b'"directions":[1]')).startswith("line 1: ")


def test_trials_of_an_early_journal_without_numbers_are_known_by_their_runs(world: World) -> None:
    lines = re.sub(rb'"number":\d+,', b"", b"".join(lines_of(world))).splitlines(keepends=True)
    journal(world).write_bytes(b"".join(lines))
    assert [trial.state for trial in search(world).trials] == ["done"] * 6
    swapped = [*lines[:2], lines[3], lines[2], *lines[4:]]
    assert told(world, b"".join(swapped)) == "line 8: trial 1 has a run of another setting"
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    assert told(world, b"".join(swapped)) == "line 2: trial 0 does not have the default settings"


def test_a_state_that_is_not_that_of_its_outcome_is_refused(world: World) -> None:
    study = search(world)
    scores = study.trials[1].values
    whole = journal(world).read_bytes()
    for state in (0, 2, 3, 4):  # running, pruned, failed, waiting
        journal(world).write_bytes(whole)
        found = told(world, altered(world, 1, outcome=scores, state=state, values=None))
        assert found == "line 9: trial 1 has another state than its outcome in the line before"


def test_a_trial_that_is_done_and_reads_failed_contradicts_its_records(world: World) -> None:
    search(world)
    found = told(world, altered(world, 1, outcome=None, why="the loss became nan", state=3, values=None))
    assert found == "line 8: trial 1 failed, and its runs have whole records"


def test_a_trial_that_failed_and_reads_done_contradicts_its_run(world: World) -> None:
    def is_lost(spec: RunSpec) -> bool:
        return spec.protocol.lr == DEFAULT

    world.is_lost = is_lost
    study = search(world)
    assert study.trials[0].state == "failed"
    (run,) = study.trials[0].runs
    (world.results / run).mkdir(parents=True, exist_ok=True)
    (world.results / run / "failure.json").write_text(
        json.dumps({"kind": "nan", "message": "the loss became nan", "traceback": "", "attempt": 1, "signal": None})
    )
    assert search(world) == replace(study)
    found = told(world, altered(world, 0, outcome={"upper": 90.0, "lower": 80.0}, state=1, values=[85.0]))
    assert found == f"line 6: trial 0 is done, and its run {world.results / run} failed"


def test_a_trial_with_other_epochs_than_its_record_is_refused(world: World) -> None:
    search(world)
    text = re.sub(rb'(seed-1000-[0-9a-f]{12}":\[)2,', rb"\g<1>3,", journal(world).read_bytes(), count=1)
    assert told(world, text).startswith("line 6: trial 0 has another number of epochs than the record in ")


def test_a_trial_that_is_done_has_no_reason_why_it_failed(world: World) -> None:
    scores = search(world).trials[1].values
    assert scores
    text = altered(world, 1, outcome=scores, why="the loss became nan", state=1, values=[sum(scores.values()) / 2])
    assert told(world, text) == "line 8: trial 1 is done, and has a reason why it failed"


def test_a_record_that_was_removed_contradicts_nothing(world: World) -> None:
    study = search(world)
    shutil.rmtree(world.results / study.trials[2].runs[0])
    assert [trial.state for trial in search(world).trials] == ["done"] * 6
