"""Commands that are killed at random instants and given again come to the bits of commands that nobody disturbed.

``make kills`` is the long form: `KILLS` kills over all of `COMMANDS`, and a table of what they did. A third of them
fall into the first two seconds of a run, in which its checkpoint is read, or of a command that trains nothing. The
short form is a test.
"""

import argparse
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtbench.cli.base.shared import data_root
from mtbench.plan.grid import Request, plan
from mtbench.store.files.process import started
from mtbench.store.run.attempting import known_attempts
from mtbench.store.run.attempts import DONE
from mtbench.store.run.folder import RunFolder
from mtbench.store.study import read_studies
from tests.cli.commands import MTBENCH
from tests.waits import wait_until

__all__ = ["COMMANDS", "KILLS", "Command", "Figures", "Undisturbed", "disturb", "finished_runs", "owners"]

HERE = Path(__file__).parents[1]
KILLS = 200
"""The number of kills of the long form."""
AT_ONCE = 8
"""The number of kills after which a command is left to finish."""
EARLY, LATER = 2.0, 5.0
"""Seconds after the start of a run, or of a command that has none, into which a third of the kills and others fall."""
LIMIT = 300.0
"""Seconds after which a command that nobody kills has hung."""
LITTER = re.compile(r"\..*\.tmp|\..*\.[0-9a-f]{32}|claim\.\d+")
"""Names of temporary files and of leases."""
FINISHED = {"attempts.jsonl", "curve.jsonl", "model.safetensors", "predictions.npz", "record.json", "spec.json"}
"""The files of a finished run."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that is killed.

    Attributes:
        arguments: the command line; it is given in the folder of the campaign.
        outcome: returns what must be equal from that folder.
        begin: puts what the command needs into the folder.
        trains: True if it works on runs.
        part: the fraction of all kills.
    """

    arguments: Sequence[str]
    outcome: Callable[[Path], Any]
    begin: Callable[[Path], None] = lambda _: None
    trains: bool = False
    part: float


@dataclass(kw_only=True)
class Figures:
    """One kill of a command and its consequences."""

    kills: Counter[str] = field(default_factory=Counter)
    early: int = 0
    finished: int = 0
    equal: int = 0
    failed: int = 0
    litter: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        each = ", ".join(f"{count} {how}" for how, count in sorted(self.kills.items()))
        return (
            f"{self.kills.total():4} kills ({self.early} early: {each}); {self.finished} times finished, "
            f"{self.equal} equal, {self.failed} failed, {self.litter} files left; {self.seconds:.0f} s"
        )


def finished_runs(results: Path) -> dict[str, Any]:
    """Return by run what must be equal: final metrics, the curve, the checksums of weights and predictions."""
    found = {}
    for path in sorted(results.rglob("record.json")):
        record = json.loads(path.read_text())["record"]
        found[path.parent.name] = (record["results"], record["curve"], record["files"])
        assert set(os.listdir(path.parent)) == FINISHED, sorted(os.listdir(path.parent))
        reasons = [attempt.reason for attempt in known_attempts(path.parent)]
        assert reasons.index(DONE) == len(reasons) - 1, reasons  # once it was finished nobody trained it again
    return found


def owners(results: Path) -> Iterator[tuple[Path, int]]:
    """Yield each folder that a living process has leased, and that process."""
    for lease in results.rglob("claim.*"):
        with suppress(OSError, ValueError, KeyError):
            pid = int(json.loads(lease.read_text())["pid"])
            if started(pid) is not None:
                yield lease.parent, pid


def _searched(place: Path) -> Any:
    (study,) = read_studies(place / "results/local")
    found = (study.trials, study.chosen, study.retrained, study.spent.epochs)
    return found, finished_runs(place)


def _written(folder: str, place: Path) -> dict[str, bytes]:
    files = (path for path in sorted((place / folder).rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


def _spec(place: Path) -> None:
    settings = {"epochs": "40", "schedule": "constant"}
    (spec,) = plan(Request(methods=["moo"], datasets=["toy-all"], settings=settings, seeds=[0]))
    RunFolder(place / "results/local/run").write_spec(spec)


def _runs_to_report(place: Path) -> None:
    """Train runs once, and give every campaign copies of them."""
    kept = place.parent / "to-report"
    if not kept.exists():
        kept.mkdir()
        grid = ("run", "--methods", "single,uniform,td", "--dataset", "toy-all", "--seeds", "2", "--epochs", "1")
        _finish(_start(kept, grid), kept)
    shutil.copytree(kept / "results", place / "results")


def _runs_to_merge(place: Path) -> None:
    _runs_to_report(place)
    shutil.copytree(place / "results" / "local", place / "more")


def _originals(place: Path) -> None:
    """Put MNIST's files where data are prepared, without a copy."""
    given = os.environ.get("MTBENCH_DATA")
    (place / "data" / "mnist").mkdir(parents=True)
    for path in (data_root(Path(given) if given else None) / "mnist").glob("*-ubyte"):
        (place / "data" / "mnist" / path.name).symlink_to(path)


TOYS = ("--dataset", "toy-all", "--jobs", "2", "--quiet", "--epochs")
COMMANDS = {
    "run": Command(
        arguments=("run", "--methods", "uniform,moo,td", "--seeds", "1", *TOYS, "20"),
        outcome=finished_runs,
        trains=True,
        part=0.25,
    ),
    "search": Command(
        arguments=("search", "--methods", "td", "--trials", "4", "--retrain", "1", *TOYS, "3"),
        outcome=_searched,
        trains=True,
        part=0.15,
    ),
    "exec": Command(
        arguments=("exec", "results/local/run", "--device", "cpu"),
        outcome=finished_runs,
        begin=_spec,
        trains=True,
        part=0.15,
    ),
    "report": Command(
        arguments=("report", "--out", "report"),
        outcome=lambda place: _written("report", place),
        begin=_runs_to_report,
        part=0.15,
    ),
    "data prepare": Command(
        arguments=("data", "prepare", "mmnist2", "--data-root", "data"),
        outcome=lambda place: _written("data", place),
        begin=_originals,
        part=0.15,
    ),
    "store pack": Command(
        arguments=("store", "pack", "results/local", "packed/evidence.zip"),
        outcome=lambda place: _written("packed", place),
        begin=_runs_to_report,
        part=0.05,
    ),
    "store merge": Command(
        arguments=("store", "merge", "results/local", "more", "--out", "packed/evidence.zip"),
        outcome=lambda place: _written("packed", place),
        begin=_runs_to_merge,
        part=0.05,
    ),
}


def _start(place: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE / "tests/plugins"))),
        "MTBENCH_DATA": str(place / "data"),
        "MTBENCH_CACHE": str(place.parent / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    with (place / ".errors").open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", MTBENCH, *arguments],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )


def _finish(process: subprocess.Popen[bytes], place: Path) -> None:
    code = process.wait(timeout=LIMIT)
    assert code == 0, f"{place}: exit code {code}\n{(place / '.errors').read_text()}"


def _kill_worker(process: subprocess.Popen[bytes], place: Path, draw: random.Random) -> str:
    """Kill one worker, of a run that has been killed less than twice: the third time would be the last."""
    for folder, pid in draw.sample(there := sorted(owners(place)), len(there)):
        failure = folder / "failure.json"
        if pid != process.pid and (not failure.exists() or json.loads(failure.read_text())["attempt"] < 2):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return "worker SIGKILL"
    return _kill_group(process, signal.SIGKILL)


def _kill_parent(process: subprocess.Popen[bytes], place: Path) -> str:
    """Kill the command itself; its workers end by themselves."""
    process.kill()
    process.wait(timeout=LIMIT)
    wait_until(lambda: not list(owners(place)))
    return "parent SIGKILL"


def _kill_group(process: subprocess.Popen[bytes], number: signal.Signals) -> str:
    """Send a signal to the command, its fork server and its workers at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait(timeout=LIMIT)
    return f"group {number.name}"


def _disturb_once(command: Command, process: subprocess.Popen[bytes], place: Path, draw: random.Random) -> str:
    how = draw.choice(["worker", "worker", "parent", "SIGKILL", "SIGTERM", "SIGINT"])
    if how == "worker" and command.trains:
        return _kill_worker(process, place, draw)
    if how in ("worker", "parent"):
        return _kill_parent(process, place)
    return _kill_group(process, signal.Signals[how])


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """The outcome of a command that nobody disturbed, and its seconds."""

    outcome: Any
    seconds: float


def _undisturbed(command: Command, place: Path) -> Undisturbed:
    command.begin(place)
    began = time.monotonic()
    _finish(_start(place, command.arguments), place)
    return Undisturbed(outcome=command.outcome(place), seconds=time.monotonic() - began)


def disturb(name: str, root: Path, kills: int, *, deadline: float = float("inf"), seed: int = 0) -> Figures:
    """Give a command, kill it, give it again, and so on, until it was killed so many times and is finished.

    Args:
        root: an empty folder.
        deadline: the time of `time.monotonic` after which nothing is killed any more.
    """
    command, draw, figures, began = COMMANDS[name], random.Random(f"{name} {seed}"), Figures(), time.monotonic()
    (root / "undisturbed").mkdir()
    expected = _undisturbed(command, root / "undisturbed")
    for number in itertools.count():
        place = root / str(number)
        place.mkdir()
        command.begin(place)
        process = _start(place, command.arguments)
        for _ in range(AT_ONCE):
            if figures.kills.total() >= kills or time.monotonic() > deadline:
                break
            is_early = draw.random() < 1 / 3
            if command.trains:
                wait_until(lambda: process.poll() is not None or list(owners(place)))  # noqa: B023
            later = LATER if command.trains else expected.seconds
            with suppress(subprocess.TimeoutExpired):
                process.wait(draw.uniform(0, EARLY if is_early else later))
            if process.poll() is not None:
                break
            figures.kills[_disturb_once(command, process, place, draw)] += 1
            figures.early += is_early
            if process.poll() is not None:
                process = _start(place, command.arguments)
        code = process.wait(timeout=LIMIT)
        figures.finished += 1
        if code or list(place.rglob("failure.json")):
            figures.failed += 1
            print(f"{name}: exit code {code} in {place}\n{(place / '.errors').read_text()}")  # noqa: T201
        else:
            figures.equal += command.outcome(place) == expected.outcome
        figures.litter += sum(LITTER.fullmatch(path.name) is not None for path in place.rglob("*"))
        if figures.kills.total() >= kills or time.monotonic() > deadline:
            break
        shutil.rmtree(place)
    figures.seconds = time.monotonic() - began
    return figures


def main() -> None:
    """Print the figures of the long form; exit with 1 if a run failed or anything was not equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="number of kills, over all commands")
    parser.add_argument("--minutes", type=float, default=60, help="minutes after which nothing is killed any more")
    parser.add_argument("--seed", type=int, default=0, help="seed of instants, signals and victims")
    asked = parser.parse_args()
    began, total = time.monotonic(), Figures()
    sums, parts = 0.0, sum(command.part for command in COMMANDS.values())
    for name, command in COMMANDS.items():
        sums += command.part
        with tempfile.TemporaryDirectory(prefix="mtbench-kills-") as folder:
            figures = disturb(
                name,
                Path(folder),
                round(asked.kills * command.part / parts),
                deadline=began + 60 * asked.minutes * sums / parts,
                seed=asked.seed,
            )
        print(f"{name:14}{figures}", flush=True)  # noqa: T201
        for part in ("kills", "early", "finished", "equal", "failed", "litter", "seconds"):
            setattr(total, part, getattr(total, part) + getattr(figures, part))
    print(f"{'all':14}{total}")  # noqa: T201
    sys.exit(total.equal != total.finished or total.failed or total.litter)


if __name__ == "__main__":
    main()
