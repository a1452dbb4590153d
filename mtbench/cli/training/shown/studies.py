"""Searches in words and tables: their spaces, budgets and results."""

import dataclasses
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mtbench.cli.base.shared import DEFAULT_RESULTS, grid
from mtbench.cli.training.execution import offer_preview
from mtbench.cli.training.shown.grid import LONG, expectation
from mtbench.engines.chosen import Execution
from mtbench.engines.forecast import estimate
from mtbench.engines.screen.display import duration
from mtbench.engines.screen.say import say
from mtbench.engines.space import LARGE, space_of, space_text
from mtbench.plan.spec import RunSpec
from mtbench.search.journal.versions import unlike_versions
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.points import setting_count
from mtbench.search.remaining import finished_trials, remaining_runs
from mtbench.store.record import TaskInfo
from mtbench.store.study import Study, Trial, mean

__all__ = ["announce", "summarize"]

LEADERS = 5
"""The number of best trials that are shown where there is one objective."""


def announce(
    plans: Sequence[StudyPlan],
    console: Console,
    *,
    results: Path,
    root: Path,
    execution: Execution,
    dry_run: bool = False,
) -> None:
    """Print space, objective, budget and expected time of each search, and the disk space that it needs if it is large.

    Args:
        dry_run: True to print the disk space in any case.
    """
    table = grid("dataset", "method", "searched", "values", "default", "objective")
    for plan in plans:
        for index, axis in enumerate(plan.axes):
            who = (str(plan.dataset.choice), plan.title) if index == 0 else ("", "")
            objective = _objective(plan.study) if index == 0 else ""
            cells = (*who, axis.name, plan.study.space[axis.name], axis.default_text(), objective)
            table.add_row(*map(escape, cells))
    console.print(table)
    for line in (*_budget(plans), *_progress(plans, results), *unlike_versions(plans, results)):
        say(console, line, markup=False)
    left = [spec for plan in plans for spec in remaining_runs(plan, results)]
    if console.quiet or not left:
        return
    places = execution.places
    needed = space_of(left, len(places))
    if dry_run or needed.total >= LARGE:
        say(console, f"The trials: {space_text(needed, results)}", markup=False)
    if not execution.engine.is_local:
        return  # the speeds of this machine are not those of the runs
    seconds = estimate(left, root=root, slots=places)
    say(console, f"The trials, {expectation(seconds, len(places), places[0])}")
    request = plans[0].request
    if seconds is not None and seconds > LONG and request.protocol == "paper":

        def preview() -> list[RunSpec]:
            quick = plan_search(dataclasses.replace(request, protocol="quick"))
            return [spec for plan in quick for spec in remaining_runs(plan, results)]

        offer_preview(console, preview, seconds, root=root, places=places, noun="A preview of the trials")


def summarize(studies: Sequence[Study], console: Console, *, plans: Sequence[StudyPlan], results: Path) -> None:
    """Print for each study its best trials, its failures and the retrained trials; then the command that comes next."""
    for plan, study in zip(plans, studies, strict=True):
        failed = [trial for trial in study.trials if trial.state == "failed"]
        note = f", {len(failed)} of them failed" if failed else ""
        console.print()
        say(
            console,
            f"[bold]{escape(plan.title)}[/] on {escape(study.dataset)}: {len(study.trials)} trials{note}, "
            f"{study.spent.epochs} epochs, {duration(study.spent.seconds)} of training. "
            f"On the validation split, {escape(_objective(study))}:",
        )
        if study.chosen:
            console.print(_leaders(study))
        for trial in failed:
            say(console, f"[bold red]failed[/] trial {trial.number}: {escape(trial.why)}")
        say(console, _retrained(study), markup=False)
    place = "" if results == DEFAULT_RESULTS else f" {shlex.quote(str(results))}"
    console.print()
    say(console, f"Tables and figures: mtbench report{place}", markup=False)


def _budget(plans: Sequence[StudyPlan]) -> Iterator[str]:
    first = plans[0]
    seeds, epochs = len(first.request.seeds), sorted({plan.protocol.epochs for plan in plans})
    named = ", ".join(map(str, first.request.seeds))
    each = " or ".join(str(first.trials * seeds * count) for count in epochs)
    per_run = " or ".join(map(str, epochs))
    every = "The method has" if len(plans) == 1 else "Every method has the same budget:"
    yield (
        f"{every} {first.trials} trials, the first of them the default, x {seeds} tuning "
        f"{'seed' if seeds == 1 else 'seeds'} ({named}) x {per_run} epochs = {each} epochs. "
        f"Proposals: {first.request.sampler}, seed {first.request.seed}."
    )
    for plan in plans:
        if (count := setting_count(plan.axes)) < plan.trials:
            yield (
                f"{plan.title} on {plan.dataset.choice} has only {count:.0f} settings, the default among them: a trial "
                "that repeats one uses its runs, and trains nothing."
            )
    if any(text not in ("", "none") for text in first.request.space.values()):
        yield "Only the hyperparameters that --space names are searched."
    seeds_again = ", ".join(map(str, first.report_seeds))
    yield "Settings are chosen on a validation split that is held out of the training images, never on the test split."
    if first.report_seeds:
        yield f"The chosen settings and the default are retrained on all training images with seeds {seeds_again}."


def _progress(plans: Sequence[StudyPlan], results: Path) -> Iterator[str]:
    there = sum(finished_trials(plan, results) for plan in plans)
    if there:
        yield f"{there} of {sum(plan.trials for plan in plans)} trials are finished already."


def _leaders(study: Study) -> object:
    """Return a table of the default and the front, or of the best few trials where there is one objective."""
    show_mean = len({(task.metric, task.unit) for task in study.tasks}) == 1 and len(study.tasks) > 1
    heads = [f"{task.name} {task.unit}".strip() for task in study.tasks]
    table = grid("trial", *study.space, *heads, *(["mean"] if show_mean else []), "")
    for trial in _shown(study):
        marks = [word for word, holds in _marks(study, trial) if holds]
        assert trial.values is not None
        values = [trial.values[task.name] for task in study.tasks]
        cells = [_number(value, task) for value, task in zip(values, study.tasks, strict=True)]
        cells += [_number(mean(values), study.tasks[0])] if show_mean else []
        table.add_row(str(trial.number), *map(escape, trial.asked.values()), *cells, ", ".join(marks))
    for column in table.columns[1 + len(study.space) : -1]:
        column.justify = "right"
    return table


def _shown(study: Study) -> list[Trial]:
    done = [trial for trial in study.trials if trial.values is not None]
    sign = [-1 if higher else 1 for higher in study.higher_is_better]

    def rank(trial: Trial) -> tuple[list[float], int]:
        assert trial.values is not None
        return [s * value for s, value in zip(sign, study.score(trial.values), strict=True)], trial.number

    ranked = sorted(done, key=rank)
    leaders = ranked[:LEADERS] if len(sign) == 1 else [trial for trial in ranked if trial.front]
    return leaders + [trial for trial in ranked if trial.number == 0 and trial not in leaders]


def _marks(study: Study, trial: Trial) -> Iterator[tuple[str, bool]]:
    yield "default", trial.number == 0
    yield "best" if len(study.higher_is_better) == 1 else "front", trial.front


def _retrained(study: Study) -> str:
    if not study.chosen:
        return "No trial was finished, and no setting was chosen."
    named = ", ".join(map(str, study.chosen))
    label = "trial" if len(study.chosen) == 1 else "trials"
    if not study.report_seeds:
        return f"Chosen: {label} {named}; not retrained."
    text = f"Retrained on all training images with seeds {', '.join(map(str, study.report_seeds))}: {label} {named}."
    missing = sum(len(study.report_seeds) - len(study.retrained.get(number, ())) for number in study.chosen)
    return text + (f" {missing} of these runs have no record: mtbench status shows the reasons." if missing else "")


def _objective(study: Study) -> str:
    """Return the objective in words: ``mean accuracy``, ``accuracy of LU, of RL``."""
    if study.objective == "mean":
        name = study.tasks[0].metric
        return f"mean {name} over {len(study.tasks)} tasks" if len(study.tasks) > 1 else name
    if len({task.metric for task in study.tasks}) == 1:
        return f"{study.tasks[0].metric} of each task"
    return ", ".join(f"{task.metric} of {task.name}" for task in study.tasks)


def _number(value: float, task: TaskInfo) -> str:
    return f"{value:.2f}" if task.unit == "%" else f"{value:.4g}"
