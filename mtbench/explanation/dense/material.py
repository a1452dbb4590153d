"""The material of a page on a network of maps."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from mtbench.explanation.dense.album import Album
from mtbench.explanation.dense.cases import RULE_OF_IMAGES, best_median_worst, image_ranks
from mtbench.explanation.dense.measured import Maps, Measured, maps_of, measure_images
from mtbench.explanation.dense.page import frame_of, page_of
from mtbench.explanation.material import Material
from mtbench.explanation.page import Shown, stem_of, title_of
from mtbench.explanation.trained import TrainedRun
from mtbench.report.figure.sheet import Sheet
from mtbench.report.text import slug

__all__ = ["dense_material"]


def dense_material(run: TrainedRun, images: int) -> Material:
    """Return the material of a page on a network of maps.

    Args:
        images: number of images of each task, a third of them best, median and worst ones, and of whole images per end
            of the order.
    """
    found = measure_images(run.network, run.test, run.indices)

    def maps(index: int, rows: Tensor) -> Maps:
        return maps_of(run.network, run.test, index, rows)

    page = page_of(run, found)
    album = Album(split=run.test, maps=maps, title=title_of(run), quick=page.quick)
    return Material(page=page, table=frame_of(len(run.test), found), sheets=_sheets(album, found, images, stem_of(run)))


def _sheets(album: Album, found: Sequence[Measured], images: int, stem: str) -> Iterator[tuple[Shown, Sheet]]:
    """Yield the sheets of the best and the worst whole images, if there is more than one task, then one per task."""
    if len(found) > 1:
        rows, ranks = image_ranks(found)
        for which, descending in (("best", False), ("worst", True)):
            order = ranks.argsort(descending=descending, stable=True)
            sheet = album.of_images(found, rows[order], ranks[order], which, images)
            if sheet.lines:
                title = f"Whole images with the {which} mean rank over tasks"
                yield Shown(name=f"{stem}-images-{which}", title=title, caption=RULE_OF_IMAGES), sheet
    for each in found:
        sheet = album.of_task(each, best_median_worst(each, images))
        if sheet.lines:
            name = each.task.name
            title = f"Task {name}: best, median and worst images by {each.metric.name} on each image alone"
            yield Shown(name=f"{stem}-task-{each.index + 1}-{slug(name)}", title=title), sheet
