from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mtbench.plan.counting import count_macs
from mtbench.store.record import TRAINING_MACS
from mtbench.train.assemble import assemble
from mtbench.train.batches.ahead import placed
from mtbench.train.cost.passes import count_training_macs
from mtbench.train.phases import phases
from tests.train.runs import run, spec_of


@pytest.mark.parametrize(
    ("method", "dataset", "settings"),
    [
        ("uniform", "toy-all", {}),
        ("uniform", "toy-all", {"tasks_per_image": "one"}),
        ("single", "toy-all", {}),
        ("single", "toy-triplets", {}),
        ("uniform", "toy-triplets", {}),
        ("film", "toy-triplets", {}),
        ("progressive", "toy-all", {}),
        ("mtan", "toy-all", {}),
        ("td", "toy-all", {}),
        ("td", "toy-all", {"tasks_per_image": "all"}),
        ("chmod", "toy-all", {}),
        ("chmod", "toy-all", {"tasks_per_image": "all"}),
    ],
)
def test_operations_of_training_are_those_that_torch_counts(
    method: str, dataset: str, settings: dict[str, str]
) -> None:
    spec = spec_of(method, dataset, 0, epochs="1", **settings)
    made = assemble(spec, root=Path(), device=torch.device("cpu"))
    (phase,) = phases(made, spec.protocol)
    one_task = spec.protocol.draws_one_task(native=made.network.one_task)
    visits = phase.visits(made.tasks, seed=0, epoch=0, one_task=one_task)
    batch = made.splits["train"].batch(*placed(visits.batches(8), phase.defined, torch.device("cpu"))[0])
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        made.network.losses(batch)
    one = made.splits["train"].first(1).batch(torch.zeros(1, dtype=torch.long))
    passes = len(batch.rows) * batch.inputs_per_example * made.network.passes(batch)
    found = count_training_macs(
        made.network.train(), spec.protocol, macs=count_macs(made.network, one.inputs), one=one, passes=passes
    )
    assert found == pytest.approx(counter.get_total_flops() / 2)


def test_a_record_has_the_operations_of_its_training() -> None:
    trained = run(spec_of("uniform", "toy-all", epochs="2"))
    cost = trained.cost
    assert trained.measurements[TRAINING_MACS].value == cost.forward_passes * cost.macs_per_input > 0
