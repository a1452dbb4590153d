"""Δm of the same runs by other conventions, one switch at a time, and of runs with one other setting of training."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from mtbench.contract import PeerConvention
from mtbench.report.data.choices import Convention
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.conventions.fit import conventions_of, misfit
from mtbench.report.data.conventions.read import read_by
from mtbench.report.data.conventions.rules import EPOCHS, Rules, rules_of
from mtbench.report.data.conventions.series import TEN
from mtbench.report.data.gains.relative import deltas, other_averages, single_task_runs
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.conventions.moved import UNMOVED, Gains, Moved, moved, pooled
from mtbench.stats.ranking import mean_ranks
from mtbench.stats.summary import Summary, summarize

__all__ = ["USUAL", "Switch", "Switched", "switched"]

USUAL = Rules()
"""The rules of every report: after the last epoch, over all test examples, by tasks, over single of the same seed."""


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Δm with one switch thrown, as a gain.

    Attributes:
        group: the switched rule: ``epoch``, ``pooling``, ``average``, ``base``, ``training``, or ``convention`` for all
            of these but the training at once; empty for none.
        name: to what.
        runs: the gains per seed by the suite's name of each method.
        ranks: likewise, 1 for the best, without single-task networks and methods without a number.
        chosen: True if epochs are chosen on the test split.
        own_start: True if Δm is over each run's own first epoch, and so of another size than all others.
        lacking: sentences on runs without a number.
        moved: the difference that the switch makes.
    """

    group: str
    name: str
    runs: Gains
    ranks: Mapping[str, float]
    chosen: bool
    own_start: bool
    lacking: tuple[str, ...]
    moved: Moved = UNMOVED

    @cached_property
    def gains(self) -> Mapping[str, Summary]:
        """The gains over seeds by the suite's name of each method."""
        return {name: summarize(values) for name, values in self.runs.items()}

    @property
    def ranked(self) -> Gains:
        """The gains per seed of the methods that are ranked."""
        return {name: self.runs[name] for name in self.ranks}


@dataclass(frozen=True, kw_only=True)
class Switched:
    """The switches of one dataset.

    Attributes:
        dataset: the dataset as in the suite.
        sheets: the runs without a switch, then those of other training.
        switches: the switches; the first one is none.
    """

    dataset: str
    sheets: tuple[Sheet, ...]
    switches: tuple[Switch, ...]

    @property
    def common(self) -> str:
        """The settings that the suite's grid sets for the runs of all columns, in words; empty without."""
        return _set(self.sheets[0].variation)

    @property
    def spread(self) -> float:
        """The standard deviation over seeds of Δm without a switch, pooled over methods; NaN if there is none."""
        return pooled(list(self.switches[0].ranked.values()))


def switched(runs: SuiteRuns) -> list[Switched]:
    """Return the switches of each dataset that has single-task runs.

    The runs without a switch are those for which the suite's grid sets nothing, or else the first. Other sheets of
    the dataset are switches of the training, called by the settings in which they differ from these.
    """
    groups: dict[str, list[Sheet]] = {}
    for sheet in runs.sheets:
        groups.setdefault(sheet.dataset, []).append(sheet)
    found = []
    for dataset, sheets in groups.items():
        plain = next((sheet for sheet in sheets if not sheet.variation), sheets[0])
        if single_task_runs(plain.comparison) is None:
            continue
        usual, *others = [
            *_read_switches(plain),
            *(
                _switch(sheet, USUAL, "training", _set(pair for pair in sheet.variation if pair not in plain.variation))
                for sheet in sheets
                if sheet is not plain
            ),
        ]
        switches = (usual, *(dataclasses.replace(other, moved=_moved(usual, other)) for other in others))
        found.append(
            Switched(dataset=dataset, sheets=(plain, *(s for s in sheets if s is not plain)), switches=switches)
        )
    return found


def _set(variation: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in variation)


def _read_switches(sheet: Sheet) -> Iterator[Switch]:
    """Yield no switch, then those that have a meaning for the tasks and the splits of the runs."""
    conventions = conventions_of(sheet.comparison)
    yield _switch(sheet, USUAL, "", "none")
    protocol = sheet.comparison.protocol
    meaningless = {USUAL.epoch, *(["val"] * (not protocol.validation)), *(["last10"] * (protocol.epochs < TEN))}
    for epoch in EPOCHS:
        if epoch not in meaningless:
            yield _switch(sheet, dataclasses.replace(USUAL, epoch=epoch), "epoch", epoch)
    pools = {each.batches: each.together for each in conventions.values() if each.batches}
    for batches, together in pools.items():
        name = f"batches of {batches.size}{' by images' if batches.by_examples else ''}"
        yield _switch(sheet, dataclasses.replace(USUAL, batches=batches, together=together), "pooling", name)
    for average in other_averages(sheet.comparison, USUAL.delta.average):
        delta = dataclasses.replace(USUAL.delta, average=average)
        yield _switch(sheet, dataclasses.replace(USUAL, delta=delta), "average", average)
    yield _switch(sheet, dataclasses.replace(USUAL, delta=Convention(base="mean")), "base", "mean")
    for name, each in conventions.items():
        if each.constants and each.average != "main" and not misfit(sheet.comparison, each.constants):
            rules = dataclasses.replace(USUAL, delta=Convention(base="constants"), constants=each.constants)
            yield _switch(sheet, rules, "base", f"constants of {name}")
    for name, each in conventions.items():
        yield _switch(sheet, _whole(sheet.comparison, each), "convention", name)


def _whole(comparison: Comparison, convention: PeerConvention) -> Rules:
    """Return all rules of a convention, with Δm as a gain."""
    unfit = convention.base == "constants" and (not convention.constants or misfit(comparison, convention.constants))
    rules = rules_of(convention, "mean" if unfit else convention.base)
    return dataclasses.replace(rules, delta=dataclasses.replace(rules.delta, sign="gain"))


def _switch(sheet: Sheet, rules: Rules, group: str, name: str) -> Switch:
    read = read_by(sheet.comparison, rules, name=name)
    assert read.reading is not None
    single = single_task_runs(read)
    gains = dict(zip(sheet.methods, deltas(read, rules.delta), strict=True))
    means = {name: summary.mean for name, values in gains.items() if (summary := summarize(values)).n}
    ranked = [
        name
        for name, method in zip(sheet.methods, read.methods, strict=True)
        if name in means and (single is None or method.title != single.title)
    ]
    ranks = mean_ranks([[means[name]] for name in ranked], [True]).tolist() if ranked else []
    return Switch(
        group=group,
        name=name,
        runs=gains,
        ranks=dict(zip(ranked, ranks, strict=True)),
        chosen=read.reading.chosen_on_test,
        own_start=rules.delta.base == "own-start",
        lacking=read.reading.lacking,
    )


def _moved(usual: Switch, other: Switch) -> Moved:
    return moved(usual.ranked, other.ranked, alike=not other.own_start)
