"""Diagnostics of a comparison's runs as tidy frames: the conflict of gradients and the task selectivity."""

import math
from collections.abc import Iterator

import pandas as pd

from mtbench.report.data.comparison import Comparison
from mtbench.store.record import CurvePoint, Record
from mtbench.store.record.diagnosis import Selectivity

__all__ = ["conflict_frame", "selectivity_frame"]


def conflict_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row per finished run, point of its curve and pair of tasks; empty where no record has any.

    Columns: ``method``, ``seed``, ``epoch``, ``steps``; ``training_loss``, the mean over tasks in that epoch, and
    ``pair_loss``, that over the two; ``task``, ``other``, the pair, or twice the same task for the null, its gradients
    on the two halves of each mini-batch; ``batches``, on how many it was measured; ``ucr`` in %; ``cosine``, the mean;
    and the last three again with ``same_images_`` before them, of triplets of all tasks that are made of the same
    images: NaN where that was not measured.
    """
    rows = [
        {"method": method.title, "seed": seed, **row}
        for method in comparison.methods
        for seed, record in method.records.items()
        for point in record.curve
        for row in _pairs(record, point)
    ]
    return pd.DataFrame(rows)


def selectivity_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row per finished run and number that its selectivity consists of; empty where no record has any.

    Columns: ``method``, ``seed``; ``quantity``: ``probe accuracy``, ``selectivity`` or ``wrong cue`` (the accuracy of
    the network's own answers); ``depth`` and ``probe``, which features and what was trained on them; ``asked``, the
    task that the network was asked for; ``labels``, that of the labels; ``value``, in % but for the selectivity;
    ``chance`` in %, that of the labels.
    """
    rows = [
        {"method": method.title, "seed": seed, **row}
        for method in comparison.methods
        for seed, record in method.records.items()
        if record.selectivity is not None
        for row in _numbers(record, record.selectivity)
    ]
    return pd.DataFrame(rows)


def _pairs(record: Record, point: CurvePoint) -> Iterator[dict[str, object]]:
    if (found := point.conflict) is None:
        return
    losses, same = pd.Series(point.train_losses, dtype=float), point.same_images
    for i, task in enumerate(record.tasks):
        for j in range(i, len(record.tasks)):
            yield {
                "epoch": point.epoch,
                "steps": point.steps,
                "training_loss": float(losses.mean()),
                "pair_loss": float(losses[[task.name, record.tasks[j].name]].mean(skipna=False)),
                "task": task.name,
                "other": record.tasks[j].name,
                "batches": found.batches[i][j],
                "ucr": found.ucr[i][j],
                "cosine": found.cosine[i][j],
                "same_images_batches": same.batches[i][j] if same else 0,
                "same_images_ucr": same.ucr[i][j] if same else math.nan,
                "same_images_cosine": same.cosine[i][j] if same else math.nan,
            }


def _numbers(record: Record, found: Selectivity) -> Iterator[dict[str, object]]:
    names = [task.name for task in record.tasks]
    blank = {"depth": "", "probe": "", "asked": "", "labels": ""}
    places = [(i, j, {"asked": names[i], "labels": names[j]}) for i in range(len(names)) for j in range(len(names))]
    for depth in sorted(found.probes, reverse=True):  # from the representation on
        for probe in sorted(found.probes[depth], reverse=True):
            probed = found.probes[depth][probe]
            where = {**blank, "depth": depth, "probe": probe}
            yield {"quantity": "selectivity", **where, "value": probed.selectivity}
            for i, j, pair in places:
                value = probed.accuracy[i][j]
                yield {"quantity": "probe accuracy", **where, **pair, "value": value, "chance": found.chance[j]}
    for i, j, pair in places:
        yield {
            "quantity": "wrong cue",
            **blank,
            **pair,
            "value": found.wrong_cue[i][j],
            "chance": found.chance[j],
        }
