"""The guard of training: a step with invalid losses ends the run, with the task and the reason."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mtbench.contract import Balancer, GradientBalancer, Losses, Task
from mtbench.errors import NegativeLoss, NonFiniteLoss, RunError
from mtbench.train.machine.device import waits

__all__ = ["SMALLER", "Guard", "guard"]

SMALLER = "A smaller learning rate (--set lr=...) is the first thing to try."
TOGETHER = 50
"""The number of losses that are checked together, where checking each would wait for a GPU."""


class Guard:
    """The losses of steps, checked by `guard`: each at once on a CPU, some steps later if checking waits for a GPU.

    The error names the right step in either case. Balancers of gradients wait for a GPU in each step anyway, and may
    fail for values that are not finite: with these each step is checked.
    """

    def __init__(self, tasks: Sequence[Task], device: torch.device) -> None:
        self.tasks, self.waits = tasks, waits(device)
        self.unseen: list[tuple[Tensor, Losses, Balancer, str]] = []

    def check(self, losses: Losses, balancer: Balancer, where: str) -> None:
        """Refuse losses as `guard` does, now or later.

        Raises:
            NonFiniteLoss, NegativeLoss: see `guard`; for these losses or for earlier ones.
        """
        if not self.waits:
            guard(losses, self.tasks, balancer, where)
            return
        self.unseen.append((_is_fit(losses, balancer), _alone(losses), balancer, where))
        if len(self.unseen) == TOGETHER or isinstance(balancer, GradientBalancer):
            self.check_waiting()

    def check_waiting(self) -> None:
        """Refuse the first unfit loss among those that are not checked yet, if there is any.

        Raises:
            NonFiniteLoss, NegativeLoss: see `guard`.
        """
        unseen, self.unseen = self.unseen, []
        if not unseen:
            return
        flags = torch.stack([fit for fit, *_ in unseen]).tolist()
        for is_fit, (_, losses, balancer, where) in zip(flags, unseen, strict=True):
            if not is_fit:
                raise _error(losses, self.tasks, balancer, where)


def guard(losses: Losses, tasks: Sequence[Task], balancer: Balancer, where: str) -> None:
    """Refuse losses that are not finite, or negative if the balancer is not defined for these.

    All of them are reduced to one bool, so that a GPU is waited for once; the task is searched only after a failure.

    Args:
        losses: the losses of a step, or those after it.
        where: the step, for the error, e.g. ``at step 3 (epoch 1, its step 3)``.

    Raises:
        NonFiniteLoss: a loss, or the penalty, is NaN or infinite.
        NegativeLoss: the loss of a task that is present is negative, and the balancer `needs_positive_losses`.
    """
    if not _is_fit(losses, balancer):
        raise _error(losses, tasks, balancer, where)


def _is_fit(losses: Losses, balancer: Balancer) -> Tensor:
    """Return True if the losses can be trained on: () bool, on their device."""
    total = losses.totals.sum() if losses.penalty is None else losses.totals.sum() + losses.penalty
    fit = torch.isfinite(total)
    return fit & ~_negative(losses).any() if balancer.needs_positive_losses else fit


def _alone(losses: Losses) -> Losses:
    """Return the losses without the graph that they come from."""
    penalty = None if losses.penalty is None else losses.penalty.detach()
    return Losses(
        means=losses.totals.detach(), counts=losses.counts, base_weights=losses.base_weights.detach(), penalty=penalty
    )


def _negative(losses: Losses) -> Tensor:
    """Return a mask (T,) bool of the tasks that are present and have a negative loss, auxiliary terms included."""
    return (losses.totals < 0) & losses.present_mask


def _error(losses: Losses, tasks: Sequence[Task], balancer: Balancer, where: str) -> RunError:
    totals, negative = losses.totals.tolist(), _negative(losses).tolist()
    broken = list(_named(tasks, totals, [not math.isfinite(total) for total in totals], "became"))
    below = list(_named(tasks, totals, negative, "is"))
    if below and not broken and balancer.needs_positive_losses:
        return NegativeLoss(
            f"{', '.join(below)} {where}, and balancer '{type(balancer).__name__}' is not defined for negative losses: "
            "it takes logarithms, roots or ratios of losses.",
            mend="Use a balancer for losses of any sign, such as uniform, or a loss that is not negative.",
        )
    return NonFiniteLoss(f"{', '.join(broken) or 'a penalty became infinite'} {where}.", mend=SMALLER)


def _named(tasks: Sequence[Task], totals: Sequence[float], chosen: Sequence[bool], verb: str) -> Iterator[str]:
    for task, total, is_chosen in zip(tasks, totals, chosen, strict=True):
        if is_chosen:
            yield f"the loss of task '{task.name}' {verb} {total:.6g}"
