"""Metrics of predictions, as a split in batches gives them."""

from collections.abc import Sequence

from torch import Tensor

from mtbench.contract import Kind


def scores(kind: Kind, predictions: Tensor, targets: Tensor, sizes: Sequence[int] = ()) -> dict[str, float]:
    """Return the metrics over the defined targets, added in batches of these sizes and one of what is left."""
    tally, start = kind.tally(), 0
    for size in (*sizes, len(targets)):
        rows = slice(start, start + size)
        defined = kind.defined(targets[rows])
        if defined.any():
            tally.add(predictions[rows][defined], targets[rows][defined])
        start += size
    return tally.score()
