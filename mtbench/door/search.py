"""Hyperparameter searches from Python."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from mtbench.door.given import DEFAULT_RESULTS, Folder, folders, names, seed_list
from mtbench.door.given import settings as texts
from mtbench.door.run import tracked, work_on
from mtbench.engines.chosen import execution_of
from mtbench.search.journal.versions import check_versions, unlike_versions
from mtbench.search.planning import plan_search
from mtbench.search.remaining import remaining_runs
from mtbench.search.request import TUNING, SearchRequest
from mtbench.search.rounds import run_search
from mtbench.store.study import Study, Trial

__all__ = ["search"]


def search(
    methods: str | Iterable[str],
    dataset: str | Iterable[str],
    *,
    trials: int | None = None,
    space: Mapping[str, str] | None = None,
    objective: str = "",
    sampler: str = "tpe",
    seeds: int | Iterable[int] = 1,
    seed: int = 0,
    retrain: int | None = None,
    points: str = "front",
    protocol: str = "paper",
    backbone: str = "",
    results: Folder = DEFAULT_RESULTS,
    data_root: Folder | None = None,
    device: str = "auto",
    jobs: int | None = None,
    runs_per_device: int = 1,
    engine: str = "local",
    checkpoint_every: float = 0,
    refresh: str | Iterable[str] = (),
    track: str | Iterable[str] = (),
    strict: bool = False,
    quiet: bool = False,
    **settings: object,
) -> pd.DataFrame:
    """Search hyperparameters of methods on a validation split, and retrain what was chosen on all training examples.

    Trials that are in the results folder already are not retrained. The retrained runs alone are reported, by
    `mtbench.load` and `mtbench.report`.

    Args:
        methods: methods such as ``td`` or ``branches+fixed``; a network alone is searched over its task weights.
        dataset: one dataset or several.
        trials: trials of each method; by default 20, or the whole grid.
        space: values to search by name, such as ``{"lr": "1e-4..1e-2:log", "channels": "1/2/6"}``; by default the
            learning rate and what each method declares; ``{"options": "declared"}`` adds the latter to named ones.
        objective: ``tasks`` (one per task) or ``mean``; by default ``tasks`` where task weights are searched.
        sampler: ``tpe``, ``nsga2``, ``qmc`` or ``grid``.
        seeds: seeds of each trial: a count from 1000, or a list.
        seed: seed of the proposals.
        retrain: number of seeds that what was chosen is retrained with; by default as the training protocol says.
        points: with one objective per task, retrain the ``front`` or ``all``.
        protocol: one of the dataset's training protocols.
        backbone: the backbone of methods that name none; by default the dataset's.
        results: the results folder to write to.
        data_root: the folder of the data files, see `mtbench.run`.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        jobs: runs at a time; by default one per core, or as the GPUs allow.
        runs_per_device: runs at a time on each GPU.
        engine: the engine that executes the runs, see `mtbench.run`; it must wait for them.
        checkpoint_every: seconds between two checkpoints of a run, see `mtbench.run`.
        refresh: states in which runs are retrained, see `mtbench.run`.
        track: trackers that are sent the curves of all trials, see `mtbench.run`.
        strict: True to refuse to resume a search whose trials another version of Optuna proposed.
        quiet: True to print no progress.
        settings: settings of the training protocol that are to differ, such as ``epochs=10``.

    Returns:
        a tidy frame with one row per method, dataset, trial and task: the settings that were tried as texts, one column
        each, the task's primary metric on the validation split as ``value``, whether the trial is on the ``front`` (or
        the best one), and whether it was ``chosen``. A failed trial is one row with the reason as ``why``.

    Raises:
        UsageError: something that was asked for does not exist or does not fit.
        DataError: the data cannot be had.
        StoreError: the results folder cannot be read or written.
        Stopped: Ctrl-C or SIGTERM was received.

    Example:
        >>> trials = mtbench.search("uniform", "toy2", space={"lr": "1e-3/1e-2"}, sampler="grid", retrain=0,
        ...                         epochs=1, images=20, quiet=True)
        >>> trials[["trial", "lr", "task", "state"]].values.tolist()
        [[0, '0.001', 'L1', 'done'], [0, '0.001', 'L2', 'done'], [1, '0.01', 'L1', 'done'], [1, '0.01', 'L2', 'done']]
    """
    tuning = list(range(TUNING, TUNING + seeds)) if isinstance(seeds, int) else seed_list(seeds)
    request = SearchRequest(
        datasets=names(dataset),
        methods=names(methods),
        protocol=protocol,
        settings=texts(settings),
        backbone=backbone,
        space=dict(space or {}),
        sampler=sampler,
        objective=objective,
        trials=trials,
        seeds=tuning or [],
        seed=seed,
        retrain=retrain,
        points=points,
    )
    plans = plan_search(request)
    if strict:
        check_versions(plans, folders(results)[0])
    execution = execution_of(engine, device, jobs, runs_per_device, checkpoint_every)
    work = work_on(results, data_root, execution, refresh, quiet=quiet)
    firsts = [plan.specs(plan.default, request.seeds, validation=True)[0] for plan in plans]
    work.check_waits()
    work.check(firsts)
    work.prepare(firsts)
    for line in unlike_versions(plans, work.results):
        work.say(line)
    work.check_fit([spec for plan in plans for spec in remaining_runs(plan, work.results)])
    with tracked(work, track, quiet=quiet) as work:
        studies = run_search(plans, results=work.results, perform=work)
    return pd.DataFrame([row for study in studies for trial in study.trials for row in _rows(study, trial)])


def _rows(study: Study, trial: Trial) -> Iterator[dict[str, Any]]:
    found = {
        "dataset": study.titles.dataset,
        "protocol": study.titles.protocol,
        "method": study.titles.method,
        "trial": trial.number,
        "state": trial.state,
        **dict(trial.asked),
        "front": trial.front,
        "chosen": trial.number in study.chosen,
        "why": trial.why,
    }
    if trial.values is None:
        yield found
        return
    for task in study.tasks:
        of_task = {"task": task.name, "metric": task.metric, "unit": task.unit}
        yield {**found, **of_task, "value": trial.values[task.name]}
