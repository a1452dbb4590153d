"""The check of other backbones."""

import torch

from mtbench import registry
from mtbench.conformance.candidate import Candidate, tiny
from mtbench.conformance.method.states import one_epoch
from mtbench.conformance.world import PLACES, SHAPE, plain
from mtbench.errors import PluginError
from mtbench.plan.chosen import BackboneChoice
from mtbench.plan.parse import default_balancer

__all__ = ["gives_scores", "works_on_every_backbone"]


def works_on_every_backbone(candidate: Candidate) -> None:
    """Check it on backbones of the other layout too, if it is a network for any kind of task, and no pair."""
    network = candidate.method.network_class
    works_on = network.conformance.works_on
    is_alone = candidate.method.backbone is None and candidate.method.balancer_choice.name == default_balancer(network)
    own = candidate.backbone.backbone_class.layout
    layouts = network.layouts if is_alone and not network.kinds else {own}
    for name in works_on or registry.entries("backbone"):
        try:
            backbone = tiny(name)
        except PluginError:
            continue  # a broken backbone of another package, which `mtbench doctor` lists
        if not works_on and not (
            backbone.backbone_class.has_stages and backbone.backbone_class.layout in layouts and gives_scores(backbone)
        ):
            continue  # made for tasks of another kind
        one_epoch(candidate.on(backbone), plain(2, 32), f"on backbone '{backbone.choice}'")


def gives_scores(backbone: BackboneChoice) -> bool:
    """Return True if a head on this backbone gives a score per class, of an input or of each pixel."""
    built = backbone.backbone_class(backbone.options, SHAPE)  # type: ignore[call-arg]
    with torch.no_grad():
        scores = built.eval().head(PLACES)(built(torch.zeros(2, *SHAPE)))
    return tuple(scores.shape) == (2, PLACES, *(SHAPE[1:] if built.layout == "map" else ()))
