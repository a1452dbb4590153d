"""Records, specs, studies, journals and other files of a results folder."""

import json
import math
import random
from pathlib import Path
from statistics import fmean
from typing import Any

from mtbench.store.run.attempts import STOPPED, fruitless, read_attempts
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease, holder_of, is_leased
from mtbench.store.run.leased import leased
from tests.fuzz.campaign import ACCEPTED, SAID, SAME, UNREAD, Kind, Silent
from tests.fuzz.kinds.alter import json_lines, json_text, sealed_anew
from tests.fuzz.place import called
from tests.fuzz.world import World

__all__ = ["RESULTS", "read_results", "read_unchanged"]

OTHERS = "other trials"
"""Outcome of a journal whose lines have another order: the trials have another order, and each its own values."""


def read_results(world: World, file: Path, draw: random.Random) -> str:
    """Read a results folder by everything that reads one: no number is another, and what lacks is said."""
    outcome = world.look(world.results).compare(world.before)
    world.command(draw)
    trained = world.trained()
    if any(each is not None and each != world.networks.get(name) for name, each in trained.items()):
        raise Silent(f"weights or predictions beside {file.name} are others")
    if outcome == SAME and (trained != world.networks or world.wrong() != world.findings):
        outcome = SAID
    return UNREAD if outcome == SAME else outcome


def read_unchanged(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Read a results folder with a file whose checksum is right, and that has no number of a run: all stay."""
    now = world.look(world.results)
    if repr(now.numbers) != repr(world.before.numbers):
        now.compare(world.before)
        raise Silent("numbers lack")
    world.command(draw)
    world.trained()
    world.wrong()
    return SAID if now.said != world.before.said else ACCEPTED


def _stranger(world: World, file: Path, draw: random.Random) -> str:
    """Read a results folder with a sealed record of a stranger: it is left out with a line, or shown as it is.

    Means of other runs may lack: they are over metrics that all tasks have, and it may have others.

    Raises:
        Silent: a number of another run is another, or one of this run is not that of its record.
    """
    now, body = world.look(world.results), json.loads(file.read_text())["record"]
    others = {key: each for key, each in world.before.numbers.items() if not file.parent.name.endswith(key[0][:12])}
    for key, shown in others.items():
        if repr(now.numbers.get(key)) != repr(shown) and (key[2] != "mean" or key in now.numbers):
            raise Silent(f"{key} of another run was {shown}, and is {now.numbers.get(key)}")
    own = {key: shown for key, shown in now.numbers.items() if key not in others}
    for key, shown in own.items():
        if not _is_told(body, key, shown):
            raise Silent(f"{key} is {shown}, and its record says something else")
    if not own and len(others) < len(world.before.numbers) and now.said == world.before.said:
        raise Silent("the record is left out")
    world.command(draw)
    world.trained()
    world.wrong()
    return SAID if now.said != world.before.said else ACCEPTED


def _is_told(body: Any, key: tuple[str, ...], shown: dict[str, Any]) -> bool:
    """Return True if a record of plain values has this number, or the values whose mean it is."""
    _, split, task, metric = key
    results = body["results"][split]
    if task != "mean" or task in results:
        result = results[task]
        pairs = [(result["metrics"].get(metric), "value"), (result["loss"], "loss"), (result["count"], "count")]
    else:
        declared = {task["name"] for task in body["tasks"]}
        values = [_number(result["metrics"].get(metric)) for name, result in results.items() if name in declared]
        pairs = [(fmean(values), "value")] if all(map(math.isfinite, values)) else []
    return all(math.isclose(_number(told), _number(shown[name]), rel_tol=1e-12) for told, name in pairs) or any(
        math.isnan(_number(told)) and math.isnan(_number(shown[name])) for told, name in pairs
    )


def _number(value: Any) -> float:
    try:
        return float(value)
    except TypeError:  # null, which is undefined
        return math.nan


def _study(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Go on with a search whose journal is altered: each trial must have the values of its own runs."""
    called("store", "verify", str(world.results))
    if draw.random() < 0.3:
        world.look(world.results).compare(world.before)
    study = world.search()
    if repr(study) == repr(world.study):
        return SAME
    true = {str(trial.asked): trial.values for trial in world.study.trials}
    for trial in study.trials:  # in another order, or one of them twice
        if trial.state == "done" and true.get(str(trial.asked), trial.values) != trial.values:
            raise Silent(f"trial {trial.number} has {trial.values}")
    return OTHERS


def _lease(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    is_leased(file.parent)
    str(holder_of(file.parent))
    called("status", str(world.results), "--data-root", str(world.place))
    with Lease(file.parent):
        return ACCEPTED


def _attempts(world: World, file: Path, draw: random.Random) -> str:
    """Show and continue an altered log of attempts: a new attempt is the last one, and no number changes."""
    called("status", "--why", str(file.parent), str(world.results), "--data-root", str(world.place))
    fruitless(read_attempts(file.parent))
    with leased(RunFolder(file.parent)) as run:
        run.attempts.begin("job", lambda _: None)
        run.attempts.end(STOPPED)
    if (last := read_attempts(file.parent)[-1]).job != "job" or last.reason != STOPPED:
        raise Silent("the new attempt is not the last one")
    return read_unchanged(world, file, draw)


RUNS = "results/toy-all/*/*"
RESULTS: dict[str, Kind[World]] = {
    "record": Kind(files=f"{RUNS}/record.json", mutate=json_text, read=read_results, part=2),
    "record, sealed anew": Kind(files=f"{RUNS}/record.json", mutate=sealed_anew, read=_stranger, part=3),
    "spec": Kind(files=f"{RUNS}/spec.json", mutate=json_text, read=read_results, part=2),
    "study": Kind(files="results/searches/*/*/search.json", mutate=json_text, read=read_results),
    "study, sealed anew": Kind(files="results/searches/*/*/search.json", mutate=sealed_anew, read=read_unchanged),
    "journal": Kind(files="results/searches/*/*/journal.log", mutate=json_lines, read=_study, part=2),
    "attempts": Kind(files=f"{RUNS}/attempts.jsonl", mutate=json_lines, read=_attempts, part=0.5),
    "lease": Kind(files=f"{RUNS}/claim.7", mutate=json_text, read=_lease),
    "failure": Kind(files=f"{RUNS}/failure.json", mutate=json_text, read=read_results, part=0.5),
    "mark": Kind(files="results/mtbench-results.json", mutate=json_text, read=read_results),
    "declaration": Kind(files="results/suites/*.json", mutate=json_text, read=read_results, part=0.5),
    "declaration, sealed": Kind(files="results/suites/*.json", mutate=sealed_anew, read=read_unchanged, part=0.5),
    "curve": Kind(files=f"{RUNS}/curve.jsonl", mutate=json_lines, read=read_results),
}
