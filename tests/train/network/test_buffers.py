"""Buffers, such as running statistics: a step moves them once, and evaluation and further forward passes never."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Batch, Inputs, Losses, LossWeighting, Network, Scalarization
from mtbench.errors import PluginError
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.evaluate import evaluate
from mtbench.train.loop import fit
from mtbench.train.network.buffers import restored_buffers, unchanged_buffers
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, spec_of

NORMED = "@resnet18:width=.125"


def made(method: str, dataset: str = "toy-three", **settings: Any) -> Assembly:
    return assemble(spec_of(method, dataset, **settings), root=Path(), device=CPU)


def buffers(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.named_buffers()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[name].nan_to_num(), second[name].nan_to_num()) for name in first
    )


class Kept(nn.Module):
    """Buffers of every sort: in the state and not, of floats and integers, None at first."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("hidden", torch.tensor([1.0, float("nan"), -0.0]), persistent=False)
        self.register_buffer("none", None)


def test_after_the_block_every_buffer_is_the_same_tensor_with_the_same_bits() -> None:
    module = Kept()
    before, tensors = buffers(module), dict(module.named_buffers())
    signs = module.hidden.signbit().tolist()  # type: ignore[operator]
    with restored_buffers(module):
        module.norm(torch.randn(5, 3))
        module.hidden = torch.zeros(3)  # another tensor in its place
        module.none = torch.ones(2)
        module.register_buffer("late", torch.zeros(()))
        assert not same(before, buffers(module))
    assert same(before, buffers(module))
    assert module.none is None
    assert module.hidden.signbit().tolist() == signs
    assert all(tensors[name] is value for name, value in module.named_buffers())


def test_buffers_come_back_though_the_block_fails() -> None:
    module = Kept()
    before = buffers(module)

    def fails() -> None:
        with restored_buffers(module):
            module.norm(torch.randn(5, 3))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fails()
    assert same(before, buffers(module))


def test_nothing_is_said_where_no_buffer_changes_and_nan_is_one_with_nan() -> None:
    module = Kept().eval()
    with unchanged_buffers(module):
        module.norm(torch.randn(5, 3))


@pytest.mark.parametrize("name", ["norm.running_mean", "norm.num_batches_tracked", "hidden", "none", "late"])
def test_a_buffer_that_changes_in_evaluation_is_named(name: str) -> None:
    module = Kept().eval()
    owner, _, last = name.rpartition(".")
    value = dict(module.named_buffers()).get(name)

    def changes() -> None:
        with unchanged_buffers(module):
            module.get_submodule(owner).register_buffer(last, torch.ones(()) if value is None else value + 1)

    with pytest.raises(PluginError, match=f"^evaluation changes buffer '{name}' of network 'Kept': "):
        changes()


@pytest.mark.parametrize("method", ["branches+famo", "chmod+famo", "mtan+famo"])
def test_a_step_of_famo_moves_running_statistics_as_a_step_of_uniform_does(method: str) -> None:
    """The first step is on one batch with one network: only the second forward pass could tell the two apart."""
    found = []
    for text in (method, method.partition("+")[0] + "+uniform"):
        assembly = made(text + NORMED, images="16", batch="16", epochs="1", lr="1e-12")
        fit(assembly, spec_of(text, "toy-three", images="16", batch="16", epochs="1").protocol, keeper=Memory())
        found.append(buffers(assembly.network))
    assert same(*found)


def test_batches_are_counted_once_a_step_by_every_balancer() -> None:
    """After 6 steps 6 batches: the released code of FAMO counts 12."""
    for balancer in ("famo", "uniform", "gradnorm", "mgda", "mgda-ub", "pcgrad"):
        trained = run(spec_of(f"branches+{balancer}{NORMED}", "toy-three", images="48", batch="16", epochs="2"))
        counted = {int(value) for name, value in trained.model.items() if name.endswith("num_batches_tracked")}
        assert counted == {6}, balancer


class Twice(LossWeighting):
    """A stranger's balancer that measures the losses after the step, on two other batches' worth of passes."""

    forwards = 2

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights

    def after_step(self, network: Network, batch: Batch) -> None:
        for _ in range(2):
            network.losses(batch)


def test_the_loop_restores_buffers_for_a_plug_in_that_declares_its_forward_passes() -> None:
    found = []
    protocol = spec_of("branches", "toy-three", images="48", batch="16", epochs="2").protocol
    for balancer in (Twice, None):
        assembly = made(f"branches{NORMED}", images="48")
        if balancer is not None:
            assembly = copy.copy(assembly)
            object.__setattr__(assembly, "balancer", balancer(assembly.balancer.options, assembly.tasks))
        fit(assembly, protocol, keeper=Memory())
        found.append(buffers(assembly.network))
    assert same(*found)


def test_evaluation_changes_no_buffer_of_any_normed_network() -> None:
    for method in ("branches", "single", "chmod", "mtan", "cross-stitch"):
        assembly = made(method + NORMED)
        before = buffers(assembly.network)
        evaluate(assembly.network, assembly.splits["test"])
        assert same(before, buffers(assembly.network))


def spoiled(assembly: Assembly, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly.network, "encode", wrong(assembly.network, assembly.network.encode), raising=False)


def counts_uses(network: Any, encode: Any) -> Any:
    network.register_buffer("uses", torch.zeros(()), persistent=False)  # in no state, so that only buffers tell

    def counting(inputs: Inputs) -> Tensor:
        network.uses += 1
        found: Tensor = encode(inputs)
        return found

    return counting


def never_leaves_training(network: Any, encode: Any) -> Any:
    def training(inputs: Inputs) -> Tensor:
        network.backbone.train()
        found: Tensor = encode(inputs)
        return found

    return training


def new_each_time(network: Any, encode: Any) -> Any:
    network.register_buffer("last", None)

    def remembering(inputs: Inputs) -> Tensor:
        found: Tensor = encode(inputs)
        network.last = found.detach()
        return found

    return remembering


@pytest.mark.parametrize(
    ("wrong", "name"),
    [(counts_uses, "uses"), (never_leaves_training, r"backbone\..*num_batches_tracked"), (new_each_time, "last")],
)
def test_a_network_whose_evaluation_changes_a_buffer_is_refused_at_the_first_evaluation(
    wrong: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assembly = made(f"branches{NORMED}")
    spoiled(assembly, wrong, monkeypatch)
    with pytest.raises(PluginError, match=f"^evaluation changes buffer '{name}' of network 'Branches'"):
        evaluate(assembly.network, assembly.splits["test"])


def test_a_module_that_refuses_evaluation_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single-task networks of released codes were tested in training mode."""
    assembly = made(f"branches{NORMED}")
    network: Any = assembly.network
    monkeypatch.setattr(network.backbone, "train", lambda _mode=True: network.backbone)
    with pytest.raises(PluginError) as error:
        evaluate(network, assembly.splits["test"])
    assert str(error.value) == (
        "module 'backbone' of network 'Branches' stays in training mode after `eval()`: its results would not be those "
        "of evaluation."
    )


def test_logarithms_after_the_step_are_those_of_the_network_in_training_mode() -> None:
    """The second pass of FAMO sees batch statistics, as the first does: only what it leaves behind is undone."""
    modes = []

    class Watch(Scalarization):
        forwards = 1

        def scalar(self, losses: Losses) -> Tensor:
            return losses.totals.sum()

        def after_step(self, network: Network, batch: Batch) -> None:  # noqa: ARG002
            modes.append(network.training)

    assembly = made(f"branches{NORMED}", images="16")
    object.__setattr__(assembly, "balancer", Watch(assembly.balancer.options, assembly.tasks))
    fit(assembly, spec_of("branches", "toy-three", images="16", batch="16", epochs="1").protocol, keeper=Memory())
    assert modes == [True]
