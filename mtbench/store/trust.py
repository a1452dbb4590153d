"""Levels of trust that runs have earned on this machine, in a file beside what was sent.

A folder has them in ``verified.json``, and a pack in a file of its own name and ``.verified.json`` beside it. Packs
never contain them: each reader earns them by `mtbench store verify`. An entry counts only while the record that it
names has the same bytes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mtbench.errors import StoreError
from mtbench.store.files.atomic import write_text
from mtbench.store.files.guard import Refused, read_guarded
from mtbench.store.files.reading import inside, read_bytes, sum_of
from mtbench.store.record.sealed import Later, Unsealed, seal, unseal

__all__ = [
    *("LEVELS", "RECOMPUTED", "REEXECUTED", "REPORTED", "VERIFIED", "Earned", "earned_by", "lowest"),
    *("read_earned", "record_sum", "verified_path", "write_earned"),
]

VERIFIED = "verified.json"
REPORTED, RECOMPUTED, REEXECUTED = "reported", "recomputed", "re-executed"
LEVELS = (REPORTED, RECOMPUTED, REEXECUTED)
"""The levels, the lowest first: the record matches its own checksum; every metric was derived again from the stored
predictions and the labels; the run was retrained with an equal result."""
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Earned:
    """The findings of checks of one run.

    Attributes:
        run: the folder of the run below the results, for readers.
        record: the SHA-256 sum of its ``record.json``.
        predictions: the sum of its ``predictions.npz``, as in the record; empty without.
        data: the fingerprint of the data on this machine that it was compared with; empty if none were read.
        recomputed: True if every metric was derived again and is equal.
        without: metrics that do not follow from what is stored, and were not derived.
        rerun: ``bits`` or ``interval`` if it was retrained: everything is equal, or its metrics lie within the
            prediction interval of the seeds; else empty.
        mtbench: the version of mtbench that found it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    run: str
    record: str
    predictions: str = ""
    data: str = ""
    recomputed: bool = False
    without: tuple[str, ...] = ()
    rerun: str = ""
    mtbench: str

    @property
    def level(self) -> str:
        """The level of trust that it amounts to, one of `LEVELS`."""
        return REEXECUTED if self.rerun else RECOMPUTED if self.recomputed else REPORTED


def verified_path(results: Path) -> Path:
    """Return the file for the levels of the runs of a results folder or a pack."""
    return results / VERIFIED if inside(results) is None else results.with_name(f"{results.name}.{VERIFIED}")


def read_earned(results: Path) -> dict[str, Earned]:
    """Return what was found of the runs of a results folder or a pack, by the sum of the record.

    Raises:
        StoreError: the file is there, and cannot be read or was changed.
    """
    path = verified_path(results)
    try:
        body = unseal("verified", read_guarded(path), newest=_FORMAT)
        found = _READER.validate_python(body["runs"])
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, Refused, Unsealed, Later, ValidationError, LookupError) as cause:
        why = f"{cause.error_count()} fields are wrong" if isinstance(cause, ValidationError) else str(cause)
        raise StoreError(
            f"{path} does not count: {why}.",
            mend=f"Delete it, and earn the levels again: mtbench store verify --recompute {results}",
        ) from None
    return {each.record: each for each in found}


def write_earned(results: Path, found: Iterable[Earned]) -> Path:
    """Write what was found of the runs of a results folder or a pack, in place of what was there; return the file.

    Raises:
        StoreError: it cannot be written.
    """
    path = verified_path(results)
    runs = [asdict(each) for each in sorted(found, key=lambda each: each.run)]
    write_text(path, seal("verified", {"format": _FORMAT, "runs": runs}))
    return path


def record_sum(folder: Path) -> str:
    """Return the SHA-256 sum of the record of a run.

    Raises:
        OSError: there is none.
    """
    path = folder / "record.json"
    return sum_of(path) or hashlib.sha256(read_bytes(path)).hexdigest()


def earned_by(folder: Path, earned: Mapping[str, Earned]) -> Earned | None:
    """Return what was found of a run whose record has not changed since; None if nothing was."""
    try:
        return earned.get(record_sum(folder)) if earned else None
    except (OSError, StoreError):
        return None


def lowest(levels: Iterable[str]) -> str:
    """Return the lowest of some levels; `REPORTED` of none."""
    return min(levels, key=LEVELS.index, default=REPORTED)


_READER = TypeAdapter(list[Earned])
