"""Checks that a method learns, and that gradients reach all parameters."""

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from mtbench.conformance.candidate import PROTOCOL, Candidate, Memory, built, primary, trained
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import drawn, some
from mtbench.conformance.world import plain
from mtbench.contract import Batch, Losses
from mtbench.train.evaluate import evaluate
from mtbench.train.loop import fit

__all__ = ["learns", "trains_everything", "trains_on_auxiliary"]


def learns(candidate: Candidate) -> None:
    """Train on 64 images of 2 tasks, for the steps and to the accuracy that its parts declare."""
    network, balancer = candidate.method.network_class, candidate.method.balancer_class
    backbone = candidate.backbone.backbone_class
    steps = max(plugin.conformance.learns_within for plugin in (network, balancer, backbone))
    goal = min(plugin.conformance.learns_to for plugin in (network, balancer))
    memory, epochs = Memory(enough=goal), steps // 2
    protocol = dataclasses.replace(PROTOCOL, epochs=epochs, batch=32)
    run = trained(candidate, plain(2, 64), protocol=protocol, memory=memory, points=range(10, epochs + 1, 10))
    if memory.best < goal:
        results = evaluate(run.network, run.splits["train"]).values()
        accuracies = ", ".join(f"{primary(result):.0f} %" for result in results)
        raise Fault(
            f"after {steps} steps on 64 images its training accuracies are {accuracies}, and the goal is {goal:.0f} %. "
            "If it needs more steps by its nature, declare them: `conformance = Conformance(learns_within=...)`; if it "
            "can reach no more, `Conformance(learns_to=...)`, in %."
        )


def trains_everything(candidate: Candidate) -> None:
    run = built(candidate, plain(2, 96))
    before = {name: value.detach().clone() for name, value in run.network.named_parameters()}
    own = {name: value.detach().clone() for name, value in run.balancer.named_parameters()}
    fit(run, PROTOCOL, keeper=Memory(), points=())
    still = [
        name
        for name, value in run.network.named_parameters()
        if value.requires_grad and torch.equal(value, before[name])
    ]
    if still:
        raise Fault(
            f"no gradient reaches {some(still)} in {PROTOCOL.epochs} epochs; use buffers for numbers without training."
        )
    if idle := [name for name, value in run.balancer.named_parameters() if torch.equal(value, own[name])]:
        raise Fault(
            f"{some(idle)} of the balancer did not move in {PROTOCOL.epochs} epochs: `backward` must leave a gradient "
            "in `.grad` of the balancer's own parameters, and `learning_rate` must not be 0."
        )
    batch = run.splits["train"].batch(torch.arange(96), drawn(run, 96))
    weights = [value for value in run.network.parameters() if value.requires_grad]
    for task, total in zip(run.tasks, run.network.losses(batch).totals, strict=True):
        found = torch.autograd.grad(total, weights, retain_graph=True, allow_unused=True, materialize_grads=True)
        if not any(gradient.any() for gradient in found):
            raise Fault(f"the loss of task '{task.name}' has no gradient in any parameter.")


def trains_on_auxiliary(candidate: Candidate) -> None:
    """Check that a term added to each task's losses changes the gradient, as it does if `Losses.totals` are balanced.

    Nothing is checked if the balancer does not take the losses from the network, as on a representation.
    """
    gradients, asked = [], False
    for weight in (0.0, 1.0):
        run = built(candidate, plain(2, 32))
        network, kept = run.network, run.network.losses
        parameter = next(value for value in network.shared_parameters() or network.parameters() if value.requires_grad)

        def losses(
            batch: Batch, kept: Callable[[Batch], Losses] = kept, parameter: Tensor = parameter, weight: float = weight
        ) -> Losses:
            nonlocal asked
            asked, found = True, kept(batch)
            term = weight * (10 * parameter).square().sum() * (found.counts > 0)
            return dataclasses.replace(found, auxiliary=term if found.auxiliary is None else found.auxiliary + term)

        setattr(network, "losses", losses)  # noqa: B010  # an instance's own, in the place of a method
        torch.manual_seed(0)
        run.balancer.backward(network, run.splits["train"].batch(torch.arange(32), drawn(run, 32)))
        gradients.append(parameter.grad)
    without, with_term = gradients
    if asked and (with_term is None or (without is not None and torch.equal(without, with_term))):
        raise Fault("auxiliary losses of a network change no gradient: balance `Losses.totals`, not `Losses.means`.")
