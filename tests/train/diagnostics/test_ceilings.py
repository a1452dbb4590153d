"""The ceiling of one embedding in a run's record, counted by hand from the places of the squares."""

from pathlib import Path

import pytest

from mtbench.plan.parse import parse_dataset
from mtbench.store.record import CEILING
from mtbench.train.assemble import assemble
from mtbench.train.diagnostics.ceilings import ceilings
from mtbench_toys.datasets import draw
from tests.train.runs import CPU, run, spec_of


def test_it_is_counted_over_the_test_triplets_and_kept_in_the_record() -> None:
    """Two images differ in 0, 1 or 2 places; triplets are won, drawn (one half) or lost by these numbers."""
    split = assemble(spec_of("fsn", "toy-retrieval"), root=Path(), device=CPU).splits["test"]
    assert split.members is not None
    places = draw("test")[1].tolist()
    points: dict[int, list[float]] = {0: [], 1: []}
    for (anchor, positive, negative), owner in zip(
        split.members.tolist(), split.defined.int().argmax(1).tolist(), strict=True
    ):
        near, far = (
            sum(a != b for a, b in zip(places[anchor], places[other], strict=True)) for other in (positive, negative)
        )
        points[owner].append(1.0 if near < far else 0.5 if near == far else 0.0)
    expected = [100 * sum(worth) / len(worth) for worth in points.values()]
    everything = run(spec_of("fsn", "toy-retrieval", epochs="1")).measurements
    measured = {name: each for name, each in everything.items() if name.startswith(CEILING)}
    assert list(measured) == [CEILING + name for name in ("upper", "lower")]
    assert [each.value for each in measured.values()] == pytest.approx(expected)
    assert {each.unit for each in measured.values()} == {"%"}


@pytest.mark.parametrize("toy", ["toy-all", "toy-triplets"])
def test_there_is_none_where_classes_of_images_are_not_known(toy: str) -> None:
    split = assemble(spec_of("branches", toy), root=Path(), device=CPU).splits["test"]
    assert ceilings(parse_dataset(toy).tasks(), split) == {}
