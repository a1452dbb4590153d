"""Comparisons read by a convention that is named."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtbench.errors import UsageError, did_you_mean
from mtbench.report.data.choices import BASES, REFERENCES, Convention
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.conventions.fit import conventions_of, misfit
from mtbench.report.data.conventions.read import read_by
from mtbench.report.data.conventions.rules import rules_of
from mtbench.report.data.conventions.words import opening
from mtbench.report.text import listed

if TYPE_CHECKING:  # planning a suite imports torch, and most reports are of no suite
    from mtbench.report.data.suite.runs import SuiteRuns

__all__ = ["Asked", "convert", "converted", "converted_suite"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A reader's wishes for Δm, beside a convention: empty where nothing is asked.

    Attributes:
        average, sign, base: see `mtbench.report.data.choices.Convention`.
    """

    average: str = ""
    sign: str = ""
    base: str = ""

    @property
    def delta(self) -> Convention:
        """The convention of Δm without any published one.

        Raises:
            UsageError: there is no such average, sign or base.
        """
        if self.base in REFERENCES:
            raise UsageError(f"--delta-base is '{self.base}'.", allowed=f"Allowed: {', '.join(BASES)}.")
        return Convention(**{name: value for name, value in vars(self).items() if value})


def converted(comparisons: Iterable[Comparison], name: str, asked: Asked) -> tuple[list[Comparison], str]:
    """Return the comparisons of datasets that have a convention, read by it, and a sentence on those left out.

    Raises:
        UsageError: no dataset here has such a convention, or what is asked of Δm contradicts it.
    """
    everything = list(comparisons)
    known = dict.fromkeys(each for comparison in everything for each in conventions_of(comparison))
    if name not in known:
        raise UsageError(
            f"no dataset of these runs has the convention '{name}'.",
            mend=did_you_mean(name, known),
            allowed=f"Conventions here: {', '.join(known) or 'none'}.",
            where="Given by --convention.",
        )
    found = [convert(comparison, name, asked) for comparison in everything]
    without = dict.fromkeys(each.dataset_title for each, one in zip(everything, found, strict=True) if one is None)
    left = f"Left out, for want of a convention {name}: {listed(without)}." if without else ""
    return [each for each in found if each is not None], left


def converted_suite(runs: "SuiteRuns", name: str, asked: Asked) -> "SuiteRuns":
    """Return the sheets of a suite whose datasets have a convention, read by it.

    Raises:
        UsageError: none has it, or what is asked of Δm contradicts it.
    """
    known = dict.fromkeys(each for sheet in runs.sheets for each in conventions_of(sheet.comparison))
    if name not in known:
        raise UsageError(
            f"no dataset of suite '{runs.suite.name}' has the convention '{name}'.",
            mend=did_you_mean(name, known),
            allowed=f"Conventions there: {', '.join(known) or 'none'}.",
            where="Given by --convention.",
        )
    found = [(sheet, convert(sheet.comparison, name, asked)) for sheet in runs.sheets]
    return replace(runs, sheets=tuple(replace(sheet, comparison=one) for sheet, one in found if one is not None))


def convert(comparison: Comparison, name: str, asked: Asked) -> Comparison | None:
    """Return a comparison read by a convention of its dataset; None if there is no such convention.

    Raises:
        UsageError: the options for Δm contradict the convention.
    """
    convention = conventions_of(comparison).get(name)
    if convention is None:
        return None
    why = misfit(comparison, convention.constants) if convention.constants else ""
    unfit = convention.base == "constants" and (convention.constants is None or why or asked.base == "mean")
    base = "mean" if unfit else convention.base
    _check(name, asked, Convention(average=convention.average, sign=convention.sign, base=base))
    rules = rules_of(convention, base)
    return read_by(comparison, rules, name=name, opening=opening(name, convention, base, why))


def _check(name: str, asked: Asked, delta: Convention) -> None:
    for option, given, own in (
        ("--delta", asked.average, delta.average),
        ("--delta-sign", asked.sign, delta.sign),
        ("--delta-base", asked.base, delta.base),
    ):
        if given and given != own:
            raise UsageError(
                f"{option} is '{given}', and convention '{name}' takes '{own}'.",
                mend=f"Leave out {option}, or --convention.",
            )
