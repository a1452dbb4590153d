"""The engine ``local``."""

from collections.abc import Sequence
from functools import partial

from mtbench.engines.engine import Engine, Job, Listener, Outcome, Site
from mtbench.engines.local.pool import run_all
from mtbench.engines.local.slots import slots
from mtbench.engines.local.worker import work

__all__ = ["Local"]


class Local(Engine):
    """Runs on this machine, each in a process of its own, one per core or as the GPUs allow."""

    is_local = True

    def places(self, device: str, jobs: int | None, runs_per_device: int) -> list[str]:
        return slots(device, jobs, runs_per_device)

    def execute(self, jobs: Sequence[Job], site: Site, listener: Listener) -> list[Outcome]:
        target = partial(work, checkpoint_every=site.checkpoint_every)
        return run_all(jobs, root=site.root, slots=site.places, listener=listener, target=target)
