"""Checks of the answers and maps that a network gives."""

import torch

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.fault import Fault
from mtbench.conformance.world import plain, undefined
from mtbench.contract.authors import place_of

__all__ = ["answers_alike", "shows_each_input"]


def answers_alike(candidate: Candidate) -> None:
    """Check that the outputs that evaluation uses, with some labels undefined, equal those of all outputs."""
    world = undefined(2, 64)
    run = built(candidate, world)
    run.network.eval()
    batch = run.splits["test"].batch(torch.arange(64))
    with torch.no_grad():
        every, used = run.network.all_outputs(batch.inputs), run.network.used_outputs(batch)
    for task, output, found, indices in zip(run.tasks, every, used, batch.used_inputs(), strict=True):
        expected = output[indices]
        if found.shape != expected.shape or not torch.allclose(found, expected, rtol=1e-3, atol=1e-4):
            raise Fault(f"`used_outputs` of task '{task.name}' are not those of `all_outputs` where a label is used.")


def shows_each_input(candidate: Candidate) -> None:
    """Check that `task_map` gives a finite map of each input, the same alone and with others; None without a name."""
    run = built(candidate, plain(2, 6))
    network = run.network.eval()
    inputs = run.splits["test"].batch(torch.arange(6)).inputs
    few, place = run.splits["test"].batch(torch.arange(2)).inputs, place_of(network, "task_map")
    for index, task in enumerate(run.tasks):
        with torch.no_grad():
            maps, some = network.task_map(inputs, index), network.task_map(few, index)
        if (maps is None) == bool(network.task_map_name):
            raise Fault(f"`task_map` should return a map if `task_map_name` is set, and None if it is empty. {place}")
        if maps is None or some is None:
            continue
        if maps.dim() != 3 or len(maps) != 6 or not torch.isfinite(maps).all():
            raise Fault(
                f"the map of task '{task.name}' is {tuple(maps.shape)} for 6 inputs, and should be finite numbers of "
                f"shape (6, h, w). {place}"
            )
        if not torch.allclose(maps[:2], some, rtol=1e-3, atol=1e-5 * float(maps.abs().max())):
            raise Fault(f"the map of task '{task.name}' of an input depends on the other inputs. {place}")
