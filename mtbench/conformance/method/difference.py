"""The check that a method differs from every other one."""

import dataclasses
import math
from collections.abc import Collection, Mapping
from functools import cache

import torch
from torch import Tensor

from mtbench import registry
from mtbench.conformance.candidate import BACKBONE, PROTOCOL, Candidate, trained
from mtbench.conformance.fault import Fault
from mtbench.conformance.triplets import as_triplets
from mtbench.conformance.world import conflicting
from mtbench.plan.grid import all_methods
from mtbench.plan.parse import parse_backbone

__all__ = ["differs_from_all_others"]

APART = 1e-3
"""Smallest root mean square difference of the weights or outputs of two methods."""


def differs_from_all_others(candidate: Candidate) -> None:
    """Check it after 3 epochs on conflicting tasks with losses of unequal sizes, on the default backbone if possible.

    Raises:
        Fault: another method's weights or outputs are the same.
    """
    works_on = candidate.method.network_class.conformance.works_on
    if not works_on or BACKBONE in works_on:
        candidate = candidate.on(parse_backbone(BACKBONE))
    in_triplets = bool(candidate.method.network_class.kinds)
    mine, title = _outcome(candidate, in_triplets), candidate.method.title
    # Balancers are distinguished on classes.
    for text in registry.entries("method") if in_triplets else all_methods():
        try:
            other = Candidate.of(text).on(candidate.backbone)
            if _parts(other) == _parts(candidate) or _declared_same(candidate, other):
                continue
            theirs = _outcome_of(text, str(candidate.backbone.choice), in_triplets)
        except Exception:
            continue  # it does not fit this world or is broken, which its own check reports
        if (distance := _distance(mine, theirs)) < APART:
            raise Fault(
                f"after {PROTOCOL.epochs} epochs '{title}' and '{other.method.title}' differ by {distance:.1g}, like "
                "one method. If that is intended, declare it: `conformance = Conformance(same_as=...)`."
            )


@cache
def _outcome_of(text: str, backbone: str, in_triplets: bool) -> Mapping[str, Tensor]:
    return _outcome(Candidate.of(text).on(parse_backbone(backbone)), in_triplets)


def _outcome(candidate: Candidate, in_triplets: bool) -> Mapping[str, Tensor]:
    """Return the weights after training and, for networks that are built differently, the outputs.

    Few examples in small batches show differences, before rounding does.
    """
    world = as_triplets(conflicting(48)) if in_triplets else conflicting(48)
    run = trained(candidate, world, protocol=dataclasses.replace(PROTOCOL, batch=2))
    run.network.eval()
    with torch.no_grad():
        outputs = run.network.all_outputs(world.split.batch(torch.arange(48)).inputs)
    weights = {name: value.detach() for name, value in run.network.named_parameters()}
    return {**weights, "": torch.cat(outputs, dim=1)}


def _distance(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """Return the root mean square of the difference of weights or, if those cannot be compared, of outputs."""
    shapes = [{name: value.shape for name, value in outcome.items()} for outcome in (first, second)]
    if shapes[0] != shapes[1] and first[""].shape != second[""].shape:
        return math.inf  # embeddings of different sizes
    names: Collection[str] = (first.keys() - {""}) if shapes[0] == shapes[1] else [""]
    return float(torch.cat([(first[name] - second[name]).flatten() for name in names]).square().mean().sqrt())


def _declared_same(first: Candidate, second: Candidate) -> bool:
    if first.method.network_class is not second.method.network_class:
        return False
    names = {candidate.method.balancer_choice.name for candidate in (first, second)}
    same = first.method.balancer_class.conformance.same_as | second.method.balancer_class.conformance.same_as
    return len(names & same) > 0


def _parts(candidate: Candidate) -> tuple[object, ...]:
    method = candidate.method
    return method.network_choice, method.balancer_choice
