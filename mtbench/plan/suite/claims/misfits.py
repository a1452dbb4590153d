"""Claims of a suite that do not fit its grid."""

from collections.abc import Iterator, Mapping

from mtbench.errors import MtbenchError, did_you_mean
from mtbench.plan.pairing import EXAMPLES, unlike_starts
from mtbench.plan.suite import MEAN, AcrossClaim, AnyClaim, Claim, Setting, SettingsClaim, rendered
from mtbench.plan.suite.claims.claim import Between
from mtbench.plan.suite.names import (
    Known,
    Path,
    dataset_misfits,
    listed_settings,
    not_there,
    tasks_of,
    variation_misfits,
)
from mtbench.plan.toml_lines import Fault, Lines

__all__ = ["claim_misfits"]


def claim_misfits(claim: AnyClaim, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield faults of a claim; `path` is its place."""
    if isinstance(claim, Claim):
        yield from _within_misfits(claim, known, path, lines)
    elif isinstance(claim, AcrossClaim):
        yield from _across_misfits(claim, known, path, lines)
    else:
        yield from _settings_misfits(claim, known, path, lines)
    if claim.direction == "equivalent" and not claim.margin > 0:
        yield Fault(
            line=lines.find((*path, "direction")),
            text="'equivalent' is claimed without a margin. Give 'margin', the smallest difference that matters.",
        )


def _within_misfits(claim: Claim, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    yield from dataset_misfits(claim.dataset, known, path, lines)
    for method in claim.contrast:
        if method not in known.methods:
            yield not_there(method, known.methods - known.strange, lines.find((*path, "contrast"), method), "contrast")
    if claim.contrast[0] == claim.contrast[1]:
        yield Fault(line=lines.find((*path, "contrast")), text="'contrast' names one method twice. Name two.")
    yield from _metric_misfits(claim, path, lines)
    tasks = tasks_of(claim.dataset)
    for task in claim.tasks:
        if tasks and task not in tasks:
            yield not_there(task, tasks, lines.find((*path, "tasks"), task), "tasks")
    if claim.tasks and claim.metric != MEAN:
        text = f"'tasks' is the group of a mean, and 'metric' is '{claim.metric}'. Leave one of the two out."
        yield Fault(line=lines.find((*path, "tasks")), text=text)
    yield from variation_misfits(claim.set, claim.dataset, known, path, lines)


def _across_misfits(claim: AcrossClaim, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    first, second = claim.datasets
    if first == second:
        yield Fault(line=lines.find((*path, "datasets")), text="'datasets' names one dataset twice. Name two.")
    yield from _method_misfits(claim, known, path, lines)
    for dataset in dict.fromkeys(claim.datasets):
        yield from dataset_misfits(dataset, known, path, lines, key="datasets")
        yield from variation_misfits(claim.set, dataset, known, path, lines)
    tasks, others = (tasks_of(dataset) for dataset in claim.datasets)
    common = [task for task in tasks if task in others]
    if tasks and others and claim.task not in common:
        have = f"Both have: {', '.join(common)}." if common else "They have no task in common; name other datasets."
        yield Fault(
            line=lines.find((*path, "task")),
            text=f"'task' is '{claim.task}', which is no task of both '{first}' and '{second}'. "
            f"{did_you_mean(claim.task, common)} {have}".replace("  ", " "),
        )
    if claim.test == "paired" and (why := _unlike(claim)):
        yield Fault(
            line=lines.find((*path, "datasets")),
            text=f"runs of one seed on '{first}' and '{second}' cannot be paired: they have {why}. "
            'Write test = "welch".',
        )


def _settings_misfits(claim: SettingsClaim, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    first, second = (rendered(each) for each in claim.settings)
    line = lines.find((*path, "settings"))
    if first == second:
        yield Fault(line=line, text="'settings' names one variation twice. Name two.")
    yield from dataset_misfits(claim.dataset, known, path, lines)
    yield from _metric_misfits(claim, path, lines)
    faults = [
        fault
        for settings in claim.settings
        for fault in variation_misfits(settings, claim.dataset, known, path, lines, key="settings")
    ]
    yield from faults
    if not faults:
        yield from _method_misfits(claim, known, path, lines)
    if claim.test == "paired" and (unlike := [name for name in EXAMPLES if first.get(name) != second.get(name)]):
        yield Fault(
            line=line,
            text=f"runs of one seed cannot be paired where '{unlike[0]}' differs: they are trained on other examples. "
            'Write test = "welch".',
        )


def _metric_misfits(claim: Claim | SettingsClaim, path: Path, lines: Lines) -> Iterator[Fault]:
    allowed = (*(tasks := tasks_of(claim.dataset)), MEAN, "delta_m")
    if tasks and claim.metric not in allowed:
        yield not_there(claim.metric, allowed, lines.find((*path, "metric")), "metric")


def _method_misfits(claim: Between, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield faults of the methods of a claim about two places of the grid, which has runs of them at both."""
    if claim.method == claim.against:
        yield Fault(
            line=lines.find((*path, "against")),
            text="'against' is the claim's 'method'. Name another method, or leave it out.",
        )
    for key in ("method", "against") if claim.against else ("method",):
        name = getattr(claim, key)
        if name not in known.methods:
            yield not_there(name, known.methods - known.strange, lines.find((*path, key)), key)
            continue
        for dataset, settings in claim.where:
            own = settings if isinstance(claim, SettingsClaim) else None
            there = _methods_at(dataset, own, known)
            if there and name not in there and not known.incomplete:
                varied = "" if own is None else f" with the settings {listed_settings(own)}"
                text = f"'{key}' is '{name}', which no [[grid]] runs on dataset '{dataset}'{varied}. Add it to one."
                yield Fault(line=lines.find((*path, key)), text=text)


def _unlike(claim: AcrossClaim) -> str:
    try:
        return next(filter(None, (unlike_starts(method, *claim.datasets) for method in claim.methods)), "")
    except MtbenchError:
        return ""  # reported where the grid names it


def _methods_at(dataset: str, settings: Mapping[str, Setting] | None, known: Known) -> set[str]:
    """Return the methods of the grid on a dataset, under a variation if one is given; empty if the grid may mean it by
    a misspelled name."""
    named = {
        method
        for part in known.suite.grid
        if dataset in part.datasets
        and (settings is None or any(rendered(settings) == rendered(each) for each in part.variations()))
        for method in part.methods
    }
    return set() if named & known.strange or "all" in named else named
