"""Odd values for every option and argument of the command line, by what each takes.

A command may refuse a value with an error of mtbench or of the command line. It fails if it shows a traceback, or takes
`LIMIT` seconds. Where a value is valid nothing is trained.
"""

import contextlib
import dataclasses
import io
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer
from typer.core import TyperArgument

from mtbench import registry
from mtbench.cli.app import app, main
from mtbench.contract import TrainingProtocol
from mtbench.contract.options.limits import LIMITS
from tests.fuzz.campaign import Fault
from tests.fuzz.limits import Hung, limited
from tests.fuzz.world import World

__all__ = ["Arguments", "Invocation", "invocations"]

NUMBERS = (
    *(
        "0",
        "-1",
        "1",
        "1.5",
        "nan",
        "-inf",
        "inf",
        "1e999",
        "1e-400",
        "0x10",
        "1_000",
        "\uff19",
        "١٢",
        "²",
        " 1 ",
        "1,5",
        "--1",
    ),
    *("True", "9" * 5_000, "1e25", "2147483648", "9223372036854775808", "-9223372036854775809", "one", "1/0", "\x00"),
    *(str(limit + 1) for limit in dict.fromkeys(LIMITS.values())),
)
WORDS = (
    *(
        "",
        " ",
        ".",
        "..",
        "../x",
        "/dev/full/x",
        "-",
        "--",
        "--help",
        "x" * 5_000,
        "\x1b[31mred",
        "\x00",
        "\udcff",
        "[bold]",
        "[/red]",
    ),
    *(
        "🙂",
        "é",
        "a\nb",
        "a\tb",
        "%s",
        "{0}",
        "$HOME",
        "~",
        ":",
        "=",
        "@",
        "+",
        ",",
        ",,",
        "a=b",
        "a:b=c",
        "all",
        "none",
    ),
    *(
        "nan",
        "0",
        "TD",
        "td ",
        "\u202etd",
        "\uff54\uff44",
        "toy-all",
        "toy-all:",
        "td:",
        "td@",
        "td+",
        "uniform",
        "levi2020-table1",
    ),
)
SEEDS = (
    "0-",
    "-1-3",
    "5-1",
    "0-9999999999",
    "1,1,1",
    ",",
    "7,",
    "0-5,3",
    "1e3",
    "9" * 5_000,
    "0--1",
    "-",
    "10001",
    "²",
    "1;2",
)
PLUGINS = (
    *(
        "td:channels",
        "td:channels=",
        "td:channels=1:channels=2",
        "td:=1",
        "td:nope=1",
        "td@lenet@lenet",
        "td+uniform+uniform",
    ),
    *(
        "uniform+uniform",
        "branches+",
        "+uniform",
        "branches+nope",
        "td@",
        "td@nope",
        "td@mlp:width=0",
        "td,,td",
        "td,td",
    ),
    *(
        "branches+fixed:weights=0/0",
        "branches+fixed:weights=nan/1",
        "branches+fixed:weights=1/1/1/1",
        "td:preset=paper",
    ),
    *(
        "single@mlp:width=2",
        "branches+mgda@mlp:width=2:depth=0",
        "td:gate=",
        "td:gate=TANH",
        "all,td",
        "toy-nan,toy-crash",
    ),
)
DATASETS = (
    *(
        "toy-all:",
        "toy-all:x=1",
        "toy-all,toy-all",
        "toy-all,toy-three",
        "nope",
        "toy-all@lenet",
        "toy-retrieval",
        "toy-maps",
    ),
    *("toy-numbers:x=nan", "toy-surfaces:", "toy-points:1", "toy-partial+toy-all", "toy-triplets "),
)
SPACES = (
    *(
        "lr",
        "lr=",
        "=1",
        "lr=1..",
        "lr=..1",
        "lr=1..1",
        "lr=2..1",
        "lr=-1..1:log",
        "lr=0..1:log",
        "lr=nan..1",
        "lr=1..inf",
    ),
    *(
        "lr=1e-3/1e-3",
        "lr=a/b",
        "lr=1/2:log",
        "weights=0..1",
        "weights=1/2",
        "epochs=1/2",
        "seeds=1/2",
        "nope=1/2",
        "lr=1..2:x",
    ),
    *("channels=1..10", "channels=0.5..2", "lr=" + "/".join(["1"] * 500), "lr=1..2:log:log", "backbone=lenet/mlp"),
)
LISTS = {
    "NUMBER": NUMBERS,
    "NUMBERS": (*NUMBERS, "1,2,x", ",", "1,,2"),
    "SEEDS": SEEDS,
    "CxHxW": ("1x", "0x0x0", "1x1", "-1x2x3"),
}


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
            value = draw.choice(_values(parameter))
            _place(arguments, parameter, value)
            of = f"{' '.join(command)} {parameter.opts[0] if not _is_argument(parameter) else f'--{parameter.name}'}"
            if draw.random() < 0.2:
                other = draw.choice([each for owner, each in parameters if owner == command])
                _place(arguments, other, draw.choice(_values(other)))
            made.append(Invocation(of=of, arguments=(*command, *_line(command, arguments))))
    return made


VALID: dict[tuple[str, ...], dict[str, Any]] = {
    ("run",): {"--methods": "uniform", "--dataset": "toy-all", "--epochs": "1", "--data-root": "data"},
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
    ("status",): {"folders": "results", "--data-root": "data"},
    ("list",): {"kind": "methods"},
    ("info",): {"name": "td"},
    ("doctor",): {"--data-root": "data"},
    ("check",): {"name": "uniform", "--data-root": "data"},
    ("bench",): {"--methods": "uniform", "--dataset": "toy-all", "--data-root": "data", "--seconds": "0.01"},
    ("exec",): {"spec": "spec.json", "--data-root": "data"},
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
POSITIONS = ("name", "spec", "run", "results", "file", "folder", "folders", "sources", "names", "kind")
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
    """Yield the words of a command line; nothing is opened in a debugger."""
    for name, value in arguments.items():
        if name.startswith("--") and name != "--pdb":
            yield from (name,) if value is True else (name, value)
    for name in POSITIONS:
        if name in arguments:
            yield arguments[name]
    if command == ("run",) and "--quiet" not in arguments:
        yield "--quiet"


@cache
def _values(parameter: Any) -> Sequence[str]:
    """Return odd values for an option or argument, by the kind of value that its help names."""
    metavar, name = parameter.metavar or "", parameter.name
    if metavar in LISTS:
        return LISTS[metavar]
    if metavar.startswith(("DIR", "FILE", "PATH", "SPEC", "RUN")):
        return (*PATHS, *WORDS)
    if metavar == "KEY=VALUE":
        return (*_settings(), *WORDS)
    if metavar == "NAME=VALUES":
        return (*SPACES, *_settings())
    if name in ("methods", "backbone", "only"):
        return (*PLUGINS, *_options(), *WORDS)
    if name == "dataset" or metavar == "NAME...":
        return (*DATASETS, *WORDS)
    if name == "suite" or metavar == "SUITE":
        return ("suite.toml", "results", "pack.zip", "suite", *WORDS)
    if metavar == "NAME":
        return (
            *WORDS,
            *PLUGINS,
            "cuda",
            "cuda:0",
            "cuda:99999999999",
            "cuda:-1",
            "mps",
            "meta",
            "cpu:1",
            "paper",
            "grid",
        )
    return (*WORDS, *metavar.replace("|", " ").split(), "gain,drop", "stale,failed,damaged,all", "native", "sum")


PATHS = (
    *(
        "nowhere",
        "results/mtbench-results.json",
        "suite.toml",
        "pack.zip",
        "pack.zip/toy-all",
        "pack.zip/nowhere",
        "results/..",
    ),
    *("/proc", "/proc/self/environ", "x" * 300, "/".join(["a"] * 3_000), "~nobody", "~", "spec.json", "*"),
    *(
        "results/toy-all",
        "results/searches",
        "results/toy-all/single",
        ".",
        "out.zip",
        "[bold]",
        "a b",
        "data/x.csv",
        "x.parquet",
    ),
)


@cache
def _settings() -> tuple[str, ...]:
    """Return settings of the training protocol with odd values, by the type of each."""
    numbers = ("0", "-1", "nan", "inf", "1e999", "9" * 5_000, "1e-400", "1/0", "true", "", "one", "0.5", "1000000")
    found = []
    for each in dataclasses.fields(TrainingProtocol):
        choices = each.metadata.get("choices") or ()
        odd = (
            numbers
            if not choices
            else ("", "nope", choices[0].upper(), ",".join(choices), f"{choices[0]}:", f" {choices[0]}")
        )
        found += [f"{each.name}={value}" for value in odd]
    shapes = (
        "schedule=halving:",
        "schedule=exponential:factor=nan",
        "schedule=step:every=0",
        "clip=shared:",
        "clip=shared:nan",
    )
    return (*found, *shapes, "clip=-1", "lr", "=", "=1", "lr==1", "LR=1", "nope=1", "name=x", "lr=1=2")


@cache
def _options() -> tuple[str, ...]:
    """Return methods with odd values for each option that a plug-in declares; none that makes a large network."""
    found = []
    for kind, form in (("method", "{}"), ("balancer", "branches+{}"), ("backbone", "td@{}")):
        for name in registry.entries(kind):
            options = getattr(registry.load(kind, name), "Options", None)
            for each in dataclasses.fields(options) if options and dataclasses.is_dataclass(options) else ():
                for value in ("0", "-1", "nan", "1e999", "", "one", "1/0", "9" * 30, "nowhere"):
                    found.append(form.format(f"{name}:{each.name}={value}"))
    return tuple(found)


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
    "mtbench.door.work.run_all": lambda *_, **__: [],
    "mtbench.engines.job.execute": lambda *_, **__: None,
    "mtbench.engines.stop.stop_on_sigterm": lambda: None,
    "mtbench.conformance.examine": lambda *_, **__: iter(()),
    "mtbench.bench.measure.measure": lambda *_, **__: sys.exit(0),
    "mtbench.report.write.save": lambda _: {},
    "mtbench.store.upkeep.prune.remove": lambda *_: [],
}
"""Functions that take hours where an argument is valid, or that remove files, and their stand-ins."""
