"""One study that is being worked on: its plan, its folder that this process has leased, and its journal."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from mtbench.errors import Busy, RunError, UsageError
from mtbench.plan.spec import RunSpec
from mtbench.search.choice import leading
from mtbench.search.journal.checks import check_trials
from mtbench.search.journal.trials import Journal, JournalEntry, Outcome
from mtbench.search.planning import ROUND, StudyPlan
from mtbench.search.proposals import propose
from mtbench.search.request import BY_OPTUNA
from mtbench.store.files.atomic import make_folder, sweep
from mtbench.store.results import find_runs
from mtbench.store.run.lease import Lease, holder_of
from mtbench.store.status import RunStatus
from mtbench.store.study import FILE, Spent, Study, Trial, mean, write_study

__all__ = ["OpenStudy"]


class OpenStudy:
    """A study that no other process works on as long as the leases are held.

    Attributes:
        plan: the request for the study.
        chosen, retrained: see `Study`.

    Raises:
        Busy: another process works on it.
        StoreError: its folder or its journal cannot be read or written.
    """

    def __init__(self, plan: StudyPlan, results: Path, leases: ExitStack) -> None:
        self.plan, self.results = plan, results
        self.chosen: tuple[int, ...] = ()
        self.retrained: Mapping[int, tuple[str, ...]] = {}
        self._folder = plan.folder(results)
        make_folder(self._folder)
        try:
            self._lease = leases.enter_context(Lease(self._folder))
        except Busy as cause:
            who = f": {holder}" if (holder := holder_of(self._folder)) else ""
            raise Busy(
                f"another mtbench works on the search in {self._folder}{who}.", mend="Wait for it, or stop it."
            ) from cause
        sweep(self._folder, [FILE])
        study = plan.study
        self._journal = Journal(
            self._folder, self._lease, name=study.id, axes=plan.axes, higher=study.higher_is_better, size=ROUND
        )
        self._specs: dict[int, list[RunSpec] | str] = {}
        check_trials(plan, self._journal, self.specs, results)

    def ask(self, began: int) -> list[int]:
        """Return the trials of a round that are not finished; missing ones are proposed now."""
        plan, end = self.plan, min(began + ROUND, self.plan.trials)
        for number in range(len(self._journal.entries()), end):
            past = [entry.past for entry in self._journal.entries()]
            higher = plan.study.higher_is_better
            proposal = propose(plan.axes, plan.request.sampler, plan.request.seed, higher, past, number, ROUND)
            # A default outside of the space, and only it, has no point there.
            asked = {axis.name: axis.text(proposal.point) for axis in plan.axes} if number and proposal.point else {}
            self._journal.add(proposal, asked or plan.default)
        return [entry.number for entry in self._journal.entries()[began:end] if entry.state == "asked"]

    def specs(self, number: int) -> list[RunSpec]:
        """Return the runs of a trial; none if its values do not fit together."""
        runs = self._planned(number)
        return [] if isinstance(runs, str) else runs

    def store_outcome(self, number: int, runs: Sequence[RunStatus]) -> None:
        """Store the outcome of a trial's runs.

        Raises:
            RunError: one of them has neither a record nor a failure of its own.
        """
        for run in runs:
            if run.record is None and run.state != "failed":
                why = run.why or "it was not done"
                raise RunError(
                    f"the run in {run.folder} has no record: {why.rstrip('.')}.", mend="Run the command again."
                )
        planned = self._planned(number)
        outcome = Outcome(why=planned) if isinstance(planned, str) else self._outcome(runs)
        score = None if outcome.values is None else self.plan.study.score(outcome.values)
        self._journal.tell(number, outcome, score)

    def retraining_specs(self, number: int) -> list[RunSpec]:
        """Return the runs of a trial on all training images, with report seeds."""
        seeds = self.plan.report_seeds
        return self.plan.specs(self._journal.entries()[number].asked, seeds, validation=False) if seeds else []

    def folders(self, runs: Sequence[RunStatus]) -> tuple[str, ...]:
        """Return the folders, below the results folder, of the runs that have a record."""
        return tuple(self._below(run.folder) for run in runs if run.record is not None)

    def current(self) -> Study:
        """Return the study in its current state, with the requested number of trials."""
        everything = self._journal.entries()
        entries, beyond = everything[: self.plan.trials], everything[self.plan.trials :]
        spent = {run: cost for entry in entries for run, cost in entry.outcome.runs.items()}
        study = dataclasses.replace(
            self.plan.study,
            planned=self.plan.trials,
            trials=tuple(map(self._trial, entries)),
            chosen=self.chosen,
            retrained=self.retrained,
            spent=Spent(
                trials=sum(entry.state != "asked" for entry in entries),
                runs=len(spent),
                epochs=sum(epochs for epochs, _ in spent.values()),
                seconds=math.fsum(seconds for _, seconds in spent.values()),
            ),
            set_aside=tuple(run for entry in beyond for run in self._runs(entry)),
            optuna=_proposers(self.plan, entries),
        )
        best = leading(study)
        marked = [dataclasses.replace(trial, front=trial.number in best) for trial in study.trials]
        return dataclasses.replace(study, trials=tuple(marked))

    def write(self) -> None:
        """Write the study.

        Raises:
            Busy: another process has taken it over.
        """
        self._lease.check()
        write_study(self._folder, self.current())

    def _planned(self, number: int) -> list[RunSpec] | str:
        """Return the runs of a trial, or the reason why it has none."""
        if number not in self._specs:
            entry, seeds = self._journal.entries()[number], self.plan.request.seeds
            try:
                self._specs[number] = self.plan.specs(entry.asked, seeds, validation=True)
            except UsageError as cause:
                self._specs[number] = str(cause)
        return self._specs[number]

    def _outcome(self, runs: Sequence[RunStatus]) -> Outcome:
        """Return the outcome of a trial: for each task the mean over its runs of the metric on the validation split.

        It failed if one of its runs did, or cannot be measured there.
        """
        spent: dict[str, tuple[int, float]] = {}
        scores: dict[str, list[float]] = {task.name: [] for task in self.plan.tasks}
        why = ""
        for run in runs:
            if run.record is None:
                why = why or run.why
                continue
            spent[self._below(run.folder)] = (run.record.curve[-1].epoch, run.record.cost.wall_seconds)
            for task in run.record.tasks:
                scores[task.name].append(run.record.score(task, "val"))
        if not why and not all(math.isfinite(score) for each in scores.values() for score in each):
            why = "a task cannot be measured on the validation split"
        values = None if why else {name: mean(each) for name, each in scores.items()}
        return Outcome(values=values, runs=spent, why=why)

    def _trial(self, entry: JournalEntry) -> Trial:
        specs = self.specs(entry.number)
        return Trial(
            number=entry.number,
            state=entry.state,
            asked=entry.asked,
            titles=specs[0].titles if specs else self.plan.study.titles,
            values=entry.outcome.values,
            runs=self._runs(entry),
            why=entry.outcome.why,
        )

    def _runs(self, entry: JournalEntry) -> tuple[str, ...]:
        return tuple(self._below(run.path) for run in find_runs(self.results, self.specs(entry.number)))

    def _below(self, folder: Path) -> str:
        return folder.relative_to(self.results).as_posix()


def _proposers(plan: StudyPlan, entries: Sequence[JournalEntry]) -> tuple[str, ...]:
    """Return the versions of Optuna that proposed the trials after the default, each once; none if it proposes none."""
    if plan.request.sampler not in BY_OPTUNA:
        return ()
    found = tuple(dict.fromkeys(entry.optuna for entry in entries[1:]))
    return () if found == ("",) else found
