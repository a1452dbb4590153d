"""Command lines with an odd value for an option or an argument, given in this process.

A command may refuse a value with an error of mtbench or of the command line. It fails if it shows a traceback, or takes
`LIMIT` seconds. Where a value is valid nothing is trained.
"""

import contextlib
import io
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer
from typer.core import TyperArgument

from mtbench.cli.app import app, main
from tests.fuzz.campaign import Fault
from tests.fuzz.limits import Hung, limited
from tests.fuzz.odd import odd_values
from tests.fuzz.world import World

__all__ = ["Arguments", "Invocation", "invocations"]


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """A command line.

    Attributes:
        of: the command and the option or argument that has an odd value, in a word.
        arguments: the command line.
    """

    of: str
    arguments: tuple[str, ...]


@dataclass
class Arguments:
    """Command lines given in this process, and what came of them."""

    world: World
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    slowest: tuple[float, tuple[str, ...]] = (0.0, ())

    def run(self, given: Sequence[Invocation]) -> None:
        """Give these command lines, in the folder of the world, which no value leads out of by more than a level."""
        before = Path.cwd()
        os.chdir(self.world.place)
        try:
            for number, each in enumerate(given):
                outcome = self._outcome(number, each)
                self.outcomes.setdefault(each.of.split(" --")[0], Counter())[outcome] += 1
                self.world.restore()
        finally:
            os.chdir(before)

    def _outcome(self, number: int, given: Invocation) -> str:
        try:
            with limited() as spent:
                code = _main(given.arguments)
        except (Exception, Hung) as cause:
            error = "".join(traceback.format_exception(cause)[-12:])
            self.faults.append(
                Fault(kind="arguments", number=number, how=given.of, file=repr(given.arguments)[:300], error=error)
            )
            return type(cause).__name__
        self.slowest = max(self.slowest, (spent.seconds, given.arguments))
        return f"exit code {code}"

    def lines(self) -> Iterator[str]:
        """Yield a line for each command, and one for all."""
        total: Counter[str] = Counter()
        for name, outcomes in self.outcomes.items():
            total += outcomes
            yield f"{name:22}{outcomes.total():5}  {', '.join(f'{n} {how}' for how, n in sorted(outcomes.items()))}"
        said = ", ".join(f"{count} {how}" for how, count in sorted(total.items()))
        yield f"{'all arguments':22}{total.total():5}  {said}; {len(self.faults)} faults"


def invocations(count: int, seed: int = 0) -> list[Invocation]:
    """Return command lines: one odd value each, or two, drawn from all values of all options and arguments.

    Every option and argument has its turn before one has a second.
    """
    draw = random.Random(seed)
    parameters = list(_parameters())
    made: list[Invocation] = []
    while len(made) < count:
        draw.shuffle(parameters)
        for command, parameter in parameters[: count - len(made)]:
            arguments = dict(VALID[command])
            value = draw.choice(odd_values(parameter))
            _place(arguments, parameter, value)
            of = f"{' '.join(command)} {parameter.opts[0] if not _is_argument(parameter) else f'--{parameter.name}'}"
            if draw.random() < 0.2:
                other = draw.choice([each for owner, each in parameters if owner == command])
                _place(arguments, other, draw.choice(odd_values(other)))
            made.append(Invocation(of=of, arguments=(*command, *_line(command, arguments))))
    return made


VALID: dict[tuple[str, ...], dict[str, Any]] = {
    ("run",): {"--methods": "uniform", "--dataset": "toy-all", "--epochs": "1", "--data-root": "data"},
    ("plan",): {"--methods": "uniform", "--dataset": "toy-all", "--epochs": "1", "--data-root": "data"},
    ("search",): {
        "--methods": "uniform",
        "--dataset": "toy-all",
        "--epochs": "1",
        "--trials": "2",
        "--data-root": "data",
    },
    ("report",): {"folders": "results", "--out": "out", "--data-root": "data"},
    ("explain",): {"run": "results/toy-all/td", "--data-root": "data"},
    ("open",): {"folder": "results"},  # in which there is no page, so that no browser starts
    ("export",): {"folders": "results", "--out": "table.csv", "--data-root": "data"},
    ("rescore",): {"folders": "results", "--out": "scores.csv", "--data-root": "data"},
    ("why",): {
        "dataset": "toy-all",
        "method": "uniform@mlp:depth=1:width=2",
        "column": "mean",
        "folders": "results",
        "--protocol": "paper, epochs=1",
        "--data-root": "data",
    },
    ("diff",): {"first": "results", "second": "pack.zip"},
    ("status",): {"folders": "results", "--data-root": "data"},
    ("list",): {"kind": "methods"},
    ("info",): {"name": "td"},
    ("doctor",): {"--data-root": "data"},
    ("check",): {"name": "uniform", "--data-root": "data"},
    ("certify",): {"method": "td", "--dry-run": True, "--data-root": "data"},
    ("bench",): {"--methods": "uniform", "--dataset": "toy-all", "--data-root": "data", "--seconds": "0.01"},
    ("exec",): {"specs": "spec.json", "--data-root": "data"},
    ("track",): {"folders": "results", "--to": "tensorboard"},
    ("data", "prepare"): {"names": "toy-all", "--data-root": "data"},
    ("data", "verify"): {"names": "toy-all", "--data-root": "data"},
    ("data", "where"): {"name": "toy-all", "--data-root": "data"},
    ("data", "link"): {"name": "clevr", "folder": "data", "--data-root": "data"},
    ("data", "show"): {"name": "toy-all", "--out": "page.png", "--count": "2", "--data-root": "data"},
    ("suite", "list"): {},
    ("suite", "show"): {"name": "suite.toml"},
    ("suite", "declare"): {"name": "suite.toml", "--results": "results"},
    ("suite", "validate"): {"name": "suite.toml"},
    ("store", "pack"): {"results": "results", "file": "new.zip"},
    ("store", "unpack"): {"file": "pack.zip", "folder": "new"},
    ("store", "merge"): {"sources": "results", "--out": "new.zip"},
    ("store", "verify"): {"sources": "pack.zip"},
    ("store", "prune"): {"results": "results", "--yes": True, "--data-root": "data"},
    ("new", "method"): {"name": "mine", "--out": "new"},
    ("new", "balancer"): {"name": "mine", "--out": "new"},
    ("new", "dataset"): {"name": "mine", "--out": "new"},
}
"""A valid command line of each command, by option and argument, in the folder of a world."""
POSITIONS = (
    *("dataset", "method", "column", "first", "second"),
    *("name", "specs", "run", "results", "file", "folder", "folders", "sources", "names", "kind"),
)
"""The names of arguments, in the order in which a command line has them; others are options."""


def _parameters() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every option and argument of every command, with the words of the command."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, each in getattr(command, "commands", {}).items():
            yield from walk(each, (*words, name))
        if not hasattr(command, "commands"):
            yield from ((words, parameter) for parameter in command.params)

    yield from walk(typer.main.get_command(app), ())


def _is_argument(parameter: Any) -> bool:
    return isinstance(parameter, TyperArgument)


def _place(arguments: dict[str, Any], parameter: Any, value: str) -> None:
    if getattr(parameter, "is_flag", False):
        arguments[parameter.opts[0]] = True
    else:
        arguments[parameter.name if _is_argument(parameter) else parameter.opts[0]] = value


def _line(command: tuple[str, ...], arguments: dict[str, Any]) -> Iterator[str]:
    """Yield the words of a command line; nothing is opened in a debugger, nor watched for as long as it runs."""
    for name, value in arguments.items():
        if name.startswith("--") and name not in ("--pdb", "--watch"):
            yield from (name,) if value is True else (name, value)
    for name in POSITIONS:
        if name in arguments:
            yield arguments[name]
    if command == ("run",) and "--quiet" not in arguments:
        yield "--quiet"


def _main(arguments: Sequence[str]) -> int:
    """Return the exit code of a command line in this process; its output is encoded as a terminal's."""
    with ExitStack() as stack:
        for stream in ("stdout", "stderr"):
            written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="plain")
            stack.enter_context(getattr(contextlib, f"redirect_{stream}")(written))
        stack.enter_context(patch.object(sys, "argv", ["mtbench", *arguments]))
        stack.enter_context(patch.object(sys, "stdin", io.StringIO()))
        stack.enter_context(patch.dict(os.environ, {"HOME": os.getcwd()}))
        for name, stub in STUBS.items():
            stack.enter_context(patch(name, stub))
        try:
            main()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 1
    return 0


STUBS = {
    "mtbench.engines.local.engine.run_all": lambda *_, **__: [],
    "mtbench.engines.local.pool.run_all": lambda *_, **__: [],
    "mtbench.engines.job.execute": lambda *_, **__: None,
    "mtbench.door.exec.print_to": lambda _: None,
    "mtbench.engines.stop.stop_on_sigterm": lambda: None,
    "mtbench.conformance.examine": lambda *_, **__: iter(()),
    "mtbench.bench.measure.measure": lambda *_, **__: sys.exit(0),
    "mtbench.report.write.save": lambda _: {},
    "mtbench.store.upkeep.prune.remove": lambda *_: [],
}
"""Functions that take hours where an argument is valid, that remove files or end output, and their stand-ins."""
