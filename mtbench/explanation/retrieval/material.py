"""The material of a page on a network of embeddings."""

from collections.abc import Iterator, Sequence

from mtbench.explanation.examples import Case
from mtbench.explanation.material import Material
from mtbench.explanation.page import Shown, stem_of, title_of
from mtbench.explanation.retrieval.album import TASKS, Album, with_query
from mtbench.explanation.retrieval.cases import best_and_worst, queries_of, triplets_of
from mtbench.explanation.retrieval.embedded import Embedded, embed
from mtbench.explanation.retrieval.page import frame_of, page_of
from mtbench.explanation.trained import TrainedRun
from mtbench.report.figure.sheet import Sheet
from mtbench.report.text import slug

__all__ = ["retrieval_material"]

RULE_OF_IMAGES = (
    "Among the images that are a query of at least half as many tasks as any image, the one with the {} mean of their "
    "average precisions; of equal ones the first in the test split."
)


def retrieval_material(run: TrainedRun, images: int) -> Material:
    """Return the material of a page on a network of embeddings.

    Args:
        images: number of queries of each task, half of them good and half of them bad, and of triplets per case.
    """
    found = embed(run.network, run.test, run.indices)
    queries = [queries_of(each, images) for each in found]
    triplets = [triplets_of(each, images) for each in found]
    page = page_of(run, found)
    album = Album(tasks=run.tasks, split=run.test, title=title_of(run), quick=page.quick)
    return Material(
        page=page,
        table=frame_of(run, found, queries, triplets),
        sheets=_sheets(album, found, queries, triplets, stem_of(run)),
    )


def _sheets(
    album: Album,
    found: Sequence[Embedded],
    queries: Sequence[Sequence[Case]],
    triplets: Sequence[Sequence[Case]],
    stem: str,
) -> Iterator[tuple[Shown, Sheet]]:
    """Yield the sheets of two images that are queries of several tasks, then two of each task."""
    chosen = zip(("best", "worst"), ("highest", "lowest"), best_and_worst(found), strict=False)
    for which, word, number in chosen if len(found) > 1 else ():
        listed = len(with_query(found, number))
        more = f"; the first {TASKS} of {listed} tasks" if listed > TASKS else ""
        sheet = album.of_query(found, number, f"{word} mean precision{more}")
        title = f"Nearest images of one query for each task, {word} mean precision"
        yield Shown(name=f"{stem}-query-{which}", title=title, caption=RULE_OF_IMAGES.format(word)), sheet
    for each, of_queries, of_triplets in zip(found, queries, triplets, strict=True):
        name = album.tasks[each.index].name
        for what, sheet in (
            ("nearest", album.of_queries(each, of_queries)),
            ("triplets", album.of_triplets(each, of_triplets)),
        ):
            if sheet.lines:
                title = f"Task {name}: {'nearest images' if what == 'nearest' else 'triplets'}"
                yield Shown(name=f"{stem}-task-{each.index + 1}-{slug(name)}-{what}", title=title), sheet
