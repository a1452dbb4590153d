"""Every network and every balancer works on maps, on the backbones that ship for dense tasks."""

import copy
from functools import cache
from pathlib import Path

import pytest
import torch

from mtbench import registry
from mtbench.contract import Backbone, Balancer, Batch, Network, SharedRepresentation
from mtbench.contract.options import parse_options
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.outputs import BATCH, MAP_VALUES, VALUES, batch_size
from tests.train.runs import CPU, spec_of

TOY = "toy-surfaces"
BACKBONES = ("deeplab:depth=18:width=.05:channels=4:rates=1/2", "segnet:width=.05")
NETWORKS = [
    name
    for name, entry in registry.entries("method").items()
    if entry.distribution == "mtbench"
    and issubclass(plugin := registry.load("method", name), Network)
    and not plugin.kinds
]
BALANCERS = [name for name, entry in registry.entries("balancer").items() if entry.distribution == "mtbench"]


@cache
def assembled(method: str) -> Assembly:
    return assemble(spec_of(method, TOY), root=Path(), device=CPU)


def batch_of(run: Assembly, count: int = 6) -> Batch:
    rows = torch.arange(count)
    return run.splits["train"].batch(rows, rows % len(run.tasks) if run.network.one_task else None)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_answers_every_pixel_and_learns_from_every_task(network: str, backbone: str) -> None:
    run = assembled(f"{network}@{backbone}")
    batch = batch_of(run)
    losses = run.balancer.backward(run.network, batch)
    assert losses.present_mask.all()
    for name, parameter in run.network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    run.network.zero_grad()
    run.network.eval()
    with torch.no_grad():
        outputs = run.network.all_outputs(batch.inputs)
        for index, (task, output) in enumerate(zip(run.tasks, outputs, strict=True)):
            assert output.shape == (6, task.kind.output_size, 28, 28)
            alone = run.network.task_output(batch.inputs, index)
            torch.testing.assert_close(alone, output, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("balancer", BALANCERS)
def test_every_balancer_balances_maps(balancer: str, backbone: str) -> None:
    run = assembled(f"branches@{backbone}")
    network = copy.deepcopy(run.network).train()
    plugin = registry.load("balancer", balancer)
    assert issubclass(plugin, Balancer)
    example = plugin.conformance.example(run.tasks)
    made = plugin(parse_options(plugin.Options, example, owner=balancer), run.tasks)
    for _ in range(2):  # some begin with the second step
        network.zero_grad()
        made.zero_grad()
        made.backward(network, batch_of(run))
        made.after_step(network, batch_of(run))
    assert isinstance(network, SharedRepresentation)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert all(parameter.grad.any() for parameter in network.shared_parameters() if parameter.dim() > 1)  # type: ignore[union-attr]


def test_all_methods_are_planned_but_those_for_embeddings() -> None:
    said: list[str] = []
    request = Request(methods=["all"], datasets=[TOY], settings={}, seeds=[0], backbone=BACKBONES[0])
    specs = [spec for spec in plan(request, left_out=said.append) if "toy-" not in spec.titles.method]
    assert sorted({spec.network.name for spec in specs}) == sorted(NETWORKS)
    on_branches = {spec.balancer.name for spec in specs if spec.network.name == "branches"}
    assert sorted(on_branches | {"fixed"}) == sorted(BALANCERS)  # whose weights have to be given
    ours = [sentence for sentence in said if "'toy-" not in sentence.partition(" is left out")[0]]
    reasons = {sentence.partition("'")[2].partition("@")[0]: sentence.partition(": ")[2] for sentence in ours}
    assert reasons.keys() == {"fsn", "ib", "csn", "only-mask", "branches+fixed"}
    assert reasons.pop("branches+fixed").startswith("option 'weights' of balancer 'fixed' is ''")
    for name, reason in reasons.items():
        assert reason == (
            f"method '{name}' is for tasks of kind Retrieval, and task 'class' of dataset '{TOY}' is of kind "
            "Segmentation."
        )


@pytest.mark.parametrize("method", ["branches+mgda-ub", "branches+imtl-ub", "branches+aligned-mtl-ub"])
def test_balancers_of_the_representation_meet_the_tasks_in_one_map(method: str) -> None:
    """With a rule that sums gradients, the gradient of the encoder is that of the summed losses."""
    run = assembled(f"branches@{BACKBONES[0]}")
    balancer = parse_method(method).balancer_class
    network = copy.deepcopy(run.network).eval()  # nothing is dropped, so that both see the same
    assert isinstance(network, SharedRepresentation)
    batch = batch_of(run)
    z = network.encode(batch.inputs)
    assert z.shape == (6, 26, 4, 4)
    made = balancer(balancer.Options(), run.tasks)
    losses = made.backward(network, batch)
    found = [parameter.grad for parameter in network.shared_parameters()]
    network.zero_grad()
    assert losses.weights is not None
    (losses.weights.detach() * network.losses(batch).means).sum().backward()  # type: ignore[no-untyped-call]
    for ours, parameter in zip(found, network.shared_parameters(), strict=True):
        assert ours is not None
        torch.testing.assert_close(ours, parameter.grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_as_many_maps_are_evaluated_at_a_time_as_the_bounds_allow(backbone: str) -> None:
    run = assembled(f"branches@{backbone}")
    (module,) = [module for module in run.network.modules() if isinstance(module, Backbone)]
    split = run.splits["test"]
    numbers = 28 * 28 * (1 + 3 + 1 + 3)  # the image; three classes, a depth and a normal of each pixel
    assert batch_size(run.network, split) == min(BATCH, VALUES // numbers, MAP_VALUES // module.largest_map)
    sizes: list[int] = []
    hooks = [
        part.register_forward_hook(lambda _, __, output: sizes.append(output.numel()))
        for part in run.network.modules()
        if part is not run.network
    ]
    run.network.eval()
    with torch.no_grad():
        run.network.all_outputs(split.batch(torch.arange(1)).inputs)
    for hook in hooks:
        hook.remove()
    outputs = 28 * 28 * 3
    assert max(sizes) <= max(module.largest_map, outputs)
