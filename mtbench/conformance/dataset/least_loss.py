"""The smallest loss of a kind of task: if it is negative, the kind has to declare it."""

import math

import torch

from mtbench.conformance.fault import Fault
from mtbench.train.assemble import Assembly
from mtbench.train.outputs import outputs

__all__ = ["declares_signs"]

EXAMPLES = 32
STEPS = 200
ROUNDING = 1e-6


def declares_signs(run: Assembly) -> None:
    """Minimize the loss of some test examples over the outputs themselves, by gradient descent.

    A network may reach a loss below 0 that this finds.
    """
    answered = next(outputs(run.network, run.splits["test"].first(EXAMPLES)))
    labels = zip(answered.targets, answered.used_rows, strict=True)
    for task, output, (target, used) in zip(run.tasks, answered.outputs, labels, strict=True):
        if task.kind.has_negative_losses or not len(used):
            continue
        leaf, wanted = output.detach().clone().requires_grad_(), target[used]
        optimizer, least = torch.optim.Adam([leaf], lr=0.05), math.inf
        for _ in range(STEPS):
            optimizer.zero_grad()
            losses = task.kind.losses(leaf, wanted)
            least = min(least, float(losses.detach().min()))
            losses.sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if least < -ROUNDING:
            raise Fault(
                f"a loss of task '{task.name}' can be {least:.3g}, and its kind does not declare "
                "`has_negative_losses`: balancers of logarithms, roots and ratios would train until it is negative."
            )
