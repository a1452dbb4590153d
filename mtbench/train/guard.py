"""The guard of training: a step whose losses mean nothing ends the run, with the task and the reason."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mtbench.contract import Balancer, Losses, Task
from mtbench.errors import NegativeLoss, NonFiniteLoss, RunError

__all__ = ["SMALLER", "guard"]

SMALLER = "A smaller learning rate (--set lr=...) is the first thing to try."


def guard(losses: Losses, tasks: Sequence[Task], balancer: Balancer, where: str) -> None:
    """Refuse losses that are not finite, or negative where the balancer has no meaning for these.

    All of them are looked at as one bool, so that a GPU is waited for once; which task it is, is sought only then.

    Args:
        losses: those of a step, or those after it.
        where: the step, for the error, e.g. ``at step 3 (epoch 1, its step 3)``.

    Raises:
        NonFiniteLoss: a loss, or the penalty, is NaN or infinite.
        NegativeLoss: the loss of a task that is present is negative, and the balancer `needs_positive_losses`.
    """
    if not _is_fit(losses, balancer):
        raise _error(losses, tasks, balancer, where)


def _is_fit(losses: Losses, balancer: Balancer) -> Tensor:
    """Return whether the losses can be trained on: () bool, on their device."""
    total = losses.totals.sum() if losses.penalty is None else losses.totals.sum() + losses.penalty
    fit = torch.isfinite(total)
    return fit & ~_negative(losses).any() if balancer.needs_positive_losses else fit


def _negative(losses: Losses) -> Tensor:
    """Return a mask (T,) bool of the tasks that are present and have a negative loss, auxiliary terms included."""
    return (losses.totals < 0) & losses.present_mask


def _error(losses: Losses, tasks: Sequence[Task], balancer: Balancer, where: str) -> RunError:
    totals, negative = losses.totals.tolist(), _negative(losses).tolist()
    broken = list(_named(tasks, totals, [not math.isfinite(total) for total in totals], "became"))
    below = list(_named(tasks, totals, negative, "is"))
    if below and not broken and balancer.needs_positive_losses:
        return NegativeLoss(
            f"{', '.join(below)} {where}, and balancer '{type(balancer).__name__}' has no meaning where a loss is "
            "negative: it takes logarithms, roots or ratios of losses.",
            mend="Use a balancer for losses of any sign, such as uniform, or a loss that is not negative.",
        )
    return NonFiniteLoss(f"{', '.join(broken) or 'a penalty became infinite'} {where}.", mend=SMALLER)


def _named(tasks: Sequence[Task], totals: Sequence[float], chosen: Sequence[bool], verb: str) -> Iterator[str]:
    for task, total, is_chosen in zip(tasks, totals, chosen, strict=True):
        if is_chosen:
            yield f"the loss of task '{task.name}' {verb} {total:.6g}"
