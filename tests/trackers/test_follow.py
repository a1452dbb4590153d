"""Following of runs, in this process."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from mtbench.store.record import CurvePoint, render_record
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.trackers import follow
from mtbench.trackers.follow import LOCK, Follower
from mtbench.trackers.tracker import TrackedRun, Tracker
from tests.builders.records import accuracies, record_of
from tests.trackers.tracked import point, spec_of, write_curve


class Remembers(Tracker):
    """Remembers what it was sent, and raises where it is asked to."""

    def __init__(self, place: Path, raises: Callable[[TrackedRun, int], bool] = lambda *_: False) -> None:
        super().__init__(place)
        self.sent: list[tuple[str, int, dict[str, float]]] = []
        self.ends: list[tuple[str, str]] = []
        self.raises = raises

    def held(self, run: TrackedRun) -> int:
        return max((epoch for key, epoch, _ in self.sent if key == run.key), default=0)

    def log(self, run: TrackedRun, points: Mapping[int, Mapping[str, float]]) -> None:
        for epoch, values in points.items():
            if self.raises(run, epoch):
                raise OSError(f"nobody listens at epoch {epoch}")
            self.sent.append((run.key, epoch, dict(values)))

    def finish(self, run: TrackedRun, how: str) -> None:
        self.ends.append((run.key, how))

    @property
    def epochs(self) -> list[int]:
        return [epoch for _, epoch, _ in self.sent]


@pytest.fixture
def notes() -> list[str]:
    return []


def publish(folder: Path, points: Sequence[CurvePoint]) -> None:
    record = record_of(spec_of(), accuracies("left"), {}, curve=tuple(points))
    (folder / "record.json").write_text(render_record(record))


def test_each_point_of_a_curve_that_grows_is_sent_once_and_its_end(tmp_path: Path, notes: list[str]) -> None:
    tracker, points = Remembers(tmp_path / "place"), [point(epoch) for epoch in (1, 2, 3, 4)]
    follower = Follower(tracker, notes.append)
    follower.add([tmp_path / spec_of().folder])
    assert follower.look()
    assert tracker.sent == []
    for until in (2, 3, 3, 4):
        folder = write_curve(tmp_path, spec_of(), points[:until])
        follower.add([folder])
        assert follower.look()
        assert tracker.epochs == [1, 2, 3, 4][:until]
    assert [values["test/left/accuracy"] for _, _, values in tracker.sent] == [51, 52, 53, 54]
    assert tracker.ends == []
    publish(folder, points)
    assert follower.look()
    follower.finish()
    assert [how for _, how in tracker.ends] == ["done"]
    assert len(tracker.sent) == 4
    assert notes == []


def test_a_run_without_a_record_has_failed_or_was_stopped_unless_it_goes_on(tmp_path: Path, notes: list[str]) -> None:
    tracker = Remembers(tmp_path / "place")
    follower = Follower(tracker, notes.append)
    failed, stopped, other = (write_curve(tmp_path, spec_of(seed), [point(1)]) for seed in (0, 1, 2))
    RunFolder(failed).write_failure(kind="exception", message="broken")
    follower.add([failed, stopped, other])
    with Lease(other):
        assert follower.look()
        follower.finish()
    assert [(key[:12], how) for key, how in tracker.ends] == [(spec_of(0).id, "failed"), (spec_of(1).id, "stopped")]


def test_a_run_that_was_retrained_is_sent_as_another(tmp_path: Path, notes: list[str]) -> None:
    tracker = Remembers(tmp_path / "place")
    follower = Follower(tracker, notes.append)
    follower.add([write_curve(tmp_path, spec_of(), [point(1), point(2), point(3)])])
    assert follower.look()
    write_curve(tmp_path, spec_of(), [point(1, loss=0.3)])
    assert follower.look()
    assert tracker.epochs == [1, 2, 3, 1]
    assert len({key for key, _, _ in tracker.sent}) == 2


def test_what_a_tracker_raised_for_is_sent_later_and_holds_up_no_other_run(
    tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LONGEST", 0.0)
    is_out = True
    first, second = spec_of(0), spec_of(1)
    tracker = Remembers(tmp_path / "place", lambda run, epoch: is_out and run.key.startswith(first.id) and epoch == 2)
    follower = Follower(tracker, notes.append)
    follower.add(write_curve(tmp_path, spec, [point(1), point(2), point(3)]) for spec in (first, second))
    assert not follower.look()
    assert not follower.look()
    assert [(key[:12], epoch) for key, epoch, _ in tracker.sent] == [
        *((first.id, 1), (second.id, 1), (second.id, 2), (second.id, 3))
    ]
    assert follower.left == 1
    assert notes == ["OSError: nobody listens at epoch 2"]
    assert not follower.look_until_sent()
    is_out = False
    assert follower.look_until_sent()
    assert [epoch for key, epoch, _ in tracker.sent if key.startswith(first.id)] == [1, 2, 3]
    assert follower.left == 0


def test_nothing_is_sent_while_another_process_sends_to_the_same_place(tmp_path: Path, notes: list[str]) -> None:
    tracker = Remembers(tmp_path / "place")
    follower = Follower(tracker, notes.append)
    follower.add([write_curve(tmp_path, spec_of(), [point(1)])])
    (tracker.place / LOCK).mkdir(parents=True)
    with Lease(tracker.place / LOCK):
        assert not follower.look()
        assert tracker.sent == []
    assert follower.look_until_sent()
    assert tracker.epochs == [1]
    assert notes == []


def test_nothing_is_sent_to_a_disk_that_is_nearly_full(
    tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "RESERVE", 1 << 62)
    monkeypatch.setattr(follow, "PART", 1)  # all of the disk has to be free
    tracker = Remembers(tmp_path / "place")
    follower = Follower(tracker, notes.append)
    follower.add([write_curve(tmp_path, spec_of(), [point(1)])])
    assert not follower.look()
    assert tracker.sent == []
    (note,) = notes
    assert note.startswith(f"the disk of {tmp_path} has only ")


def test_a_curve_that_cannot_be_read_is_left_out_and_named(tmp_path: Path, notes: list[str]) -> None:
    tracker = Remembers(tmp_path / "place")
    follower = Follower(tracker, notes.append)
    torn, odd, good = (write_curve(tmp_path, spec_of(seed), [point(1)]) for seed in (0, 1, 2))
    (torn / "curve.jsonl").write_text('{"epoch": 1')
    (odd / "curve.jsonl").write_text('{"epoch": "first"}\n')
    follower.add([torn, odd, good])
    assert follower.look()
    assert [key[:12] for key, _, _ in tracker.sent] == [spec_of(2).id]
    assert [note.partition(" cannot be read")[0] for note in notes] == [f"the curve in {torn}", f"the curve in {odd}"]


def test_the_curve_in_a_record_counts_where_its_file_is_gone(tmp_path: Path, notes: list[str]) -> None:
    tracker, points = Remembers(tmp_path / "place"), [point(1), point(2)]
    folder = write_curve(tmp_path, spec_of(), points)
    follower = Follower(tracker, notes.append)
    follower.add([folder])
    assert follower.look()
    publish(folder, [*points, point(3)])
    (folder / "curve.jsonl").unlink()
    assert follower.look()
    assert tracker.epochs == [1, 2, 3]
    assert len({key for key, _, _ in tracker.sent}) == 1
