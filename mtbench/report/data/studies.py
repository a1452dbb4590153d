"""Findings of searches, among the runs of a report: what was retrained, and beside which runs it belongs."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.contract import TrainingProtocol
from mtbench.plan.spec import folder_name
from mtbench.report.data.comparison import Comparison
from mtbench.report.text import listed, slug
from mtbench.store.status import RunStatus
from mtbench.store.study import Study, Trial

__all__ = ["StudyRuns", "find_studies", "home", "in_tables", "setting", "unfinished", "without_trials"]


@dataclass(frozen=True, kw_only=True)
class StudyRuns:
    """A study, and the runs that were retrained on all training images.

    Attributes:
        study: the study as stored.
        again: the runs with report seeds that have a record, by number of the trial.
        label: the suite's name of the method; empty outside of a suite.
        tried: the runs of trials that have a record, each once.
        origin: the name of the pack that it is kept in, where a report sets it beside the reader's own searches; empty
            for these.
    """

    study: Study
    again: Mapping[int, tuple[RunStatus, ...]]
    label: str = ""
    tried: tuple[RunStatus, ...] = ()
    origin: str = ""

    @property
    def title(self) -> str:
        """The name for people of what was searched; where tasks' weights are, that is a network with a balancer."""
        if self.label:
            return self.label
        weighs = any(text.startswith("simplex") for text in self.study.space.values())
        return self.study.method if weighs or self.study.objective != "mean" else self.study.titles.method

    @property
    def seeds(self) -> tuple[int, ...]:
        """The report seeds of which there is a run."""
        return tuple(sorted({run.spec.seed for runs in self.again.values() for run in runs}))

    @property
    def protocol(self) -> TrainingProtocol:
        """The protocol, as that of a `Comparison`."""
        return _numbers(self.study.protocol)

    @property
    def stale(self) -> bool:
        """True if any of what was retrained is stale."""
        return any(run.state == "stale" for runs in self.again.values() for run in runs)

    @property
    def chosen(self) -> int | None:
        """The number of the trial with the best mean over tasks; None before anything was chosen."""
        best = [number for number in self.study.chosen if number] or list(self.study.chosen)
        return best[0] if best else None

    @property
    def tuned(self) -> tuple[RunStatus, ...]:
        """The runs that were retrained with the chosen setting, which may be the default."""
        return () if self.chosen is None else tuple(self.again.get(self.chosen, ()))

    def scores(self, number: int, seeds: Sequence[int]) -> NDArray[np.float64]:
        """(S, T) the test metric of a trial that was retrained, NaN where there is no run."""
        records = {run.spec.seed: run.record for run in self.again.get(number, ()) if run.record is not None}
        values = np.full((len(seeds), len(self.study.tasks)), np.nan)
        for row, seed in enumerate(seeds):
            if seed in records:
                values[row] = [records[seed].score(task) for task in self.study.tasks]
        return values


def find_studies(studies: Iterable[Study], statuses: Iterable[RunStatus]) -> list[StudyRuns]:
    """Return studies, each with those of its runs that are there and have a record.

    A run is known by the name of its folder, which ends with its identity, so that it may lie in another results folder
    than the study.
    """
    runs = {status.folder.name: status for status in statuses if status.record is not None}
    return [
        StudyRuns(
            study=study,
            again={
                number: tuple(runs[name] for name in _names(folders) if name in runs)
                for number, folders in study.retrained.items()
            },
            tried=tuple(
                runs[name]
                for name in dict.fromkeys(_names(run for trial in study.trials for run in trial.runs))
                if name in runs
            ),
        )
        for study in studies
    ]


def without_trials(statuses: Iterable[RunStatus], studies: Iterable[StudyRuns]) -> list[RunStatus]:
    """Return all runs but trials, by which settings were chosen, so that nobody is to see their test split.

    A trial is named by its study. Its spec says so too, unless the search is of an earlier version.
    """
    trials = {name for found in studies for name in _names(found.study.trial_runs)}
    again = {run.folder.name for found in studies for runs in found.again.values() for run in runs}
    return [
        status
        for status in statuses
        if status.folder.name in again or not (status.folder.name in trials or _is_trial(status))
    ]


def _is_trial(status: RunStatus) -> bool:
    return status.spec.trial or (status.record is not None and status.record.spec.trial)


def in_tables(statuses: Sequence[RunStatus], studies: Sequence[StudyRuns]) -> tuple[list[RunStatus], list[str]]:
    """Return the runs that tables of methods are made of, and in sentences which are left out.

    Left out are trials, which are of a validation split and of tuning seeds; and what was retrained with settings of
    the training protocol, such as a learning rate, with which nothing else was trained: the table of the search has it.
    """
    rest = without_trials(statuses, studies)
    again = {run.folder.name: found for found in studies for runs in found.again.values() for run in runs}

    def alone(status: RunStatus) -> bool:
        name = status.folder.name
        return name in again and again[name].protocol != _numbers(status.spec.protocol)

    shared = {_group(status) for status in rest if not alone(status)}
    shown = [status for status in rest if _group(status) in shared]
    counts = (
        (len(statuses) - len(rest), "only trials of a search; mtbench status shows them"),
        (len(rest) - len(shown), "retrained with settings that a search chose; see its table"),
    )
    return shown, [
        f"Left out of the tables of methods: {count} run{'s' * (count > 1)}, {what}." for count, what in counts if count
    ]


def _names(folders: Iterable[str]) -> Iterator[str]:
    return (folder.rpartition("/")[2] for folder in folders)


def home(found: StudyRuns, comparisons: Iterable[Comparison]) -> Comparison:
    """Return the comparison of the same dataset and protocol; if there is none, one without methods."""
    study = found.study
    for comparison in comparisons:
        if (comparison.dataset, _numbers(comparison.protocol)) == (study.dataset, found.protocol):
            return comparison
    return Comparison(
        dataset=study.dataset,
        folder=folder_name(study.titles.dataset),
        title=study.titles.protocol,
        slug=slug(study.titles.protocol),
        protocol=found.protocol,
        tasks=study.tasks,
        methods=(),
    )


def setting(trial: Trial) -> str:
    """Say what a trial asked: ``weights 0.312/0.688``, or ``lr=0.003, alpha=1.5``; numbers to three digits."""
    parts = []
    for name, value in trial.asked.items():
        short = "/".join(map(_short, value.split("/")))
        parts.append(f"{name} {short}" if "/" in value else f"{name}={short}")
    return ", ".join(parts)


def unfinished(study: Study) -> list[str]:
    """Sentences on what is not there yet, and on trials that failed."""
    finished = study.finished
    told = []
    if finished < study.planned:
        told.append(f"The search is not finished: {finished} of {study.planned} trials are.")
    for trial in study.trials:
        if trial.state == "failed":
            told.append(f"Trial {trial.number} ({setting(trial)}) failed: {trial.why.rstrip('.')}.")
    if len(study.optuna) > 1:
        versions = listed(version or "an unknown version" for version in study.optuna)
        told.append(f"Trials were proposed by Optuna {versions}, which may propose other points from the same trials.")
    if not study.retrained and finished:
        told.append("No trial has been retrained, so that test metrics are unknown.")
    for number, runs in study.retrained.items():
        if lacking := len(study.report_seeds) - len(runs):
            told.append(f"Trial {number}, retrained: {lacking} of {len(study.report_seeds)} runs are lacking.")
    return told


def _short(number: str) -> str:
    try:
        return f"{float(number):.3g}"
    except ValueError:
        return number


def _numbers(protocol: TrainingProtocol) -> TrainingProtocol:
    return dataclasses.replace(protocol, seeds=1)


def _group(status: RunStatus) -> tuple[str, TrainingProtocol]:
    return str(status.spec.dataset), _numbers(status.spec.protocol)
