"""A plug-in by name, and its checks."""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench import registry
from mtbench.conformance.candidate import Candidate, tiny
from mtbench.conformance.dataset import dataset_checks
from mtbench.conformance.fault import in_words
from mtbench.conformance.method import method_checks
from mtbench.errors import UsageError, did_you_mean

__all__ = ["CheckResult", "assert_conforms", "examine", "made"]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The outcome of one check.

    Attributes:
        check: the statement that is true if it passed.
        fault: the error in a sentence; empty if it passed.
        left_out: the number of checks that depend on this one, and were not made since it failed.
    """

    check: str
    fault: str
    left_out: int = 0


def examine(name: str, *, root: Path, only: Sequence[str] = ()) -> Iterator[CheckResult]:
    """Check a plug-in, and yield the result of each check when it ends.

    All checks depend on the first one: if it fails no other is made. A fault that several checks find is reported once.

    Args:
        name: a method as on the command line (``mine``, ``mine:depth=2``, ``mine@vgg11:width=.125``, ``td+mgda``), or a
            balancer, dataset or backbone.
        root: the folder of the data files, for datasets.
        only: words; the checks whose names contain any of them are made, and the first one without a result if it
            passes. Empty for all.

    Raises:
        UsageError: there is no plug-in of that name, an option does not fit, or no check has such a word in its name.
        PluginError: it cannot be imported.
    """
    yield from made(_checks(name, root), only)


def made(checks: Mapping[str, Callable[[], None]], only: Sequence[str] = ()) -> Iterator[CheckResult]:
    """Make checks, see `examine`."""
    chosen, first, reported = _chosen(checks, only), next(iter(checks)), dict[str, str]()
    for check, run in checks.items():
        if check != first and check not in chosen:
            continue
        fault = ""
        try:
            run()
        except Exception as error:
            fault = in_words(error)
        if fault in reported:
            yield CheckResult(check=check, fault=f"as in '{reported[fault]}'.")
        elif fault or check in chosen:
            yield CheckResult(
                check=check, fault=fault, left_out=len(chosen - {first}) if check == first and fault else 0
            )
        if fault:
            reported.setdefault(fault, check)
        if fault and check == first:
            return


def _chosen(checks: Collection[str], only: Sequence[str]) -> set[str]:
    if not only:
        return set(checks)
    found = {word: {check for check in checks if word.lower() in check.lower()} for word in only}
    for word, some in found.items():
        if not some:
            raise UsageError(
                f"no check has '{word}' in its name.", allowed=f"Checks: {'; '.join(checks)}.", where="Option: --only."
            )
    return set().union(*found.values())


def assert_conforms(name: str, *, root: Path | None = None) -> None:
    """Raise AssertionError with every fault of a plug-in, for use in the tests of its package.

    Args:
        name: see `examine`.
        root: see `examine`; without one a dataset is prepared in a temporary folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        faults = [result for result in examine(name, root=root or Path(folder)) if result.fault]
    assert not faults, "\n".join([f"'{name}' does not conform:", *(f"- not so: {f.check}: {f.fault}" for f in faults)])


def _checks(name: str, root: Path) -> Mapping[str, Callable[[], None]]:
    bare = name.partition("@")[0].partition("+")[0].partition(":")[0]
    if bare in registry.entries("method"):
        return method_checks(Candidate.of(name))
    if bare in registry.entries("balancer"):
        return method_checks(Candidate.of(f"{registry.reference('method')}+{name}"))
    if bare in registry.entries("dataset"):
        return dataset_checks(name, root)
    if bare in registry.entries("backbone"):
        return method_checks(Candidate.of(registry.reference("method")).on(tiny(name)))
    known = {known for kind in registry.GROUPS for known in registry.entries(kind)}
    raise UsageError(
        f"nothing called '{bare}' is installed.",
        mend=did_you_mean(bare, known),
        allowed="`mtbench list` shows the installed plug-ins.",
    )
