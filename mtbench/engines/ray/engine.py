"""The engine ``ray``."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from mtbench.engines.engine import Engine, Job, Listener, Outcome, Site
from mtbench.engines.kinds import kinds_of
from mtbench.engines.local.slots import cores
from mtbench.engines.ray.cluster import Connection
from mtbench.engines.ray.driver import Driver
from mtbench.engines.ray.options import RayOptions
from mtbench.engines.stop import interrupts
from mtbench.errors import Stopped, UsageError
from mtbench.store.files.atomic import make_folder
from mtbench.store.identity.expected import expected_of, write_expected

__all__ = ["Ray"]

FOLDER = ".ray"
"""The folder among results for the code that commands expect."""
MANY = 10_000
"""Runs that are submitted at a time to a cluster whose size is not known here."""


class Ray(Engine):
    """Runs as tasks of a Ray cluster, whose machines share a folder; by default of a cluster that is started here."""

    Options: ClassVar[type[Any]] = RayOptions
    extra: ClassVar[str] = "mtbench[ray]"
    extra_modules: ClassVar[tuple[str, ...]] = ("ray",)

    options: RayOptions

    def places(self, device: str, jobs: int | None, runs_per_device: int) -> list[str]:
        gpus = self.options.gpus
        if runs_per_device > 1:
            raise UsageError(
                f"--runs-per-device is {runs_per_device}, and engine 'ray' gives each run a part of a GPU.",
                mend=f"Use --engine ray:gpus={1 / runs_per_device:.3g}.",
            )
        if device == "auto":
            device = "cuda" if gpus else "cpu"
        if device.partition(":")[0] != ("cuda" if gpus else "cpu") or ":" in device:
            raise UsageError(
                f"--device is '{device}', and engine 'ray' gives each run {gpus:g} GPUs.",
                mend="Leave --device out; with --engine ray:gpus=1 a run gets a GPU.",
            )
        return [device] * (jobs or (MANY if self.options.head else max(1, cores() // self.options.cpus)))

    def execute(self, jobs: Sequence[Job], site: Site, listener: Listener) -> list[Outcome]:
        room = len(site.places) * self.options.cpus
        with expected(jobs, site) as expect, interrupts() as asked:
            driver = Driver(jobs, site, expect, self.options, listener, asked)
            with Connection(self.options, room, asked) as cluster:
                driver.drive(cluster)
        if asked and (not driver.is_done or any(outcome.how == "stopped" for outcome in driver.outcomes)):
            raise Stopped(f"stopped by {asked[0].name}.", mend="The same command resumes it.")
        return driver.outcomes


@contextmanager
def expected(jobs: Sequence[Job], site: Site) -> Iterator[Path]:
    """Write the present code of the runs into a file, which exists as long as the block.

    Each machine may have another version of the code, and each would train with its own.
    """
    path = site.results / FOLDER / f"{uuid.uuid4().hex}.json"
    make_folder(path.parent)
    write_expected(path, expected_of(spec for spec, _ in kinds_of(jobs)))
    try:
        yield path
    finally:
        with suppress(OSError):  # other commands may have files there
            path.unlink()
            path.parent.rmdir()
