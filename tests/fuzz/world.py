"""A results folder, a pack and a suite, read by everything that reads results."""

import random
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

import mtbench
from mtbench.door.contents import read_contents
from mtbench.errors import MtbenchError
from mtbench.search.rounds import run_search
from mtbench.store.run.folder import RunFolder
from mtbench.store.upkeep.verify import WRONG, verify
from tests.fuzz.campaign import SAID, SAME, Silent
from tests.fuzz.folders import execute_here, make_folder, plan_one_search, train_unfinished
from tests.fuzz.place import Place, called

__all__ = ["Look", "World"]

KEY = ("id", "split", "task", "metric")
SHOWN = (
    *("dataset", "network", "balancer", "backbone", "seed", "value", "loss", "count"),
    *("epochs", "selected_epoch", "training_examples", "steps", "parameters"),
)
"""Columns of a number in `mtbench.load`: those that name it, and those that a record alone decides."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Contents of a results folder or a pack, as readers give them.

    Attributes:
        numbers: `SHOWN` by `KEY`, of every number.
        said: lines on files, and the states of the runs.
    """

    numbers: dict[tuple[str, ...], dict[str, Any]]
    said: list[str]

    def compare(self, before: "Look") -> str:
        """Return the outcome of reading the same folder again, after a change.

        Raises:
            Silent: a number is another, or one lacks and nothing says so.
        """
        for key, shown in self.numbers.items():
            if repr(shown) != repr(before.numbers.get(key)):
                raise Silent(f"{key} was {before.numbers.get(key)}, and is {shown}")
        if self.said != before.said:
            return SAID
        if lacking := before.numbers.keys() - self.numbers.keys():
            raise Silent(f"{len(lacking)} numbers lack, such as {sorted(lacking)[0]}")
        return SAME


class World(Place):
    """A results folder with a file of each kind, and beside it a pack of it and a suite.

    Args:
        place: an empty folder.
        drawn: the fraction of reports whose figures are written.
    """

    def __init__(self, place: Path, drawn: float = 0.0) -> None:
        self.results, self.drawn = place / "results", drawn
        make_folder(self.results)
        super().__init__(place)
        self.before, self.packed = self.look(self.results), self.look(place / "pack.zip")
        self.study = self.search()
        self.networks, self.findings = self.trained(), self.wrong()
        self.finished = train_unfinished(place.parent / "honest")

    def look(self, results: Path) -> Look:
        """Return what is read from a results folder or a pack."""
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            frame = mtbench.load(results, data_root=self.place)
        rows = [row for row in frame.to_dict("records") if not pd.isna(row["split"])]  # a run without a record has one
        states = [f"{run.folder.name} {run.state} {run.why}" for run in read_contents(results, self.place).runs]
        return Look(
            numbers={tuple(row[name] for name in KEY): {name: row[name] for name in SHOWN} for row in rows},
            said=[*(str(each.message) for each in warned), *states],
        )

    def search(self) -> Any:
        """Return the study of the search, which goes on where its journal ends."""
        perform = lambda specs, _: execute_here(self.results, specs)  # noqa: E731
        (study,) = run_search(plan_one_search(), results=self.results, perform=perform)
        return study

    def trained(self) -> dict[str, Any]:
        """Return the weights and predictions of all runs, or None in the places of those that are refused."""
        found: dict[str, Any] = {}
        for run in read_contents(self.results, self.place).runs:
            if run.record is not None:
                folder = RunFolder(run.folder)
                for name, reader in (("weights", folder.model), ("predictions", folder.predictions)):
                    try:
                        arrays = {key: np.asarray(each).tobytes() for key, each in reader(run.record).items()}
                        found[f"{run.folder.name} {name}"] = arrays
                    except MtbenchError:
                        found[f"{run.folder.name} {name}"] = None
        return found

    def wrong(self) -> list[str]:
        """Return what `mtbench store verify` finds."""
        return [f"{each.path} {each.why}" for each in verify(self.results).findings if each.kind == WRONG]

    def command(self, draw: random.Random) -> None:
        """Give two of the commands that read results."""
        results, root = str(self.results), ("--data-root", str(self.place))
        called("status", results, *root)
        match draw.choice(["report", "suite", "files", "export", "pack"]):
            case "report":
                self.report(draw)
            case "suite":
                self.report(draw, "--suite", str(self.place / "suite.toml"))
            case "files":
                called("store", "verify", results)
                called("store", "prune", results, *root)
            case "export":
                called("export", results, "--out", str(self.place / "table.csv"), *root)
            case "pack":
                called("store", "pack", results, str(self.place / "other.zip"))

    def report(self, draw: random.Random, *more: str) -> str:
        """Write a report; files of figures, which take seconds, only now and then. Return why it was refused."""
        with nullcontext() if draw.random() < self.drawn else patch("mtbench.report.write.save", lambda _: {}):
            out, root = str(self.place / "out"), str(self.place)
            return called("report", str(self.results), "--out", out, "--data-root", root, *more)
