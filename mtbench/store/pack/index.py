"""The index of a pack: its member ``pack.json``, sealed as records are."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mtbench.errors import NewerResults
from mtbench.store.record.sealed import Later, Unsealed, seal, unseal

__all__ = ["FORMAT", "INDEX", "LARGEST", "SUFFIX", "Index", "Member", "read_index", "refused_name", "render_index"]

FORMAT = 1
"""Raised when an earlier mtbench can no longer read a pack."""
SUFFIX = ".zip"
INDEX = "pack.json"
"""The name of the member with the index, the last one of a pack."""
LARGEST = 64 << 20
"""Bytes of the largest index that is read, that of about 300,000 files."""

_NAME = re.compile(r"(?:(?!\.{1,2}(?:/|$))[^/\\:\x00-\x1f\x7f]+/)*(?!\.{1,2}$)[^/\\:\x00-\x1f\x7f]+")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in a pack.

    Attributes:
        size: its number of bytes.
        sha256: its SHA-256 sum, 64 hexadecimal digits.
    """

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Index:
    """The content of ``pack.json``.

    Attributes:
        made_by: the program that wrote the pack, such as ``mtbench 0.3.0``.
        members: the files by their path below the results folder, without the index itself.
        left_out: the reason for each file or folder of the results folder that is not in the pack, by its path.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    format: int = FORMAT
    made_by: str
    members: Mapping[str, Member]
    left_out: Mapping[str, str] = field(default_factory=dict)


def render_index(index: Index) -> bytes:
    """Return the text of ``pack.json``, which is the same for equal indices."""
    return seal("pack", asdict(index)).encode()


def read_index(text: bytes, where: str) -> Index:
    """Read ``pack.json`` and check it against its checksum.

    Args:
        where: the pack, for the error.

    Raises:
        NewerResults: a newer mtbench wrote it.
        ValueError: it is no index, or was changed after it was written; the text says what is wrong.
    """
    try:
        return _READER.validate_python(unseal("pack", text, newest=FORMAT))
    except Later as cause:
        raise NewerResults(
            f"{where} has format {cause.found}, and this mtbench reads packs up to {FORMAT}.",
            mend="Upgrade mtbench, or give another pack.",
        ) from None
    except ValidationError as cause:
        raise ValueError(f"its index is none ({cause.error_count()} fields are wrong)") from None
    except Unsealed as cause:
        raise ValueError(f"its index is damaged: {cause}") from None
    except RecursionError:
        raise ValueError("its index is nested too deeply") from None


def refused_name(names: Iterable[str]) -> str:
    """Return why these cannot be the names of members, of the first that cannot; an empty text if all can.

    A name is a relative path with slashes. Names that a file system may take for one another, or that lead out of the
    folder that a pack is unpacked into, are refused.
    """
    known: dict[str, str] = {}
    for name in names:
        if not _NAME.fullmatch(name):
            return f"the name {name!r} is no path below a folder, with slashes and without '..', ':' and '\\'"
        if (other := known.get(name.casefold())) is not None:
            return f"the name {name!r} occurs twice" if other == name else f"{other!r} and {name!r} differ by case only"
        known[name.casefold()] = name
    return ""


_READER = TypeAdapter(Index)
