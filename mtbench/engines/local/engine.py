"""The engine ``local``."""

from collections.abc import Sequence

from mtbench.engines.engine import Engine, Job, Listener, Outcome, Site
from mtbench.engines.local.pool import run_all
from mtbench.engines.local.slots import slots

__all__ = ["Local"]


class Local(Engine):
    """Runs on this machine, each in a process of its own, one per core or as the GPUs allow."""

    def execute(self, jobs: Sequence[Job], site: Site, listener: Listener) -> list[Outcome]:
        places = slots(site.device, site.jobs, site.runs_per_device)
        return run_all(jobs, root=site.root, slots=places, listener=listener)
