from pathlib import Path

import pytest
import torch
from torch import nn

from mtbench.backbones.lenet import LeNet, LeNetOptions
from mtbench.conformance import examine
from mtbench.contract import Setup
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_backbone

SHAPE = (1, 28, 28)


def build(dropout: float) -> LeNet:
    options = LeNetOptions(dropout=dropout)
    setup = Setup(tasks=(), backbone_class=LeNet, backbone_options=options, input_shape=SHAPE, seed=0)
    backbone = setup.build_backbone()
    assert isinstance(backbone, LeNet)
    return backbone


def test_dropout_changes_no_parameter_and_nothing_in_evaluation() -> None:
    plain, dropped = (build(dropout).eval() for dropout in (0.0, 0.5))
    assert {name: value.tolist() for name, value in plain.state_dict().items()} == {
        name: value.tolist() for name, value in dropped.state_dict().items()
    }
    images = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(plain(images), dropped(images))
    heads = []
    for backbone in (plain, dropped):
        torch.manual_seed(0)
        heads.append(backbone.head(10).eval())
    assert torch.equal(heads[0](plain(images)), heads[1](plain(images)))


def test_without_dropout_there_is_no_module_for_it() -> None:
    modules = [*build(0.0).modules(), *build(0.0).head(10).modules()]
    assert not any(isinstance(module, (nn.Dropout, nn.Dropout2d)) for module in modules)


def test_whole_channels_of_conv2_are_dropped_for_each_image_and_the_rest_is_rescaled() -> None:
    plain, dropped = build(0.0), build(0.25).train()
    with torch.no_grad():
        maps = plain.levels()[0](torch.rand(200, *SHAPE, generator=torch.Generator().manual_seed(0)))
        whole = plain.levels()[1](maps)  # (200, 20, 4, 4)
        torch.manual_seed(0)
        seen = dropped.levels()[1](maps)
    alive = (seen != 0).flatten(2).any(2)  # (200, 20)
    torch.testing.assert_close(seen, whole * alive[:, :, None, None] / 0.75)
    could = whole.flatten(2).any(2)
    fraction = float(alive.sum() / could.sum())
    assert fraction == pytest.approx(0.75, abs=5 * (0.25 * 0.75 / float(could.sum())) ** 0.5)
    assert len({tuple(row) for row in alive.tolist()}) > 100  # of its own for each image


def test_hidden_units_of_a_head_are_dropped_one_by_one_and_the_rest_is_rescaled() -> None:
    heads = []
    for dropout in (0.0, 0.25):
        torch.manual_seed(0)
        heads.append(build(dropout).head(50))
    for head in heads:
        assert isinstance(head, nn.Sequential)
        head[2] = nn.Identity()
    with torch.no_grad():
        z = torch.rand(400, 50, generator=torch.Generator().manual_seed(1))
        hidden, seen = heads[0](z), heads[1].train()(z)
    alive = seen != 0
    torch.testing.assert_close(seen, hidden * alive / 0.75)
    could = hidden != 0
    fraction = float(alive.sum() / could.sum())
    assert fraction == pytest.approx(0.75, abs=5 * (0.25 * 0.75 / float(could.sum())) ** 0.5)
    assert len({tuple(row) for row in alive.tolist()}) > 300


def test_the_hidden_units_behind_a_dropped_layer_have_the_mean_that_they_have_in_evaluation() -> None:
    """The mean over many masks is the activation itself, as it is not on ``lenet-dropout``."""
    torch.manual_seed(0)
    head = build(0.5).head(10)
    z = torch.rand(1, 50, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        often, once = head.train()(z.expand(20_000, 50)), head.eval()(z)
    error = often.std(0) / 20_000**0.5
    assert ((often.mean(0) - once[0]).abs() < 5 * error).all()


def test_a_probability_of_1_is_refused() -> None:
    with pytest.raises(UsageError, match="dropout"):
        parse_backbone("lenet:dropout=1")


def test_the_unscaled_backbone_has_no_such_option() -> None:
    with pytest.raises(UsageError, match="dropout"):
        parse_backbone("lenet-dropout:dropout=0.5")


def test_a_method_on_it_learns_repeats_and_resumes(tmp_path: Path) -> None:
    words = ("learns", "same seed", "resumed", "evaluation changes nothing")
    results = list(examine("moo@lenet:dropout=0.5", root=tmp_path, only=words))
    assert len(results) == len(words)
    assert not [result.fault for result in results if result.fault]
