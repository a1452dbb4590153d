"""A plug-in by name, and everything that is checked of it."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mtbench import registry
from mtbench.conformance.candidate import Candidate, tiny
from mtbench.conformance.dataset import dataset_checks
from mtbench.conformance.fault import Fault
from mtbench.conformance.method import method_checks
from mtbench.errors import UsageError, did_you_mean

__all__ = ["CheckResult", "assert_conforms", "examine"]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What came of one check.

    Attributes:
        check: what is true if it passed.
        fault: what is wrong, in a sentence; empty if it passed.
    """

    check: str
    fault: str


def examine(name: str, *, root: Path) -> Iterator[CheckResult]:
    """Check a plug-in, and tell of each check as it ends.

    Args:
        name: a method as on the command line (``mine``, ``mine:depth=2``, ``mine@vgg11:width=.125``, ``td+mgda``), or a
            balancer, dataset or backbone.
        root: where data files live, for datasets.

    Raises:
        UsageError: nothing of that name is installed, or an option does not fit.
        PluginError: it cannot be imported.
    """
    for check, run in _checks(name, root).items():
        try:
            run()
            fault = ""
        except Fault as found:
            fault = str(found)
        except UsageError as error:
            fault = f"it is refused: {error}"
        except Exception as error:
            fault = f"it fails: {type(error).__name__}: {error}"
        yield CheckResult(check=check, fault=fault)


def assert_conforms(name: str, *, root: Path | None = None) -> None:
    """Raise AssertionError with every fault of a plug-in, for use in the tests of its package.

    Args:
        name, root: see `examine`; without a root a dataset is prepared in a temporary folder.
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
        allowed="`mtbench list` shows what there is.",
    )
