"""Odd values for the options and arguments of the command line, by what each takes."""

import dataclasses
from collections.abc import Sequence
from functools import cache
from typing import Any

from mtbench import registry
from mtbench.contract import TrainingProtocol
from mtbench.contract.options.limits import LIMITS

__all__ = ["odd_values"]


def _words(text: str) -> list[str]:
    return text.split()


NUMBERS = (
    *_words("0 -1 1 1.5 nan -inf inf 1e999 1e-400 0x10 1_000 1,5 --1 True 1e25 2147483648 9223372036854775808"),
    *("-9223372036854775809", "one", "1/0", "\uff19", "١٢", "²", " 1 ", "9" * 5_000, "\x00"),
    *(str(limit + 1) for limit in dict.fromkeys(LIMITS.values())),
)
WORDS = (
    *_words(". .. ../x /dev/full/x - -- --help [bold] [/red] %s {0} $HOME ~ : = @ +"),
    *_words(", ,, a=b a:b=c all none nan 0 TD"),
    *_words("toy-all toy-all: td: td@ td+ uniform levi2020-table1"),
    *("", " ", "x" * 5_000, "\x1b[31mred", "\x00", "\udcff", "🙂", "é"),
    *("a\nb", "a\tb", "td ", "\u202etd", "\uff54\uff44"),
)
SEEDS = (*_words("0- -1-3 5-1 0-9999999999 1,1,1 , 7, 0-5,3 1e3 0--1 - 10001 1;2"), "9" * 5_000, "²")
PLUGINS = (
    *_words("td:channels td:channels= td:channels=1:channels=2 td:=1 td:nope=1"),
    *_words("td:gate= td:gate=TANH td:preset=paper"),
    *_words("td@lenet@lenet td+uniform+uniform uniform+uniform branches+ +uniform branches+nope td@ td@nope"),
    *_words("td@mlp:width=0 td,,td td,td all,td toy-nan,toy-crash branches+fixed:weights=0/0 single@mlp:width=2"),
    *_words("branches+fixed:weights=nan/1 branches+fixed:weights=1/1/1/1 branches+mgda@mlp:width=2:depth=0"),
)
DATASETS = (
    *_words("toy-all: toy-all:x=1 toy-all,toy-all toy-all,toy-three nope toy-all@lenet toy-retrieval toy-maps"),
    *_words("toy-numbers:x=nan toy-surfaces: toy-points:1 toy-partial+toy-all"),
    "toy-triplets ",
)
SPACES = (
    *_words("lr lr= =1 lr=1.. lr=..1 lr=1..1 lr=2..1 lr=-1..1:log lr=0..1:log lr=nan..1 lr=1..inf lr=1e-3/1e-3"),
    *_words("lr=a/b lr=1/2:log lr=1..2:x lr=1..2:log:log weights=0..1 weights=1/2 epochs=1/2 seeds=1/2 nope=1/2"),
    *_words("channels=1..10 channels=0.5..2 backbone=lenet/mlp"),
    "lr=" + "/".join(["1"] * 500),
)
PATHS = (
    *_words("nowhere results/mtbench-results.json suite.toml pack.zip pack.zip/toy-all pack.zip/nowhere results/.."),
    *_words("/proc /proc/self/environ ~nobody ~ spec.json * results/toy-all results/searches results/toy-all/single"),
    *_words(". out.zip [bold] data/x.csv x.parquet"),
    *("x" * 300, "/".join(["a"] * 3_000), "a b"),
)
NAMES = _words("cuda cuda:0 cuda:99999999999 cuda:-1 mps meta cpu:1 paper grid")
LISTS = {
    "NUMBER": NUMBERS,
    "NUMBERS": (*NUMBERS, "1,2,x", ",", "1,,2"),
    "SEEDS": SEEDS,
    "CxHxW": ("1x", "0x0x0", "1x1", "-1x2x3"),
}


@cache
def odd_values(parameter: Any) -> Sequence[str]:
    """Return odd values for an option or argument, by the kind of value that its help names."""
    metavar, name = parameter.metavar or "", parameter.name
    if metavar in LISTS:
        return LISTS[metavar]
    if metavar.startswith(("DIR", "FILE", "PATH", "SPEC", "RUN")) or metavar in ("A", "B"):
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
        return (*WORDS, *PLUGINS, *NAMES)
    return (*WORDS, *metavar.replace("|", " ").split(), "gain,drop", "stale,failed,damaged,all", "native", "sum")


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
