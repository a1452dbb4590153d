from pathlib import Path

import pytest
import torch
from torch import nn

from mtbench.backbones.mlp import Mlp, MlpOptions
from mtbench.contract import Batch
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import assemble


def numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_it_has_the_papers_layers() -> None:
    """GradNorm, section 4: 250 inputs, 4 layers of 100 relus as a common backbone, an affine layer to 100 outputs."""
    backbone = Mlp(MlpOptions(), (250, 1, 1))
    assert [numbers(stage) for stage in backbone.levels()] == [250 * 100 + 100] + 3 * [100 * 100 + 100]
    assert numbers(backbone) == 55_400
    assert numbers(backbone.head(100)) == 100 * 100 + 100
    assert backbone.features == 100


@pytest.mark.parametrize("shape", [(250, 1, 1), (1, 28, 28), (3, 5, 7)])
def test_a_stage_is_a_fully_connected_layer_on_the_flattened_input(shape: tuple[int, ...]) -> None:
    backbone = Mlp(MlpOptions(width=6, depth=3), shape)
    inputs = torch.randn(4, *shape)
    x = inputs.flatten(1)
    for stage in backbone.levels():
        assert isinstance(stage.pre, nn.Conv2d)
        x = nn.functional.linear(x, stage.pre.weight.flatten(1), stage.pre.bias).relu()
    assert torch.allclose(backbone(inputs), x, atol=1e-5)
    assert x.shape == (4, 6)


def test_its_initial_weights_are_those_of_linear_layers() -> None:
    """torch draws both evenly within 1 / sqrt(fan in)."""
    first = Mlp(MlpOptions(), (4, 5, 5)).levels()[0].pre.weight
    assert isinstance(first, torch.Tensor)
    assert first.abs().max().item() == pytest.approx(0.1, rel=1e-2)
    assert first.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.05)


def test_width_and_depth_are_as_asked() -> None:
    backbone = Mlp(MlpOptions(width=7, depth=2), (1, 28, 28))
    assert [(shape.pre, shape.post) for shape in backbone.shapes] == [((7, 1, 1), (7, 1, 1))] * 2
    assert list(backbone.stages) == ["fc1", "fc2"]


@pytest.mark.parametrize("dataset", ["toy-all", "toy-regression"])
@pytest.mark.parametrize("method", ["td", "chmod", "uniform", "single"])
def test_networks_train_every_parameter_on_it(method: str, dataset: str) -> None:
    request = Request(methods=[f"{method}@mlp:width=20"], datasets=[dataset], settings={"images": "64"}, seeds=[0])
    run = assemble(plan(request)[0], root=Path(), device=torch.device("cpu"))
    batch: Batch = run.splits["train"].batch(torch.arange(64), torch.arange(64) % 2 if run.network.one_task else None)
    run.balancer.backward(run.network, batch)
    idle = [
        name
        for name, value in run.network.named_parameters()
        if value.grad is None or not value.grad.isfinite().all() or not value.grad.any()
    ]
    assert idle == []
