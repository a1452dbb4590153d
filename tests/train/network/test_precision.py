"""Training in bfloat16: the network alone computes in it."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mtbench import registry
from mtbench.contract import Retrieval, SharedRepresentation
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.cost.ledger import count_macs
from mtbench.train.outputs import outputs
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of


def assembled(method: str, dataset: str = "toy-all", precision: str = "bf16") -> Assembly:
    return assemble(spec_of(method, dataset, precision=precision), root=Path(), device=CPU)


@pytest.mark.parametrize(
    ("method", "dataset"),
    [
        *(("uniform", "toy-all"), ("moo", "toy-partial"), ("branches+pcgrad", "toy-all"), ("td", "toy-partial")),
        *(("chmod@resnet18:width=.1", "toy-all"), ("csn", "toy-retrieval"), ("single", "toy-maps")),
    ],
)
def test_losses_and_gradients_are_nearly_those_of_float32(method: str, dataset: str) -> None:
    found = []
    for precision in ("float32", "bf16"):
        parts = assembled(method, dataset, precision)
        split, network = parts.splits["train"], parts.network
        drawn = torch.arange(16) % len(parts.tasks) if network.one_task else None
        losses = parts.balancer.backward(network, split.batch(torch.arange(16), drawn))
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        assert {gradient.dtype for gradient in gradients} == {losses.totals.dtype} == {torch.float32}
        found.append((losses.totals.detach(), torch.cat([gradient.flatten() for gradient in gradients])))
    (here, one), (there, other) = found
    torch.testing.assert_close(here, there, rtol=0.02, atol=0.02)
    # .99, but of ResNet-18, which normalizes batches of maps of one pixel.
    assert nn.functional.cosine_similarity(one, other, 0) > 0.9
    assert not torch.equal(one, other)


NETWORKS = [name for name, entry in registry.entries("method").items() if entry.distribution == "mtbench"]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_takes_a_step_and_an_evaluation_whichever_form_it_has(name: str) -> None:
    retrieves = Retrieval in parse_method(name).network_class.kinds
    parts = assembled(name, "toy-retrieval" if retrieves else "toy-partial")
    drawn = torch.arange(24) % len(parts.tasks) if parts.network.one_task else None
    batch = parts.splits["train"].batch(torch.arange(24), drawn)
    losses = parts.balancer.backward(parts.network, batch)
    assert losses.totals.isfinite().all()
    for each in outputs(parts.network, parts.splits["test"]):
        assert all(output.isfinite().all() for output in each.outputs)


def test_convolutions_are_in_bfloat16_in_training_and_evaluation_and_outputs_in_float32() -> None:
    parts, seen = assembled("moo"), set[torch.dtype]()
    for module in parts.network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(lambda _, __, output: seen.add(output.dtype))
    batch = parts.splits["train"].batch(torch.arange(8))
    network = parts.network
    assert isinstance(network, SharedRepresentation)
    assert isinstance(batch.inputs, Tensor)
    z = network.encode(batch.inputs)
    for output in (z, *network.decode(z), *network.all_outputs(batch.inputs), network.losses(batch).means):
        assert output.dtype == torch.float32
    assert seen == {torch.bfloat16}


def test_a_run_in_bfloat16_learns_and_is_resumed_to_the_same_bits() -> None:
    spec = spec_of("td", "toy-partial", precision="bf16", epochs="3")
    keeper = Memory(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    whole, resumed = run(spec), run(spec, keeper)
    assert same(whole, resumed)
    losses = [point.train_losses["upper"] for point in whole.curve]
    assert losses[-1] < losses[0]
    assert {value.dtype for value in whole.model.values() if value.is_floating_point()} == {torch.float32}


def test_runs_of_each_precision_are_apart_and_the_default_is_as_before() -> None:
    specs = [spec_of("td", "toy-all"), spec_of("td", "toy-all", precision="float32")]
    lower = spec_of("td", "toy-all", precision="bf16")
    assert specs[0].id == specs[1].id != lower.id
    assert lower.titles.protocol == "paper, precision=bf16"


def test_multiply_accumulates_do_not_depend_on_the_precision() -> None:
    macs = []
    for precision in ("float32", "bf16"):
        parts = assembled("td", precision=precision)
        batch = parts.splits["train"].batch(torch.arange(1))
        macs.append(count_macs(parts.network.eval(), batch.inputs))
    assert macs[0] == macs[1]
