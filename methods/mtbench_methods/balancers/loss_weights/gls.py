"""Geometric loss strategy."""

import torch
from torch import Tensor

from mtbench.contract import Conformance, Losses, Scalarization

__all__ = ["Gls"]


class Gls(Scalarization):
    """GLS (Chennupati et al. 2019): the geometric mean of the losses, (prod_t L_t)^(1/P).

    Its gradient weights each task by 1 / L_t, up to a factor.

    Chosen here: losses must not be negative; a loss of 0 counts as the smallest number of single precision.

    Compared with: TorchJD's GeometricMean, default tolerance
    (balancers/loss_weights/test_gls.py::test_it_is_torchjds_where_all_tasks_are_present).
    """

    conformance = Conformance(learns_to=60.0)  # once a loss has come to 0 the product is 0, and so is its gradient
    needs_positive_losses = True
    paper = "Chennupati et al., MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy, CVPRW 2019"
    title = "GLS"
    bibtex = """@inproceedings{chennupati2019multinet,
      title = {{MultiNet++}: Multi-Stream Feature Aggregation and Geometric Loss Strategy for Multi-Task Learning},
      author = {Chennupati, Sumanth and others},
      booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition Workshops (CVPRW)},
      year = {2019},
    }"""

    def scalar(self, losses: Losses) -> Tensor:
        values = losses.totals[losses.present_mask]
        return values.clamp(min=torch.finfo(values.dtype).tiny).log().mean().exp()
