"""Checks that a training depends only on its seed: not on interruptions, and not on evaluations."""

from mtbench.conformance.candidate import Candidate, Memory, built, state, trained
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import same, some, unlike
from mtbench.conformance.world import plain
from mtbench.contract import seeded
from mtbench.errors import PluginError
from mtbench.train.evaluate import evaluate

__all__ = ["is_not_changed_by_looking", "repeats", "resumes"]


def repeats(candidate: Candidate) -> None:
    """Train twice with one seed, with the global generators in two states, and once with another seed."""
    first = trained(candidate, plain(2, 96), seed=0)
    with seeded(1, "check", "disturbed"):
        second = trained(candidate, plain(2, 96), seed=0)
    other = trained(candidate, plain(2, 96), seed=1)
    if changed := unlike(first, second):
        raise Fault(
            f"two trainings with one seed differ in {some(changed)}: random numbers in `__init__` must come from "
            "`setup.initialized(NAME)`, and later ones from the global generators of torch, NumPy or Python, which are "
            "seeded at each epoch; other generators give other numbers."
        )
    if not unlike(first, other):
        raise Fault("two trainings with different seeds give the same weights.")


def resumes(candidate: Candidate) -> None:
    whole = trained(candidate, plain(2, 96))
    for stop_after in (1, 2):
        memory = Memory(stop_after=stop_after)
        trained(candidate, plain(2, 96), memory=memory)
        memory.stop_after = None
        if changed := unlike(trained(candidate, plain(2, 96), memory=memory), whole):
            raise Fault(
                f"interrupted after epoch {stop_after} and resumed, it differs in {some(changed)}: "
                "everything that a later step depends on must be in `state_dict()`, and random numbers must come from "
                "the global generators, which are seeded at each epoch."
            )


def is_not_changed_by_looking(candidate: Candidate) -> None:
    run = built(candidate, plain(2, 96))
    before = {name: value.clone() for name, value in state(run).items()}
    try:
        evaluate(run.network, run.splits["test"])
    except PluginError as cause:
        raise Fault(str(cause)) from cause
    if changed := [name for name, value in state(run).items() if not same(value, before[name])]:
        raise Fault(f"evaluation changes {some(changed)}.")
    never, always = (trained(candidate, plain(2, 96), points=points) for points in ((), (1, 2, 3)))
    if changed := unlike(never, always):
        raise Fault(f"a training with more evaluations differs in {some(changed)}.")
