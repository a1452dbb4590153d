"""Kinds of runs, which differ in their seed alone: what is the same for all of a kind is found once."""

import json
from collections.abc import Sequence

from mtbench.engines.engine import Job
from mtbench.errors import StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.files.guard import SHORT, read_guarded
from mtbench.store.run.folder import read_spec

__all__ = ["kinds_of"]


def kinds_of(jobs: Sequence[Job]) -> list[tuple[RunSpec, list[Job]]]:
    """Return the kinds of runs, which differ in their seed alone, each with the spec of one of them.

    Raises:
        StoreError: a spec cannot be read.
    """
    kinds: dict[str, list[Job]] = {}
    for job in jobs:
        path = job.folder / "spec.json"
        try:
            found = json.loads(read_guarded(path, SHORT))  # a fifth of the time that a spec takes, of a thousand runs
            found.pop("seed")
        except (OSError, ValueError, KeyError, AttributeError) as cause:
            raise StoreError(f"{path} is not the spec of a run.") from cause
        kinds.setdefault(json.dumps(found, sort_keys=True), []).append(job)
    return [(read_spec(alike[0].folder / "spec.json"), alike) for alike in kinds.values()]
