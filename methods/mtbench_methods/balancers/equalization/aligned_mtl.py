"""Aligned multi-task learning."""

from dataclasses import dataclass

import numpy as np

from mtbench.contract import RepresentationBalancer, option

from ..gramian import ROUNDING, ByGramian, Geometry, Weighed

__all__ = ["AlignedMtl", "AlignedMtlUb"]

PAPER = "Senushkin et al., Independent Component Alignment for Multi-Task Learning, CVPR 2023"
BIBTEX = """@inproceedings{senushkin2023independent,
  title = {Independent Component Alignment for Multi-Task Learning},
  author = {Senushkin, Dmitry and Patakin, Nikolay and Kuznetsov, Arseny and Konushin, Anton},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2023},
}"""


@dataclass(frozen=True, kw_only=True)
class AlignedMtlOptions:
    scale_mode: str = option(
        "min", "the singular value that all become equal to", choices=("min", "median", "rmse"), search="choices"
    )


class AlignedMtl(ByGramian):
    """Aligned-MTL (Senushkin et al. 2023): the gradients' principal components are made equally long, then averaged.

    With G (P, n) the gradients and G = U S V^T, the update is the mean row of sigma U V^T, where sigma is the smallest
    singular value that is not 0 (or the median, or the root mean square).

    Chosen here: as in the released code, singular values whose square is at most P 1.2e-7 of the largest square count
    as 0, the rounding of single precision. Task-specific parameters receive the unweighted gradient of their task.

    Compared with: TorchJD's AlignedMTL, default tolerance
    (balancers/equalization/test_aligned_mtl.py::test_it_is_torchjds); the released code's threshold, a case by hand,
    abs=1e-7
    (balancers/test_known_updates.py::test_aligned_mtl_takes_what_the_released_code_takes_for_rounding_as_such).
    """

    Options = AlignedMtlOptions
    paper = PAPER
    title = "Aligned-MTL"
    bibtex = BIBTEX

    def weigh(self, geometry: Geometry) -> Weighed:
        values, vectors = np.linalg.eigh(geometry.cosines * geometry.lengths[:, None] * geometry.lengths)
        kept = values > geometry.present * ROUNDING * values[-1]
        values, vectors = values[kept], vectors[:, kept]
        middle = values[(len(values) - 1) // 2]  # the lower of two, as the released code takes it
        sigma = {"min": values[0], "median": middle, "rmse": values.mean()}[self.options.scale_mode] ** 0.5
        return Weighed(weights=sigma * vectors @ (vectors.sum(0) / np.sqrt(values)) / geometry.present)

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0


class AlignedMtlUb(RepresentationBalancer):
    """Aligned-MTL in the representation (Senushkin et al. 2023): its upper bound, one backward pass of the encoder.

    Chosen here: the rule is that of `AlignedMtl`, applied to the gradients in z.

    Compared with: TorchJD's AlignedMTL on given rows, rtol=1e-3, atol=1e-4
    (balancers/test_directions.py::test_it_is_torchjds_aggregator).
    """

    Options = AlignedMtlOptions
    Rule = AlignedMtl
    paper = PAPER
    title = "Aligned-MTL-UB"
    bibtex = BIBTEX
