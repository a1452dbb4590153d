"""Two results folders or packs, compared run by run."""

from collections.abc import Iterator

import pandas as pd

from mtbench.door.given import Folder, folders
from mtbench.plan.spec import RunSpec
from mtbench.store.difference.folders import Difference, Pair, compare_results

__all__ = ["COLUMNS", "diff"]

COLUMNS = {
    "kind": "string",
    "counts": "boolean",
    **dict.fromkeys(("dataset", "protocol", "method"), "string"),
    "seed": "Int64",
    **dict.fromkeys(("id", "name"), "string"),
    **dict.fromkeys(("first", "second"), "object"),
}
"""Columns of the frame of differences and their types."""


def diff(first: Folder, second: Folder) -> pd.DataFrame:
    """Return the differences of two results folders or packs: of their finished runs, searches and declared suites.

    Two are the same if they have the same finished runs, with equal numbers to the bit (metrics, losses, curves,
    counts, predictions and weights), equal code and data, and the same searches and declared suites. Records are
    compared, not the files beside them.

    Args:
        first: a results folder or a pack.
        second: the other one.

    Returns:
        a frame with one row per difference. Its ``kind`` is ``run`` (one side alone has it), ``number``, ``file`` (a
        checksum of predictions or weights), ``code``, ``search``, ``suite``, ``unread`` (what cannot be read) or
        ``circumstance`` (versions, machines, seconds, memory). ``counts`` is False of circumstances: the two are the
        same if it is True of no row. ``name`` says what differs, ``first`` and ``second`` have the values of numbers
        and circumstances, and of a run True on the side that has it.

    Raises:
        UsageError: a folder is given as an empty text.
        StoreError: there is no such folder or pack, or a newer mtbench made one of them.

    Example:
        >>> again = mtbench.run(["uniform", "moo"], "toy2", seeds=1, epochs=1, images=20, results="again", quiet=True)
        >>> frame = mtbench.diff("results/local", "again")
        >>> frame[frame.counts].filter(["kind", "method", "seed"]).values.tolist()
        [['run', 'moo', 1], ['run', 'uniform', 1]]
    """
    (one,), (other,) = folders(first), folders(second)
    rows = list(_rows(compare_results(one, other)))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype(COLUMNS)


def _rows(found: Difference) -> Iterator[dict[str, object]]:
    for side, specs in enumerate(found.alone):
        yield from (_row("run", _says(spec), "record", side == 0, side == 1) for spec in specs)
    for pair in found.pairs:
        yield from _of_pair(pair)
    yield from (_row("search", {}, line.says) for line in found.searches if not line.same)
    yield from (_row("suite", {}, line.says) for line in found.suites if not line.same)
    yield from (_row("unread", {}, line) for line in found.unread)


def _of_pair(pair: Pair) -> Iterator[dict[str, object]]:
    """Yield the differences of one run."""
    if (unlike := pair.difference) is None:
        return
    run = _says(pair.spec)
    yield from (_row("number", run, each.name, *each.values) for each in unlike.numbers)
    yield from (_row("file", run, name) for name in unlike.files)
    yield from (_row("code", run, clause) for clause in unlike.code)
    yield from (_row("circumstance", run, each.name, *each.values) for each in unlike.circumstances)
    for side, names in enumerate(unlike.alone):
        yield from (_row("circumstance", run, name, side == 0, side == 1) for name in names)


def _says(spec: RunSpec) -> dict[str, object]:
    titles = spec.titles
    return {
        "dataset": titles.dataset,
        "protocol": titles.protocol,
        "method": titles.method,
        "seed": spec.seed,
        "id": spec.id,
    }


def _row(
    kind: str, run: dict[str, object], name: str, first: object = None, second: object = None
) -> dict[str, object]:
    return {"kind": kind, "counts": kind != "circumstance", **run, "name": name, "first": first, "second": second}
