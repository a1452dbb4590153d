"""The check of what a network does as a task is added to it."""

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import same, some
from mtbench.conformance.world import plain
from mtbench.contract.authors import place_of

__all__ = ["welcomes"]


def welcomes(candidate: Candidate) -> None:
    """Check that `welcome` sets values in the parts that grow with each task, and in no others.

    Raises:
        Fault: a tensor has another shape, or one of a part that tasks share another value.
    """
    network = built(candidate, plain(2, 2)).network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.welcome(1)
    after, place = network.state_dict(), place_of(network, "welcome")
    reshaped = [name for name in before if name not in after or after[name].shape != before[name].shape]
    if reshaped or (reshaped := sorted(after.keys() - before.keys())):
        name = reshaped[0]
        shapes = [tuple(values[name].shape) if name in values else "not there" for values in (before, after)]
        raise Fault(
            f"`welcome` changes the shape of {some(reshaped)} ('{name}' was {shapes[0]} and is {shapes[1]}): it sets "
            f"values, and the network has the parts of all tasks from the start. {place}"
        )
    own = network.per_task
    if shared := [name for name in before if name.partition(".")[0] not in own and not same(before[name], after[name])]:
        raise Fault(
            f"`welcome` changes {some(shared)}, which the other tasks share: it sets what the new task has of its own, "
            f"in parts that are named in `per_task`. {place}"
        )
