"""Everything that makes the numbers of a run, as its record has it and as it is now."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mtbench import registry
from mtbench.errors import MtbenchError, UsageError
from mtbench.store.identity.data import data_fingerprint
from mtbench.store.identity.fingerprint import NUMERICS, PARTS, code, plugin
from mtbench.store.record import Code, Record

__all__ = ["DATA", "Compared", "compared"]

DATA = "data"
"""The name of the data among what is compared."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One of the things that make the numbers of a run.

    Attributes:
        name: ``NUMERICS``, one of `PARTS`, or `DATA`.
        recorded: the number or the hash in the record; empty if it has none.
        present: the same now; empty where it is not known, as of data that are not on this machine.
        change: a clause on the change that makes the run stale; empty if there is none.
        versions: the package of a part of the code with its version, in the record and now.
        modules: the first digits of the hashes of a part's modules, in the record and now; no modules where they were
            not stored or are not known.
    """

    name: str
    recorded: str
    present: str
    change: str
    versions: tuple[str, str] = ("", "")
    modules: tuple[Mapping[str, str], Mapping[str, str]] = field(default=({}, {}))


def compared(record: Record, root: Path, codes: Callable[[registry.PluginEntry], Code] = code) -> Iterator[Compared]:
    """Yield everything that makes the numbers of a run: the harness, the code of each part, and the data.

    Args:
        record: the record of the run.
        root: the folder of the data files; if it is missing, data count as unchanged.
        codes: a function that returns the present code of a plug-in.
    """
    then, now = record.fingerprints.numerics, NUMERICS
    change = f"NUMERICS {then} -> {now}" if then != now else ""
    yield Compared(name="NUMERICS", recorded=str(then), present=str(now), change=change)
    for part in PARTS:
        yield _part(record, part, codes)
    recorded = record.fingerprints.data
    try:
        data = data_fingerprint(record.spec.dataset, root, record.spec.files)
    except MtbenchError:
        data = ""  # the dataset is missing or broken, which the comparison of its code has reported
    change = "the data changed" if data and data != recorded else ""
    yield Compared(name=DATA, recorded=recorded, present=data, change=change)


def _part(record: Record, part: str, codes: Callable[[registry.PluginEntry], Code]) -> Compared:
    then = record.fingerprints.code.get(part)
    recorded, modules = (then.hash, then.modules) if then else ("", {})
    change, now = "", None
    try:
        entry = plugin(record.spec, part)
        now = codes(entry)
        if now.hash != recorded:
            change = f"the {part}'s code changed ({entry.module})"
    except UsageError:
        change = f"{PARTS[part]} '{getattr(record.spec, part).name}' is no longer installed"
    except MtbenchError as cause:
        change = str(cause)
    return Compared(
        name=part,
        recorded=recorded,
        present=now.hash if now else "",
        change=change,
        versions=(_package(then), _package(now)),
        modules=(modules, now.modules if now else {}),
    )


def _package(found: Code | None) -> str:
    return f"{found.distribution} {found.version}" if found else ""
