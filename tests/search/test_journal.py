"""A study's journal holds whole trials or none, and is written by the owner of its claim alone."""

from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from mtbench.errors import Busy, StoreError
from mtbench.search.journal import FILE, Journal, Outcome
from mtbench.search.planning import plan_search
from mtbench.search.proposals import Proposal
from mtbench.search.request import SearchRequest
from mtbench.store.claim import Claim

(PLAN,) = plan_search(
    SearchRequest(datasets=["toy-all"], methods=["td"], space={"lr": "1e-4..1:log", "gate": "choices"})
)
POINT = Proposal(point={"lr": 0.01, "gate": "tanh"}, marks={"x:generation": 3})


@pytest.fixture
def claim(tmp_path: Path) -> Iterator[Claim]:
    with Claim(tmp_path) as claim:
        yield claim


def journal(claim: Claim) -> Journal:
    return Journal(claim.folder, claim, name="id", axes=PLAN.axes, higher=[True])


def filled(claim: Claim) -> Journal:
    opened = journal(claim)
    opened.add(Proposal(point=None), {"lr": "5"})
    opened.add(POINT, {"lr": "0.01", "gate": "tanh"})
    opened.add(POINT, {"lr": "0.01", "gate": "tanh"})
    opened.tell(0, Outcome(values={"upper": 1.0, "lower": 3.0}, runs={"a/b": (2, 1.5)}), [2.0])
    opened.tell(1, Outcome(why="the loss became nan"), None)
    return opened


def test_what_is_put_down_is_found_again(claim: Claim) -> None:
    entries = filled(claim).entries()
    assert journal(claim).entries() == entries
    assert [(entry.number, entry.state) for entry in entries] == [(0, "done"), (1, "failed"), (2, "asked")]
    first, second, third = entries
    assert first.past.proposal.point is None
    assert first.past.values == [2.0]
    assert first.outcome == Outcome(values={"upper": 1.0, "lower": 3.0}, runs={"a/b": (2, 1.5)})
    assert second.outcome.why == "the loss became nan"
    assert third.past.proposal == POINT
    assert third.asked == {"lr": "0.01", "gate": "tanh"}


def test_a_trial_is_one_line(claim: Claim) -> None:
    opened = journal(claim)
    before = (claim.folder / FILE).read_bytes().count(b"\n")
    opened.add(POINT, {"lr": "0.01"})
    assert (claim.folder / FILE).read_bytes().count(b"\n") == before + 1


def test_optuna_reads_it(claim: Claim) -> None:
    filled(claim)
    storage = JournalStorage(JournalFileBackend(str(claim.folder / FILE)))
    study = optuna.load_study(study_name="id", storage=storage)
    assert study.best_value == 2.0
    assert [trial.params for trial in study.trials] == [{}, {"lr": 0.01, "gate": "tanh"}, {"lr": 0.01, "gate": "tanh"}]


def test_a_line_that_was_being_written_when_the_power_failed_is_cut_off(claim: Claim) -> None:
    entries = filled(claim).entries()
    path = claim.folder / FILE
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":4,"worker_id":"x","stud')
    opened = journal(claim)
    assert path.read_bytes() == whole
    opened.add(POINT, {"lr": "0.01"})
    assert journal(claim).entries()[:3] == entries


def test_who_has_lost_the_claim_cannot_write(claim: Claim) -> None:
    opened = filled(claim)
    before = (claim.folder / FILE).read_bytes()
    (claim.folder / "claim.2").write_text("{}")  # another process took the study over while this one slept
    with pytest.raises(Busy):
        opened.add(POINT, {})
    with pytest.raises(Busy):
        opened.tell(2, Outcome(why="late"), None)
    assert (claim.folder / FILE).read_bytes() == before


def test_a_journal_that_makes_no_sense_is_told(claim: Claim) -> None:
    (claim.folder / FILE).write_text("not a journal\nat all\n")
    with pytest.raises(StoreError, match=r"the journal .* cannot be read .*Delete its folder"):
        journal(claim)


@pytest.mark.parametrize("line", ["5", "[1, 2]", "{}", '"text"', '{"op_code": 99, "worker_id": "x"}', "\0\0\0"])
def test_a_line_that_is_not_the_journals_is_told(claim: Claim, line: str) -> None:
    filled(claim)
    lines = (claim.folder / FILE).read_text().splitlines()
    (claim.folder / FILE).write_text("\n".join([*lines[:3], line, *lines[4:]]) + "\n")
    with pytest.raises(StoreError, match=r"the journal .* cannot be read .*Delete its folder"):
        journal(claim)


@pytest.mark.parametrize("word", ["asked", "outcome", "marks"])
def test_a_trial_that_lacks_what_it_must_carry_is_told(claim: Claim, word: str) -> None:
    filled(claim)
    text = (claim.folder / FILE).read_text()
    (claim.folder / FILE).write_text(text.replace(f'"{word}"', '"lost"'))
    with pytest.raises(StoreError, match=rf"the journal .* cannot be read \(KeyError: '{word}'\)"):
        journal(claim)
