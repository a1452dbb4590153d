"""The space on the disk that runs will take, from the sizes of their networks, which planning knows.

A finished run keeps its weights, and its record with the curve and the predictions. A run that is under way has a
checkpoint: the state of its network, once more that of the best epoch if one is selected, and that of its optimizer.
While one checkpoint is replaced by the next both are there. Small states, such as those of most balancers, are left
out, and so are predictions of maps, whose size depends on the number of test examples.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.contract import TrainingProtocol
from mtbench.plan.facts import Facts, facts_of
from mtbench.plan.spec import RunSpec
from mtbench.store.upkeep.space import check_space, free_space, megabytes

__all__ = ["LARGE", "RECORD", "Space", "check_fit", "checkpoint_bytes", "space_kind", "space_of", "space_text"]

RECORD = 100_000
"""Bytes of a record with its curve and the predictions of numbers and classes; kept ones have 20 to 130 kB."""
LARGE = 1_000_000_000
"""Bytes from which on a command names the space that it needs."""
STATES = {"adam": 2, "adamw": 2, "sgd": 1, "adagrad": 1, "muon": 2}
"""Numbers that an optimizer stores for each trained parameter; muon stores 1 for those of matrices."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """The bytes that runs need.

    Attributes:
        runs: the number of runs.
        kept: bytes of their weights and records.
        passing: bytes of the checkpoints of those that are trained at a time.
    """

    runs: int
    kept: int
    passing: int

    @property
    def total(self) -> int:
        """The bytes that are needed at most."""
        return self.kept + self.passing


def space_of(specs: Sequence[RunSpec], places: int) -> Space:
    """Return the space that runs need.

    Args:
        places: the number of runs that are trained at a time.
    """
    counts, examples = Counter[tuple[object, ...]](), dict[tuple[object, ...], RunSpec]()
    for spec in specs:
        kind = space_kind(spec)
        counts[kind] += 1
        examples.setdefault(kind, spec)
    kept, checkpoints = 0, Counter[int]()
    for kind, count in counts.items():
        spec = examples[kind]
        facts = _facts(spec)
        kept += count * (facts.state_bytes + RECORD)
        checkpoints[_checkpoint(spec.protocol, facts)] += count
    largest = sorted(checkpoints.elements(), reverse=True)[:places]
    return Space(runs=len(specs), kept=kept, passing=2 * sum(largest))


def space_text(space: Space, results: Path) -> str:
    """Return a sentence with the space that runs need and the free one."""
    return (
        f"Weights and records need about {megabytes(space.kept)} in {results}, and meanwhile checkpoints "
        f"{megabytes(space.passing)}; {megabytes(free_space(results))} are free there."
    )


def check_fit(space: Space, results: Path) -> None:
    """Refuse runs for which the disk has no space.

    Raises:
        StoreError: there is less; the text has both numbers.
    """
    runs = "1 run" if space.runs == 1 else f"{space.runs:,} runs"
    check_space(results, space.total, f"the weights, records and checkpoints of {runs}")


def space_kind(spec: RunSpec) -> tuple[object, ...]:
    """Return a value that is equal for runs whose weights and checkpoints have the same size."""
    parts = (spec.dataset, spec.network, spec.balancer, spec.backbone)
    return (*map(str, parts), spec.protocol.optimizer, spec.protocol.momentum, spec.protocol.select)


def checkpoint_bytes(spec: RunSpec) -> int:
    """Return the bytes of a checkpoint of a run."""
    return _checkpoint(spec.protocol, _facts(spec))


def _facts(spec: RunSpec) -> Facts:
    chosen = spec.resolve()
    return facts_of(chosen.dataset, chosen.method, chosen.backbone)


def _checkpoint(protocol: TrainingProtocol, facts: Facts) -> int:
    stores = 0 if protocol.optimizer == "sgd" and not protocol.momentum else STATES[protocol.optimizer]
    return facts.state_bytes * (2 if protocol.select == "best-val" else 1) + stores * facts.trained_bytes
