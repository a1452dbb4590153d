"""The work of training: what becomes of each run that was asked for, and doing those that are left."""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mtbench.engines.agenda import REFRESH, Agenda, job_of, make_agenda, supersede
from mtbench.engines.chosen import Execution
from mtbench.engines.engine import Outcome, Site
from mtbench.engines.forecast import estimate
from mtbench.engines.screen.display import Display
from mtbench.engines.space import check_fit, space_of
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.spec import RunSpec
from mtbench.store.files.reading import refuse_pack
from mtbench.store.identity.fingerprint import code
from mtbench.store.preparation import preparing
from mtbench.store.results import check_results, find_runs, mark_results
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import tidy_up
from mtbench.store.status import RunStatus, status_of
from mtbench.train.machine.device import check_precision, choose_device

__all__ = ["Work", "check_refresh"]


def check_refresh(states: Collection[str], *, option: str = "refresh") -> None:
    """Refuse states in which no run can be retrained.

    Raises:
        UsageError: there is one.
    """
    for name in sorted(set(states) - set(REFRESH)):
        raise UsageError(
            f"{option} is '{name}'.", mend=did_you_mean(name, REFRESH), allowed=f"Allowed: {', '.join(REFRESH)}."
        )


@dataclass(frozen=True, kw_only=True)
class Work:
    """Place and manner of training.

    Attributes:
        results: the folder of the runs.
        root: the folder of the data files.
        execution: the engine, and a device for each run that may be at work at a time.
        refresh: the states in which runs are retrained.
        display: makes a display for a number of runs, on which they are shown while they are at work.
        announce: called with a title, such as ``trials 0 to 3``, or an empty one, and what is to be done, before it is.
        say: called with each line about data that are fetched or made.
        observe: called with the folders of the runs that are asked for, before they are done.

    Raises:
        StoreError: the results are a pack, which is only read.
    """

    results: Path
    root: Path
    execution: Execution
    refresh: Collection[str] = field(default=())
    display: Callable[[int], Display]
    announce: Callable[[str, Agenda], None] = lambda _, __: None
    say: Callable[[str], None] = lambda _: None
    observe: Callable[[Sequence[Path]], None] = lambda _: None

    def __post_init__(self) -> None:
        refuse_pack(self.results)

    @property
    def places(self) -> Sequence[str]:
        """A device for each run that may be at work at a time."""
        return self.execution.places

    def check(self, specs: Sequence[RunSpec]) -> None:
        """Refuse runs that the device cannot do; devices of other machines are not known here.

        Raises:
            UsageError: it does not have the precision of one of them.
        """
        if not self.execution.engine.is_local:
            return
        for precision in {spec.protocol.precision for spec in specs}:
            check_precision(choose_device(self.places[0]), precision)

    def prepare(self, specs: Sequence[RunSpec]) -> None:
        """Fetch or make the data files of runs.

        Raises:
            DataError: one cannot be had.
        """
        with preparing(self.root):
            for spec in {str(spec.dataset): spec for spec in specs}.values():
                spec.resolve().dataset.open(self.root).prepare(self.say)

    def seconds(self, specs: Sequence[RunSpec]) -> float | None:
        """Estimate the seconds that runs will take together; None if the speed of the machines is not known."""
        if not (specs and self.execution.engine.is_local):
            return None
        return estimate(specs, root=self.root, slots=self.places)

    def check_fit(self, specs: Sequence[RunSpec]) -> None:
        """Refuse runs for which the disk has no space.

        Raises:
            StoreError: it has less than they need about.
        """
        check_fit(space_of(specs, len(self.places)), self.results)

    def agenda(self, specs: Sequence[RunSpec], *, write: bool) -> Agenda:
        """Return what is to become of each run.

        Args:
            specs: the runs, each once.
            write: True to write each run's ``spec.json``.

        Raises:
            StoreError: the results folder cannot be read or written, or is of a newer mtbench.
        """
        (mark_results if write else check_results)(self.results)
        if write:
            for folder, spec in zip(find_runs(self.results, specs), specs, strict=True):
                folder.write_spec(spec)
        return make_agenda(self.statuses(specs), set(self.refresh))

    def statuses(self, specs: Sequence[RunSpec]) -> list[RunStatus]:
        """Return the present state of each run, in the order given."""
        codes = cache(code)  # each plug-in's source is read once
        folders = find_runs(self.results, specs)
        return [status_of(folder.path, spec, self.root, codes) for folder, spec in zip(folders, specs, strict=True)]

    def execute(self, agenda: Agenda) -> list[Outcome]:
        """Do the runs that are to be done, and show them on the display.

        Raises:
            StoreError: the disk has no space for them.
            Stopped: Ctrl-C or SIGTERM was received.
        """
        for run in agenda.done:
            tidy_up(RunFolder(run.folder))
        self.check_fit([run.spec for run in agenda.todo])
        for run in agenda.again:
            supersede(run, self.root)
        self.observe([run.folder for run in (*agenda.todo, *agenda.done, *agenda.left)])
        if not agenda.todo:
            return []
        jobs = [job_of(run.folder, run.spec) for run in agenda.todo]
        with self.display(len(jobs)) as display:
            return self.execution.engine.execute(jobs, self._site, display)

    def check_waits(self) -> None:
        """Refuse an engine that leaves runs to a scheduler, where the next step needs their results.

        Raises:
            UsageError: it is one.
        """
        if not self.execution.engine.waits:
            raise UsageError(
                "the results of the runs are needed next, and the engine does not wait for them.",
                mend="Add --follow, or the option follow=true of the engine, e.g. slurm:follow=true.",
            )

    @property
    def _site(self) -> Site:
        return Site(
            results=self.results.absolute(),
            root=self.root.absolute(),
            places=self.places,
            checkpoint_every=self.execution.checkpoint_every,
        )

    def __call__(self, specs: Sequence[RunSpec], what: str = "") -> list[RunStatus]:
        """Do the runs that are not done yet, and return the state of each then, in the order given.

        Args:
            specs: the runs, each once.
            what: a title for `announce`.

        Raises:
            StoreError: the results folder cannot be read or written.
            UsageError: the engine does not wait for the runs.
            Stopped: Ctrl-C or SIGTERM was received.
        """
        self.check_waits()
        agenda = self.agenda(specs, write=True)
        self.announce(what, agenda)
        reasons = {outcome.job.folder: outcome.why for outcome in self.execute(agenda)}
        # What kept a run from being done is in its folder, unless that is where nothing could be written.
        return [dataclasses.replace(run, why=run.why or reasons.get(run.folder, "")) for run in self.statuses(specs)]
