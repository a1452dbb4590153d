"""Task weights that rows of suites take from runs: their mean, sealed, packed, and compared with present records."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.errors import DamagedRecord, NewerResults, StoreError, UsageError
from mtbench.store.pack.contents import collect, unite
from mtbench.store.record import Record, WeightRange
from mtbench.store.record.sealed import seal
from mtbench.store.status import RunStatus
from mtbench.store.suites.resolutions import (
    mean_weights,
    moved_rows,
    read_resolution,
    read_resolutions,
    resolution_path,
    write_resolution,
)
from mtbench.store.upkeep.inventory import take_inventory
from mtbench.store.upkeep.verify import verify
from tests.builders.resolutions import TAKEN
from tests.report.records import finished


def weighted(points: Sequence[tuple[int, float, float]], seed: int = 0) -> RunStatus:
    """Return a finished run with these points of its curve: steps, and the weights of both tasks."""
    run = finished("branches+nash-mtl", seed)
    assert run.record is not None
    curve = tuple(
        replace(
            run.record.curve[place],
            epoch=place + 1,
            steps=steps,
            weights={
                name: WeightRange(mean=mean, low=mean, high=mean) for name, mean in (("LU", first), ("RL", second))
            },
        )
        for place, (steps, first, second) in enumerate(points)
    )
    return replace(run, record=replace(run.record, curve=curve))


def record(points: Sequence[tuple[int, float, float]], seed: int = 0) -> Record:
    found = weighted(points, seed).record
    assert found is not None
    return found


def test_the_mean_is_over_steps_then_over_runs_of_weights_with_the_sum_one() -> None:
    # Of 30 steps 10 have 1/4 and 3/4, and 20 have 1/2 and 1/2: (10 / 4 + 20 / 2) / 30 = 5 / 12. The other run has 1/5.
    first = record([(10, 0.25, 0.75), (30, 0.5, 0.5)])
    second = record([(10, 0.2, 0.8), (20, 0.2, 0.8)], 1)
    assert mean_weights([first]) == (0.416667, 0.583333)
    assert mean_weights([first, second]) == pytest.approx(((5 / 12 + 1 / 5) / 2, (7 / 12 + 4 / 5) / 2), abs=1e-6)


def test_an_epoch_with_long_gradients_counts_as_any_other() -> None:
    assert mean_weights([record([(10, 1.0, 3.0), (20, 300.0, 100.0)])]) == (0.5, 0.5)


def test_weights_are_rounded_so_that_they_can_be_read() -> None:
    assert mean_weights([record([(10, 1.0, 2.0)])]) == (0.333333, 0.666667)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([(10, -0.5, 1.5)], "weights below 0"),
        ([(10, 0.0, 0.0)], "has no task weights with a sum above 0 up to epoch 1"),
        ([(10, 0.5, 0.5), (20, float("nan"), 0.5)], "up to epoch 2"),
        ([], "has no curve with task weights"),
    ],
)
def test_weights_without_a_mean_are_refused(points: list[tuple[int, float, float]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        mean_weights([record(points)])


def test_runs_whose_balancer_has_no_weights_are_refused_by_name() -> None:
    run = finished("branches+graddrop", 3)
    assert run.record is not None
    with pytest.raises(UsageError, match=r"branches\+graddrop on mmnist2, seed 3, has no task weights"):
        mean_weights([run.record])


def test_weights_are_sealed_once_and_never_change(tmp_path: Path) -> None:
    written = write_resolution(tmp_path, TAKEN)
    assert replace(written, at="") == TAKEN
    assert written.at.endswith("+00:00")
    assert write_resolution(tmp_path, replace(TAKEN, weights=(0.5, 0.5))) == written
    assert read_resolutions([tmp_path]) == [written]


def test_rows_sizes_and_variations_have_files_of_their_own(tmp_path: Path) -> None:
    others = [
        replace(TAKEN, method="branches+fixed:from=dwa"),
        replace(TAKEN, size="quick"),
        replace(TAKEN, variation=()),
        replace(TAKEN, dataset="mmnist3"),
    ]
    for each in (TAKEN, *others):
        write_resolution(tmp_path, each)
    assert len(read_resolutions([tmp_path])) == 5


def test_weights_that_were_edited_are_refused_and_cost_a_reader_themselves_alone(tmp_path: Path) -> None:
    write_resolution(tmp_path, TAKEN)
    other = write_resolution(tmp_path, replace(TAKEN, size="quick"))
    path = resolution_path(tmp_path, TAKEN)
    path.write_text(path.read_text().replace("0.75", "0.76"))
    with pytest.raises(DamagedRecord, match=r"the resolution .* is damaged: its checksum is"):
        read_resolutions([tmp_path])
    unread: list[str] = []
    assert read_resolutions([tmp_path], unread) == [other]
    assert len(unread) == 1
    assert [finding.path for finding in verify(tmp_path).findings] == [path]


@pytest.mark.parametrize("body", [{"format": 1}, {"format": 1, "suite": "mine", "weights": "equal"}])
def test_what_is_no_resolution_is_refused(tmp_path: Path, body: dict[str, object]) -> None:
    path = tmp_path / "mine.json"
    path.write_text(seal("resolution", body))
    with pytest.raises(DamagedRecord, match="it is not a resolution"):
        read_resolution(path)
    path.write_text(json.dumps({"resolution": {"format": 2}, "sha256": ""}))
    with pytest.raises(NewerResults, match="has format 2"):
        read_resolution(path)


def test_weights_belong_to_their_folder_and_to_packs_and_unlike_ones_are_not_united(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_resolution(one, TAKEN)
    path = resolution_path(other, TAKEN)
    name = path.relative_to(other).as_posix()
    assert name in take_inventory(one).shared
    assert not take_inventory(one).foreign
    write_resolution(other, TAKEN)
    parts = [collect(folder, weights=False) for folder in (one, other)]
    assert name in unite(parts).members
    path.unlink()
    write_resolution(other, replace(TAKEN, weights=(0.5, 0.5)))
    said = r"branches\+fixed:from=nash-mtl on mmnist2 of suite 'mine', size quick, epochs=2, has different weights"
    with pytest.raises(StoreError, match=said + r".*: 0\.25/0\.75 in .*, and 0\.5/0\.5 in "):
        unite([collect(folder, weights=False) for folder in (one, other)])
    with pytest.raises(StoreError, match=said):
        read_resolutions([one, other])


def test_runs_that_have_changed_since_are_found_where_all_have_a_record() -> None:
    runs = [weighted([(10, 1.0, 3.0)], seed) for seed in (0, 1)]
    taken = replace(TAKEN, runs=tuple(run.spec.id for run in runs))
    assert moved_rows([taken], runs) == set()
    changed = [runs[0], weighted([(10, 1.0, 1.0)], 1)]
    assert moved_rows([taken], changed) == {taken.row}
    assert moved_rows([taken], changed[1:]) == set()
