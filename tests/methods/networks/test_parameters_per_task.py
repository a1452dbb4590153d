"""Networks with parameters of each task throughout: cross-stitch, MMoE, MTAN, PLE, progressive."""

from pathlib import Path

import pytest
import torch

from mtbench.contract import Network
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import Assembly, assemble
from tests.builders.networks import network_of

NETWORKS = ["cross-stitch", "mmoe", "mtan", "ple", "progressive"]


def assembled(method: str, toy: str) -> Assembly:
    spec = plan(Request(methods=[method], datasets=[toy], settings={}, seeds=[0]))[0]
    return assemble(spec, root=Path(), device=torch.device("cpu"))


@pytest.mark.parametrize("toy", ["toy-all", "toy-partial", "toy-numbers", "toy-maps", "toy-triplets"])
@pytest.mark.parametrize("method", [*NETWORKS, "cross-stitch:units=layer", "mmoe:experts=3", "ple:shared=2"])
def test_it_learns_what_the_toys_ask(method: str, toy: str) -> None:
    run = assembled(method, toy)
    batch = run.splits["train"].batch(torch.arange(24))
    optimizer = torch.optim.Adam(run.network.parameters(), lr=1e-2)
    totals = []
    for _ in range(12):
        optimizer.zero_grad()
        totals.append(float(run.balancer.backward(run.network, batch).means.sum().detach()))
        optimizer.step()
    assert min(totals) < 0.9 * totals[0]  # it rises now and then once it is near 0


@pytest.mark.parametrize("toy", ["toy-partial", "toy-maps", "toy-triplets"])
@pytest.mark.parametrize("method", ["cross-stitch", "mmoe", "mtan", "ple", "ple:levels=1:specific=0"])
def test_its_gradients_can_be_combined(method: str, toy: str) -> None:
    run = assembled(f"{method}+mgda", toy)
    run.balancer.backward(run.network, run.splits["train"].batch(torch.arange(24)))
    assert run.network.shared_parameters()
    for parameter in run.network.shared_parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


@pytest.mark.parametrize("tasks", [1, 2, 9])
@pytest.mark.parametrize("side", [16, 50])
@pytest.mark.parametrize("backbone", ["vgg11:width=.03", "resnet18:width=.06"])
@pytest.mark.parametrize("method", NETWORKS)
def test_it_trains_on_deeper_backbones_even_one_image(method: str, backbone: str, side: int, tasks: int) -> None:
    network = network_of(Network, method, backbone, tasks, shape=(3, side, side))  # type: ignore[type-abstract]
    for images in (torch.randn(3, 3, side, side), torch.randn(1, 3, side, side)):
        network.zero_grad()
        outputs = network.all_outputs(images)
        assert [tuple(output.shape) for output in outputs] == [(len(images), 10)] * tasks
        torch.stack(outputs).square().sum().backward()  # type: ignore[no-untyped-call]
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
    network.eval()
    for index, output in enumerate(network.all_outputs(images)):
        assert torch.allclose(network.task_output(images, index), output, atol=1e-5)
