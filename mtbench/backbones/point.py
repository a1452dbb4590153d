"""A point of the plane in place of a backbone: for problems whose only parameters are two numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, option
from mtbench.contract.options import render_value
from mtbench.errors import UsageError

__all__ = ["Point"]

LOW, HIGH = (-8.5, -1.0), (9.0, 9.0)
"""The corners of the smallest box that holds the starting points of the papers."""


@dataclass(frozen=True, kw_only=True)
class PointOptions:
    start: tuple[float, ...] = option((), "where it starts, x/y; by default drawn for each seed")


class Point(Backbone):
    """Two numbers, the same for every input: the network is the point that is moved.

    ::

        theta (1, 2)
        z = theta for every input        (B, 2)
        head                             z unchanged

    The papers that `toy2` is from start at (-8.5, 7.5), (0, 0), (9, 9), (-7.5, -0.5) and (9, -1) (Navon et al.; Liu et
    al. have (-8.5, -5) too). Without `start` the point is drawn uniformly from the box of those five, [-8.5, 9] x [-1,
    9].
    """

    Options = PointOptions
    paper = "Liu et al., CAGrad, NeurIPS 2021; Navon et al., Nash-MTL, ICML 2022"
    has_stages = False

    def __init__(self, options: PointOptions, input_shape: tuple[int, ...]) -> None:
        if len(options.start) not in (0, 2):
            raise UsageError(
                f"option 'start' of backbone 'point' is '{render_value(options.start)}'.",
                allowed="Allowed: two numbers x/y, e.g. -8.5/7.5.",
            )
        low, high = torch.tensor(LOW), torch.tensor(HIGH)
        start = torch.tensor(options.start) if options.start else low + (high - low) * torch.rand(2)
        super().__init__({}, _Everywhere(start), input_shape)
        self.features = 2

    def head(self, output_size: int) -> nn.Module:
        if output_size != self.features:
            raise UsageError(
                f"backbone 'point' is two numbers, and a task of this dataset takes {output_size}.",
                mend="Use it with toy2, or give another backbone, e.g. uniform@lenet.",
            )
        return nn.Identity()


class _Everywhere(nn.Module):
    """One learned vector (D,), the same for every input; stored as a matrix (1, D), as weights are."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(start[None])

    def forward(self, inputs: Tensor) -> Tensor:
        return self.theta.repeat(len(inputs), 1)  # a copy: a view of a parameter requires a gradient even under no_grad
