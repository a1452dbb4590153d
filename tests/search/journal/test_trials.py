"""A study's journal holds whole trials or none, and is written by the owner of its lease alone."""

from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from mtbench.errors import Busy, StoreError
from mtbench.search.journal.trials import FILE, Journal, Outcome
from mtbench.search.planning import plan_search
from mtbench.search.proposals import Proposal
from mtbench.search.request import SearchRequest
from mtbench.store.run.lease import Lease

(PLAN,) = plan_search(
    SearchRequest(datasets=["toy-all"], methods=["td"], space={"lr": "1e-4..1:log", "gate": "choices"})
)
POINT = Proposal(point={"lr": 0.01, "gate": "tanh"}, marks={"x:generation": 3})


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Lease]:
    with Lease(tmp_path) as lease:
        yield lease


def journal(lease: Lease) -> Journal:
    return Journal(lease.folder, lease, name="id", axes=PLAN.axes, higher=[True], size=4)


def filled(lease: Lease) -> Journal:
    opened = journal(lease)
    opened.add(Proposal(point=None), {"lr": "5"})
    opened.add(POINT, {"lr": "0.01", "gate": "tanh"})
    opened.add(POINT, {"lr": "0.01", "gate": "tanh"})
    opened.tell(0, Outcome(values={"upper": 1.0, "lower": 3.0}, runs={"a/b": (2, 1.5)}), [2.0])
    opened.tell(1, Outcome(why="the loss became nan"), None)
    return opened


def test_what_is_put_down_is_found_again(lease: Lease) -> None:
    entries = filled(lease).entries()
    assert journal(lease).entries() == entries
    assert [(entry.number, entry.state) for entry in entries] == [(0, "done"), (1, "failed"), (2, "asked")]
    first, second, third = entries
    assert first.past.proposal.point is None
    assert first.past.values == [2.0]
    assert first.outcome == Outcome(values={"upper": 1.0, "lower": 3.0}, runs={"a/b": (2, 1.5)})
    assert second.outcome.why == "the loss became nan"
    assert third.past.proposal == POINT
    assert third.asked == {"lr": "0.01", "gate": "tanh"}


def test_a_trial_is_one_line(lease: Lease) -> None:
    opened = journal(lease)
    before = (lease.folder / FILE).read_bytes().count(b"\n")
    opened.add(POINT, {"lr": "0.01"})
    assert (lease.folder / FILE).read_bytes().count(b"\n") == before + 1


def test_optuna_reads_it(lease: Lease) -> None:
    filled(lease)
    storage = JournalStorage(JournalFileBackend(str(lease.folder / FILE)))
    study = optuna.load_study(study_name="id", storage=storage)
    assert study.best_value == 2.0
    assert [trial.params for trial in study.trials] == [{}, {"lr": 0.01, "gate": "tanh"}, {"lr": 0.01, "gate": "tanh"}]


def test_a_line_that_was_being_written_when_the_power_failed_is_cut_off(lease: Lease) -> None:
    entries = filled(lease).entries()
    path = lease.folder / FILE
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":4,"worker_id":"x","stud')
    opened = journal(lease)
    assert path.read_bytes() == whole
    opened.add(POINT, {"lr": "0.01"})
    assert journal(lease).entries()[:3] == entries


def test_who_has_lost_the_lease_cannot_write(lease: Lease) -> None:
    opened = filled(lease)
    before = (lease.folder / FILE).read_bytes()
    (lease.folder / "claim.2").write_text("{}")  # another process took the study over while this one slept
    with pytest.raises(Busy):
        opened.add(POINT, {})
    with pytest.raises(Busy):
        opened.tell(2, Outcome(why="late"), None)
    assert (lease.folder / FILE).read_bytes() == before


def test_a_journal_that_makes_no_sense_is_told(lease: Lease) -> None:
    (lease.folder / FILE).write_text("not a journal\nat all\n")
    with pytest.raises(StoreError, match=r"the journal .* cannot be read .*Delete its folder"):
        journal(lease)


@pytest.mark.parametrize("line", ["5", "[1, 2]", "{}", '"text"', '{"op_code": 99, "worker_id": "x"}', "\0\0\0"])
def test_a_line_that_is_not_the_journals_is_told(lease: Lease, line: str) -> None:
    filled(lease)
    lines = (lease.folder / FILE).read_text().splitlines()
    (lease.folder / FILE).write_text("\n".join([*lines[:3], line, *lines[4:]]) + "\n")
    with pytest.raises(StoreError, match=r"the journal .* cannot be read .*Delete its folder"):
        journal(lease)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("asked", "line 5: trial 0 lacks something or has another type, KeyError: 'asked'"),
        ("marks", "line 5: trial 0 lacks something or has another type, KeyError: 'marks'"),
        ("outcome", "line 5: trial 0 has something else than an outcome"),
    ],
)
def test_a_trial_that_lacks_what_it_must_carry_is_told(lease: Lease, word: str, why: str) -> None:
    filled(lease)
    text = (lease.folder / FILE).read_text()
    (lease.folder / FILE).write_text(text.replace(f'"{word}"', '"lost"'))
    with pytest.raises(StoreError, match=rf"the journal .* cannot be read \({why}\)"):
        journal(lease)
