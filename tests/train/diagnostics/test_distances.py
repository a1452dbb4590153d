"""Distances of modulation vectors in a run's record, taken from its weights by hand."""

from pathlib import Path

import pytest
import torch

from mtbench.contract import Network
from mtbench.store.record import DISTANCE
from mtbench.train.assemble import assemble
from mtbench.train.diagnostics import distances as module
from mtbench.train.diagnostics.distances import distances
from tests.train.runs import CPU, run, spec_of


def built(method: str, toy: str = "toy-retrieval") -> Network:
    return assemble(spec_of(method, toy), root=Path(), device=CPU).network


def test_it_is_the_mean_of_absolute_differences_over_all_vectors() -> None:
    trained = run(spec_of("chmod:first=4@retrieval:width=.1:embedding=8", "toy-retrieval", epochs="1"))
    vectors = [value for name, value in trained.model.items() if name.startswith("modulation.")]
    differences = [abs(a - b) for one, other in vectors for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    assert len(vectors) == 3  # block4, block5 and the embedding
    assert sum(differences) > 0
    found = {name: each for name, each in trained.measurements.items() if name.startswith(DISTANCE)}
    assert list(found) == [f"{DISTANCE}upper/lower"]
    (each,) = found.values()
    assert each.value == pytest.approx(sum(differences) / len(differences))
    assert each.unit == ""


def test_tasks_that_modulate_alike_are_at_0_and_the_sign_of_a_difference_does_not_count() -> None:
    network = built("chmod")
    assert [each.value for each in distances(network).values()] == [0.0]
    with torch.no_grad():
        for value in network.parameters():
            if value.shape[0] == 2 and value.dim() == 2:
                value[1, ::2] -= 0.25
                value[1, 1::2] += 0.25
    assert [each.value for each in distances(network).values()] == pytest.approx([0.25])


@pytest.mark.parametrize("method", ["fsn", "ib", "single", "td"])
def test_networks_without_such_vectors_have_none(method: str) -> None:
    assert distances(built(method)) == {}


def test_a_part_without_parameters_gives_none() -> None:
    network = built("chmod")
    network.modulated_by = "elsewhere"  # type: ignore[misc]
    assert distances(network) == {}


def test_of_too_many_tasks_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    assert distances(built("chmod")) == {}
