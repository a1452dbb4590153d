"""Facts about prepared arrays, stored beside them: their numbers, and sentences on their values."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract import Depth
from mtbench.contract import Normals as NormalsKind
from mtbench.errors import DataError

from ..files import read_with_sum, write_with_sum
from .arrays import UNDEFINED

__all__ = ["Facts", "Part", "known_facts", "read_facts", "summarize", "write_facts"]

RECIPE = 1  # part of the files' names; raised when what is written changes
AT_ONCE = 64  # maps that are looked at at a time


@dataclass(frozen=True, kw_only=True)
class Part:
    """Facts about the arrays of one folder of one part.

    Attributes:
        fingerprint: the fingerprint of the cache that they were taken from.
        empty: rows of maps without a defined pixel.
        empty_like: the same rows under the definition of a defined pixel of each ``like`` with another definition.
        line: the numbers in a sentence, without the folder's name.
    """

    fingerprint: str
    empty: tuple[int, ...]
    empty_like: Mapping[str, tuple[int, ...]]
    line: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about a prepared dataset.

    Attributes:
        counts: images by part.
        label: the folder of labels that was read.
        parts: facts by part and content, e.g. ``train-depth``.
    """

    counts: Mapping[str, int]
    label: str
    parts: Mapping[str, Part]


def read_facts(path: Path, owner: str) -> Facts:
    """Return the facts in a file.

    Raises:
        DataError: it is missing, truncated or altered.
    """
    found = json.loads(read_with_sum(path, owner))
    parts = {
        key: Part(
            fingerprint=part["fingerprint"],
            empty=tuple(part["empty"]),
            empty_like={like: tuple(rows) for like, rows in part["empty_like"].items()},
            line=part["line"],
        )
        for key, part in found["parts"].items()
    }
    return Facts(counts=found["counts"], label=found["label"], parts=parts)


def known_facts(path: Path, owner: str) -> Facts | None:
    """Return the facts in a file; None where `read_facts` raises an error."""
    try:
        return read_facts(path, owner)
    except DataError:
        return None


def write_facts(path: Path, facts: Facts) -> None:
    """Write a file of facts; errors as in `write_with_sum`."""
    write_with_sum(path, (json.dumps(asdict(facts), indent=1) + "\n").encode())


def summarize(
    content: str, maps: Tensor, release: Callable[[], None], fingerprint: str, classes: Sequence[str]
) -> Part:
    """Return the facts about the arrays of one folder, in one pass, `AT_ONCE` at a time.

    Args:
        content: ``image``, ``label``, ``depth`` or ``normal``.
        maps: (N, ...), as they are stored.
        release: gives back the memory of those that were read.
        fingerprint: see `Part`.
        classes: the names of the classes by label.
    """

    def pieces() -> Iterator[Tensor]:
        for start in range(0, len(maps), AT_ONCE):
            yield maps[start : start + AT_ONCE]
            release()

    described = {"image": _images, "label": _labels, "depth": _depths, "normal": _normals}[content]
    return described(pieces(), fingerprint, classes)


def _images(pieces: Iterator[Tensor], fingerprint: str, classes: Sequence[str]) -> Part:  # noqa: ARG001
    count, total, low, high = 0, torch.zeros(3, dtype=torch.float64), 255, 0
    for piece in pieces:
        count += piece[:, 0].numel()
        total += piece.sum(dtype=torch.int64, dim=(0, 2, 3))
        low, high = min(low, int(piece.min())), max(high, int(piece.max()))
    means = " ".join(f"{mean:.3f}" for mean in (total / count / 255).tolist())
    line = f"colors from {low / 255:.3f} to {high / 255:.3f}, means {means}"
    return Part(fingerprint=fingerprint, empty=(), empty_like={}, line=line)


def _labels(pieces: Iterator[Tensor], fingerprint: str, classes: Sequence[str]) -> Part:
    counts, empty = torch.zeros(UNDEFINED + 1, dtype=torch.int64), list[Tensor]()
    for piece in pieces:
        counts += torch.bincount(piece.flatten().long(), minlength=UNDEFINED + 1)
        empty.append((piece == UNDEFINED).flatten(1).all(1))
    undefined, defined = int(counts[UNDEFINED]), int(counts[:UNDEFINED].sum())
    fractions = ", ".join(f"{name}: {_percent(int(counts[label]), defined)}" for label, name in enumerate(classes))
    absent = [name for label, name in enumerate(classes) if not counts[label]]
    line = f"{_undefined(undefined, defined)}, of the others have label {fractions}"
    line += f"; no pixel has label {', '.join(absent)}" if absent else ""
    return Part(fingerprint=fingerprint, empty=_rows(empty), empty_like={}, line=line)


def _depths(pieces: Iterator[Tensor], fingerprint: str, classes: Sequence[str]) -> Part:  # noqa: ARG001
    kind, empty, undefined, defined, low, high = Depth(), list[Tensor](), 0, 0, torch.inf, 0.0
    for piece in pieces:
        known = piece[piece > 0]
        defined, undefined = defined + len(known), undefined + piece.numel() - len(known)
        if len(known):
            low, high = min(low, float(known.min())), max(high, float(known.max()))
        empty.append(~kind.defined(piece))
    line = _undefined(undefined, defined)
    line += f", the others are from {low:.4g} to {high:.4g}" if defined else ""
    return Part(fingerprint=fingerprint, empty=_rows(empty), empty_like={}, line=line)


def _normals(pieces: Iterator[Tensor], fingerprint: str, classes: Sequence[str]) -> Part:  # noqa: ARG001
    kinds = (NormalsKind(), NormalsKind(like="libmtl"))
    empty: tuple[list[Tensor], list[Tensor]] = ([], [])
    undefined, defined, balanced, low, high = 0, 0, 0, torch.inf, 0.0
    for piece in pieces:
        vectors = piece.float().movedim(1, -1).flatten(0, 2)  # (n H W, 3)
        known = vectors[(vectors != 0).any(1)]
        defined, undefined = defined + len(known), undefined + len(vectors) - len(known)
        balanced += int((known.sum(1) == 0).sum())
        if len(known):
            lengths = known.norm(dim=1)
            low, high = min(low, float(lengths.min())), max(high, float(lengths.max()))
        for found, kind in zip(empty, kinds, strict=True):
            found.append(~kind.defined(piece))
    line = _undefined(undefined, defined)
    if defined:
        line += (
            f", the others have lengths from {low:.4f} to {high:.4f}; with components that add up to 0: {balanced:,}"
        )
    return Part(fingerprint=fingerprint, empty=_rows(empty[0]), empty_like={"libmtl": _rows(empty[1])}, line=line)


def _rows(masks: list[Tensor]) -> tuple[int, ...]:
    return tuple(torch.cat(masks).nonzero().flatten().tolist())


def _undefined(undefined: int, defined: int) -> str:
    return f"{undefined:,} pixels ({_percent(undefined, undefined + defined)}) are undefined"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "none"
