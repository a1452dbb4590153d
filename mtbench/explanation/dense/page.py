"""The page on a network of maps: a table of its tasks, and the metrics of every test image."""

import math
from collections.abc import Sequence

import pandas as pd

from mtbench.explanation.dense.album import in_words
from mtbench.explanation.dense.cases import RULE, image_ranks
from mtbench.explanation.dense.measured import Measured
from mtbench.explanation.page import footnotes_of, recorded, stem_of, title_of
from mtbench.explanation.trained import TrainedRun
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain

__all__ = ["frame_of", "page_of"]

HEADER = ("task", "images", "metric", "all images", "in record", "best image", "median image", "worst image")
CAPTION = (
    "Maps of the test images, with the weights that the record reports.",
    "The value of all images is over all their defined pixels together, as in the record.",
    RULE,
    "Truth and prediction have the same colors, and so have all images of a figure. Pixels whose truth is undefined "
    "are black in the pictures of truths and of errors.",
)
OWN = (
    "Values of single images follow this program's own definitions of the metrics, and those of all images the "
    "definitions of the code that the dataset is like."
)


def page_of(run: TrainedRun, found: Sequence[Measured]) -> Page:
    """Return the table of a page: a line per task with its primary metric over all images and over single ones."""
    shown = {each.index: each.whole[each.metric.name] for each in found if len(each.rows)}
    other = any(getattr(each.task.kind, "like", "") for each in found)
    return Page(
        title=f"Truth and prediction: {title_of(run)}",
        label=f"{stem_of(run)}-explain",
        quick=run.record.spec.protocol.name == "quick",
        layout=Layout(header=HEADER, lines=tuple(plain(_line(run, each)) for each in found), tasks=0, costs=0),
        caption=CAPTION[:1],
        details=(*CAPTION[1:], OWN) if other else CAPTION[1:],
        footnotes=footnotes_of(run, shown),
    )


def frame_of(count: int, found: Sequence[Measured]) -> pd.DataFrame:
    """Return one row per test image: all metrics of each task on this image alone, and its mean rank over tasks.

    Args:
        count: number of images of the split.
    """
    columns: dict[str, pd.Series] = {}
    for each in found:
        for name, values in each.values.items():
            columns[f"{each.task.name} {name}"] = pd.Series(values.numpy(), index=each.rows.numpy())
    if len(found) > 1:
        rows, ranks = image_ranks(found)
        columns["mean rank"] = pd.Series(ranks.numpy(), index=rows.numpy())
    frame = pd.DataFrame(columns, index=pd.RangeIndex(count))
    frame.insert(0, "row", frame.index)
    return frame


def _line(run: TrainedRun, found: Measured) -> list[str]:
    head = [found.task.name, f"{len(found.rows):,}", found.metric.name]
    if not len(found.rows):
        return [*head, *[DASH] * (len(HEADER) - len(head))]
    known = found.goodness[~found.goodness.isnan()]
    sign = 1 if found.metric.higher_is_better else -1
    ends = [sign * float(each) for each in (known.max(), known.quantile(0.5), known.min())] if len(known) else []
    values = [found.whole[found.metric.name], recorded(run, found.index), *(ends or [math.nan] * 3)]
    return [*head, *(in_words(found, value) if math.isfinite(value) else DASH for value in values)]
