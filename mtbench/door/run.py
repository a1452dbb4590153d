"""Training from Python."""

import dataclasses
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pandas as pd

from mtbench.door.given import DEFAULT_RESULTS, Folder, data_root, folders, names, seed_list
from mtbench.door.given import settings as texts
from mtbench.door.training.tracking import tracking
from mtbench.door.training.work import Work, check_refresh
from mtbench.engines.chosen import Execution, execution_of
from mtbench.engines.screen.display import choose_display
from mtbench.engines.screen.say import open_console, say
from mtbench.plan.grid import Request, plan
from mtbench.report.data.comparison import compare
from mtbench.report.data.frame import tidy_frame
from mtbench.store.status import RunStatus

__all__ = ["run", "tracked", "warn_of_unfinished", "work_on"]


def run(
    methods: str | Iterable[str] = "all",
    dataset: str | Iterable[str] = (),
    seeds: int | Iterable[int] | None = None,
    *,
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
    quiet: bool = False,
    **settings: object,
) -> pd.DataFrame:
    """Train methods on datasets, several runs at a time, and return their results.

    A run that has a record already is not retrained. Ctrl-C stops the call, and the same call resumes it. A run that
    fails is a row of the result with its reason, and a warning.

    Args:
        methods: methods such as ``td:channels=6`` or ``branches+pcgrad``, as a list or as one text with commas; ``all``
            is every method that is installed.
        dataset: one dataset or several, such as ``mmnist3``.
        seeds: a count from 0 or a list of seeds; by default as many as the training protocol says.
        protocol: one of the dataset's training protocols: ``paper``, or ``quick`` for a preview.
        backbone: the backbone of methods that name none; by default the dataset's.
        results: the results folder to write to.
        data_root: the folder of the data files; by default that of the environment variable MTBENCH_DATA, or the
            platform's folder for user data.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        jobs: runs at a time; by default one per core, or as the GPUs allow.
        runs_per_device: runs at a time on each GPU.
        engine: the engine that executes the runs, with its options: ``local``, ``slurm:partition=main:follow=true`` …
        checkpoint_every: seconds between two checkpoints of a run, which are written at the end of an epoch; 0 for one
            after each epoch.
        refresh: states in which runs are retrained: ``stale``, ``failed``, ``damaged`` or ``all``.
        track: trackers that are sent the curves of the runs, such as ``tensorboard`` or ``mlflow:experiment=mine``, as
            a list or as one text.
        quiet: True to print no progress.
        settings: settings of the training protocol that are to differ, such as ``epochs=10`` or ``lr=3e-4``.

    Returns:
        the tidy frame of the runs that were asked for, see `mtbench.load`.

    Raises:
        UsageError: something that was asked for does not exist or does not fit.
        DataError: the data cannot be had.
        StoreError: the results folder cannot be read or written.
        Stopped: Ctrl-C or SIGTERM was received.

    Example:
        >>> frame = mtbench.run(["uniform", "moo"], "toy2", seeds=2, epochs=1, images=20, quiet=True)
        >>> test = frame[(frame.split == "test") & frame.primary & (frame.task == "mean")]
        >>> test[["method", "seed", "metric"]].values.tolist()
        [['moo', 0, 'objective'], ['moo', 1, 'objective'], ['uniform', 0, 'objective'], ['uniform', 1, 'objective']]
    """
    request = Request(
        methods=names(methods),
        datasets=names(dataset),
        protocol=protocol,
        settings=texts(settings),
        seeds=seed_list(seeds),
        backbone=backbone,
    )
    execution = execution_of(engine, device, jobs, runs_per_device, checkpoint_every)
    work = work_on(results, data_root, execution, refresh, quiet=quiet)
    with tracked(work, track, quiet=quiet) as work:
        specs = plan(request, left_out=work.say)
        work.check_waits()
        work.check(specs)
        work.prepare(specs)
        runs = work(specs)
    warn_of_unfinished(runs)
    return tidy_frame(compare(runs))


def work_on(
    results: Folder, root: Folder | None, execution: Execution, refresh: str | Iterable[str], *, quiet: bool
) -> Work:
    """Return the work of a function of this package, which shows its progress on the screen.

    Raises:
        UsageError: `refresh` is no state.
    """
    console, states = open_console(quiet=quiet, outlived=True), set(names(refresh))
    check_refresh(states)
    return Work(
        results=folders(results)[0],
        root=data_root(root),
        execution=execution,
        refresh=states,
        display=lambda total: choose_display(console, total, quiet=quiet),
        say=lambda line: say(console, line, style="dim", markup=False),
    )


@contextmanager
def tracked(work: Work, trackers: str | Iterable[str], *, quiet: bool) -> Iterator[Work]:
    """Return the same work, whose runs are tracked within the block.

    Raises:
        UsageError, PluginError: see `mtbench.door.training.tracking.parse_tracker`.
    """
    chosen = [trackers] if isinstance(trackers, str) else trackers
    console = open_console(outlived=True)
    with tracking(chosen, work.results, lambda line: say(console, line, markup=False), quiet=quiet) as observe:
        yield dataclasses.replace(work, observe=observe)


def warn_of_unfinished(runs: Iterable[RunStatus]) -> None:
    """Warn of runs without a record, and say why they have none."""
    reasons = [
        f"{run.spec.titles.dataset} {run.spec.titles.method} seed {run.spec.seed} {run.state}: {run.why}"
        for run in runs
        if run.record is None
    ]
    if reasons:
        warnings.warn("\n".join([f"{len(reasons)} runs have no record:", *reasons]), stacklevel=3)
