"""Sealed files on suites in a results folder: declarations, plans of looks, and weights of rows of the second stage."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from mtbench.errors import DamagedRecord, NewerResults
from mtbench.store.files.guard import Refused, read_guarded
from mtbench.store.record.sealed import Later, Unsealed, unseal

__all__ = ["FOLDERS", "LOOKS", "RESOLUTIONS", "SUITES", "read_sealed"]

T = TypeVar("T")

SUITES = "suites"
"""The folder of a results folder that contains declarations, as ``<suite>.json``."""
LOOKS = f"{SUITES}/looks"
"""The folder of a results folder that contains plans of looks, as ``<suite>-<size>.json``."""
RESOLUTIONS = f"{SUITES}/resolutions"
"""The folder of a results folder that contains the weights of rows of the second stage, as ``<suite>-<hash>.json``."""
FOLDERS = (SUITES, LOOKS, RESOLUTIONS)
"""All folders of sealed files on suites."""


def read_sealed(kind: str, path: Path, reader: TypeAdapter[T], *, newest: int, mend: str) -> T | None:
    """Read a sealed file of a suite and check it against its checksum; None if there is none.

    Args:
        kind: its kind in words, which is the name of its content.
        reader: the adapter of its class.
        newest: the latest format that can be read.
        mend: the remedy if it is damaged.

    Raises:
        DamagedRecord: it is of another kind, or was changed after it was written.
        NewerResults: a newer mtbench wrote it.
    """
    try:
        return reader.validate_python(unseal(kind, read_guarded(path), newest=newest))
    except FileNotFoundError:
        return None
    except Later as cause:
        raise NewerResults(
            f"{path} has format {cause.found}, and this mtbench reads a {kind} up to format {newest}.",
            mend="Upgrade mtbench, or give another folder with --results.",
        ) from None
    except ValidationError:
        why = f"it is not a {kind}"
    except (OSError, Refused, Unsealed) as cause:
        why = str(cause)
    raise DamagedRecord(f"the {kind} {path} is damaged: {why}.", mend=mend)
