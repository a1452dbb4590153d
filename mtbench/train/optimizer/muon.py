"""Muon: momentum made orthogonal by a Newton-Schulz iteration, for matrices; AdamW for everything else.

The formulas are in `mtbench.contract.protocol.optimizers`. It differs from `torch.optim.Muon` in two ways: the
iteration uses the parameters' own precision, whereas torch rounds to bfloat16 and so fills a gradient of low rank with
noise; and convolution kernels may be matrices.
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

__all__ = ["Muon", "orthogonalize"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5
"""Newton-Schulz coefficients and steps of Jordan et al. (2024), and of torch."""
EPS = 1e-7
BETA2, ADAMW_EPS = 0.999, 1e-8


def orthogonalize(matrix: Tensor) -> Tensor:
    """Bring the singular values of a matrix (rows, columns) near 1, to about .7 to 1.2; its singular vectors stay.

    X = G / |G|_F, then five times X <- a X + b (X X') X + c (X X')^2 X: Jordan et al. (2024). A singular value below
    about 1e-3 |G|_F stays smaller, and 0 stays 0.
    """
    a, b, c = COEFFICIENTS
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / x.norm().clamp(min=EPS)
    for _ in range(STEPS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if is_tall else x


class Muon(torch.optim.Optimizer):
    """Muon for the groups with ``matrix`` true, AdamW for the others.

    A parameter of more than two dimensions in a matrix group is flattened to (first dimension, all others).

    Args:
        groups: parameter groups; each may have ``lr``, ``weight_decay`` and ``matrix``.
        lr: learning rate of groups without one.
        momentum: mu of Muon.
        beta1: decay of AdamW's mean gradient; that of the mean square is .999.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], *, lr: float, momentum: float = 0.95, beta1: float = 0.9
    ) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "beta1": beta1, "weight_decay": 0.0, "matrix": False})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Update each parameter that has a gradient."""
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["matrix"]:
                for parameter in moved:
                    self._move_matrix(parameter, group)
            elif moved:
                self._move_others(moved, group)

    def _move_matrix(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        buffer = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        update = orthogonalize(gradient.lerp(buffer, group["momentum"]).flatten(1))
        rows, columns = update.shape
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update.view_as(parameter), alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))

    def _move_others(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter] = {
                    "step": torch.zeros(()),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
        states = [self.state[parameter] for parameter in parameters]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            amsgrad=False,
            beta1=group["beta1"],
            beta2=BETA2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=ADAMW_EPS,
            maximize=False,
        )
