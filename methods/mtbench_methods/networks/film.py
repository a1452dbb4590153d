"""FiLM: channel modulation with a shift in addition to the scale."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from mtbench.contract import NECK, Inputs, OneTaskNetwork, Setup

from .rows import per_channel

__all__ = ["Film"]


class Film(OneTaskNetwork):
    """Feature-wise linear modulation (Perez et al. 2018): each task scales and shifts the channels of one network.

    For the requested task t, every layer's output x (B, C, ...) becomes (Eq. 2)::

        x'[c] = g_t[c] x[c] + b_t[c]          g_t, b_t in R^C, initialized to 1 and 0

    Chosen here: in the paper a network computes g and b from a question. From a task's index a linear layer can compute
    any pair of vectors per task: here these are learned themselves. Layers are those that `chmod` modulates: the maps
    of the backbone's stages before their last nonlinearity, as in the paper; on VGG-11 every convolution and the hidden
    layers of the head; not z. Without the shift it is `chmod`.

    Compared with: Eq. 2 written out again, atol=1e-5, atol=1e-6
    (networks/test_film.py::test_maps_are_scaled_and_then_shifted_before_the_nonlinearity).
    """

    paper = "Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, AAAI 2018"
    title = "FiLM"
    bibtex = """@inproceedings{perez2018film,
      title = {{FiLM}: Visual Reasoning with a General Conditioning Layer},
      author = {Perez, Ethan and Strub, Florian and de Vries, Harm and Dumoulin, Vincent and Courville, Aaron},
      booktitle = {AAAI Conference on Artificial Intelligence},
      year = {2018},
    }"""
    per_task = frozenset({"scale", "shift"})
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        shapes = self.backbone.places(self.branch)
        sizes = {name: (len(setup.tasks), shape[0]) for name, shape in shapes.items() if name != NECK}
        self.scale = nn.ParameterDict({name: nn.Parameter(torch.ones(size)) for name, size in sizes.items()})
        self.shift = nn.ParameterDict({name: nn.Parameter(torch.zeros(size)) for name, size in sizes.items()})

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        return self.backbone.answer(
            cast(Tensor, inputs), self.branch, lambda name, maps: self.modulate(name, maps, task)
        )

    def modulate(self, name: str, maps: Tensor, task: Tensor) -> Tensor:
        """Return the output (B, C, ...) of a layer, scaled and shifted for each input's task (B,)."""
        if name == NECK:
            return maps
        return per_channel(self.scale[name][task], maps) * maps + per_channel(self.shift[name][task], maps)
