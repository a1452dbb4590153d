"""Aligned multi-task learning."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from mtbench.contract import RepresentationBalancer, Task, option

from ..gramian import ByGramian, weights_of

__all__ = ["AlignedMtl", "AlignedMtlUb"]

PAPER = "Senushkin et al., Independent Component Alignment for Multi-Task Learning, CVPR 2023"


@dataclass(frozen=True, kw_only=True)
class AlignedMtlOptions:
    scale_mode: str = option(
        "min", "the singular value that all become equal to", choices=("min", "median", "rmse"), search="choices"
    )


class AlignedMtl(ByGramian):
    """Aligned-MTL (Senushkin et al. 2023): the gradients' principal components are made equally long, then averaged.

    With G (P, n) the gradients and G = U S V^T, the update is the mean row of sigma U V^T, sigma the least singular
    value that is not 0 (or the median, or the root of the mean square). A task's own parameters receive its plain
    gradient.
    """

    Options = AlignedMtlOptions
    paper = PAPER

    def __init__(self, options: AlignedMtlOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weighting = weights_of("AlignedMTLWeighting", scale_mode=options.scale_mode)

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:  # noqa: ARG002
        weights: Tensor = self.weighting(gramian)
        return weights

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0


class AlignedMtlUb(RepresentationBalancer):
    """Aligned-MTL in the representation (Senushkin et al. 2023): its upper bound, one backward pass of the encoder."""

    Options = AlignedMtlOptions
    Rule = AlignedMtl
    paper = PAPER
