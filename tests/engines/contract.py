"""The contract of engines: checks that every engine passes, wherever it executes runs.

Each check gets an engine and a folder that the machines of the engine share. The runs are of datasets of the tests'
plug-ins, short, and of one process each.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from mtbench.engines.agenda import job_of
from mtbench.engines.engine import Engine, Job, Outcome, Site
from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.store.record import Record
from mtbench.store.results import find_runs, mark_results
from mtbench.store.run.folder import RunFolder
from mtbench.train.progress import Progress

__all__ = ["CHECKS", "Events", "grid", "numbers", "site_of"]


class Events:
    """A listener that notes what it is told: the title of a run and the event."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.said: list[str] = []

    def started(self, job: Job, device: str) -> None:  # noqa: ARG002
        self.seen.append((job.title, "started"))

    def advanced(self, job: Job, progress: Progress) -> None:
        pass

    def noted(self, job: Job, text: str) -> None:
        self.said.append(f"{job.title}: {text}")

    def ended(self, job: Job, how: str, why: str) -> None:  # noqa: ARG002
        self.seen.append((job.title, how))

    def refresh(self) -> None:
        pass


def site_of(folder: Path, places: int = 2) -> Site:
    """Return the circumstances of runs in a folder."""
    return Site(results=folder / "results", root=folder / "data", places=["cpu"] * places)


def grid(site: Site, *methods: str, seeds: int = 1, **settings: str) -> list[Job]:
    """Write the specs of runs on the dataset ``toy-all`` and return their jobs."""
    request = Request(
        methods=methods, datasets=["toy-all"], settings={"epochs": "2", **settings}, seeds=list(range(seeds))
    )
    mark_results(site.results)
    specs = plan(request)
    folders = find_runs(site.results, specs)
    for folder, spec in zip(folders, specs, strict=True):
        folder.write_spec(spec)
    return [job_of(folder.path, spec) for folder, spec in zip(folders, specs, strict=True)]


def numbers(record: Record) -> dict[str, object]:
    """Return the part of a record that must be equal wherever it was made: results, curve, sums of files."""
    return {"results": record.results, "curve": record.curve, "files": record.files, "predictions": record.predictions}


def records(jobs: Sequence[Job]) -> list[Record]:
    """Return the record of each run."""
    found = [RunFolder(job.folder).record() for job in jobs]
    assert None not in found
    return [record for record in found if record is not None]


def ends(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {outcome.job.title: outcome.how for outcome in outcomes}


def a_grid_gets_the_records_of_this_process(engine: Engine, folder: Path) -> None:
    site, here = site_of(folder / "there"), site_of(folder / "here")
    jobs, alike = grid(site, "single", "td", seeds=2), grid(here, "single", "td", seeds=2)
    for job in alike:
        run = RunFolder(job.folder)
        execute(run, run.spec(), here.root, "cpu")
    outcomes = engine.execute(jobs, site, Events())
    assert ends(outcomes) == {job.title: "done" for job in jobs}
    assert list(map(numbers, records(jobs))) == list(map(numbers, records(alike)))


def a_finished_run_is_not_trained_again(engine: Engine, folder: Path) -> None:
    site = site_of(folder)
    jobs = grid(site, "single")
    assert ends(engine.execute(jobs, site, Events())) == {jobs[0].title: "done"}
    before = (jobs[0].folder / "record.json").stat().st_mtime_ns
    more = [*jobs, *grid(site, "uniform")]
    assert ends(engine.execute(more, site, Events())) == {job.title: "done" for job in more}
    assert (jobs[0].folder / "record.json").stat().st_mtime_ns == before


def a_run_that_fails_stops_no_other_and_says_why(engine: Engine, folder: Path) -> None:
    site, events = site_of(folder), Events()
    good, bad = grid(site, "uniform"), grid(site, "uniform", lr="1e30", optimizer="sgd")
    bad = [dataclasses.replace(job, title="bad") for job in bad]
    outcomes = engine.execute([*bad, *good], site, events)
    assert ends(outcomes) == {"bad": "failed", good[0].title: "done"}
    (why,) = (outcome.why for outcome in outcomes if outcome.how == "failed")
    failure = RunFolder(bad[0].folder).failure()
    assert failure is not None
    assert failure.kind == "nan"
    assert failure.message in why
    assert ("bad", "failed") in events.seen


def a_run_is_resumed_from_its_checkpoint_with_the_same_numbers(engine: Engine, folder: Path) -> None:
    site, here = site_of(folder / "there"), site_of(folder / "here")
    (job,), (alike,) = grid(site, "td", epochs="3"), grid(here, "td", epochs="3")
    run, whole = RunFolder(job.folder), RunFolder(alike.folder)
    execute(whole, whole.spec(), here.root, "cpu")
    interrupt_after_an_epoch(run, site.root)
    assert run.has_checkpoint
    assert ends(engine.execute([job], site, Events())) == {job.title: "done"}
    assert list(map(numbers, records([job]))) == list(map(numbers, records([alike])))


def paths_may_have_spaces_and_quotes(engine: Engine, folder: Path) -> None:
    site = site_of(folder / 'it\'s a "place" $HOME')
    jobs = grid(site, "uniform")
    assert ends(engine.execute(jobs, site, Events())) == {jobs[0].title: "done"}


def interrupt_after_an_epoch(run: RunFolder, root: Path) -> None:
    """Train a run until it has a checkpoint, and stop there."""

    class Enough(Exception):
        pass

    def watch(progress: Progress) -> None:
        if progress.epoch == 2 and progress.step < progress.steps:
            raise Enough

    try:
        execute(run, run.spec(), root, "cpu", watch)
    except Enough:
        (run.path / "failure.json").unlink()
    else:
        raise AssertionError("the run was too short")


CHECKS: tuple[Callable[[Engine, Path], None], ...] = (
    a_grid_gets_the_records_of_this_process,
    a_finished_run_is_not_trained_again,
    a_run_that_fails_stops_no_other_and_says_why,
    a_run_is_resumed_from_its_checkpoint_with_the_same_numbers,
    paths_may_have_spaces_and_quotes,
)
"""The checks, each called with an engine and an empty folder."""
