"""The page on a network of embeddings: a table of its tasks, and the rows of the figures."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from mtbench.contract.tasks.kinds.candidates import LISTED
from mtbench.explanation.examples import Case
from mtbench.explanation.page import footnotes_of, recorded, stem_of, title_of
from mtbench.explanation.retrieval.album import NEAREST, ROLES
from mtbench.explanation.retrieval.cases import RULE
from mtbench.explanation.retrieval.embedded import Embedded
from mtbench.explanation.trained import TrainedRun
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import fixed

__all__ = ["frame_of", "page_of"]

HEADER = (
    "task",
    "triplets",
    "accuracy %",
    "in record",
    "right",
    "wrong",
    "queries",
    "candidates",
    "MAP %",
    "MAP in record",
)
CAPTION = (
    "Triplets and rankings of the test images, with the weights that the record reports. Each image was embedded once "
    "for each task.",
    "A triplet is right if its positive is nearer to the anchor than its negative; equal distances are wrong.",
    f"For each task at most {LISTED} images that are an anchor are queries, and at most {LISTED} are candidates. "
    "A query is not its own candidate. Candidates of its class are relevant. They are ordered by the distance of "
    "embeddings rounded to float16; candidates at equal distances are one step, and count with the precision after all "
    "of them. A query without relevant candidates is left out of the mean average precision (MAP).",
    RULE,
)


def page_of(run: TrainedRun, found: Sequence[Embedded]) -> Page:
    """Return the table of a page: a line per task with its triplets and its rankings."""
    accuracies = {each.index: 100 * float(each.right.double().mean()) for each in found if len(each.rows)}
    return Page(
        title=f"Nearest images: {title_of(run)}",
        label=f"{stem_of(run)}-explain",
        quick=run.record.spec.protocol.name == "quick",
        layout=Layout(
            header=HEADER, lines=tuple(plain(_line(run, each, accuracies)) for each in found), tasks=0, costs=0
        ),
        caption=CAPTION[:1],
        details=CAPTION[1:],
        footnotes=footnotes_of(run, accuracies),
    )


def frame_of(
    run: TrainedRun, found: Sequence[Embedded], queries: Sequence[Sequence[Case]], triplets: Sequence[Sequence[Case]]
) -> pd.DataFrame:
    """Return one row per picture on the sheets of tasks, in their order: queries with nearest images, and triplets."""
    rows = [
        {"task": run.tasks[each.index].name, **row}
        for each, of_queries, of_triplets in zip(found, queries, triplets, strict=True)
        for row in (*_query_rows(each, of_queries), *_triplet_rows(each, of_triplets))
    ]
    return pd.DataFrame(rows)


def _line(run: TrainedRun, found: Embedded, accuracies: dict[int, float]) -> list[str]:
    name = run.tasks[found.index].name
    if not len(found.rows):
        return [name, "0", *[DASH] * (len(HEADER) - 2)]
    right = int(found.right.sum())
    ranking = found.ranking
    known = ranking.precisions[~ranking.precisions.isnan()]
    return [
        name,
        f"{len(found.rows):,}",
        fixed(accuracies[found.index]),
        fixed(recorded(run, found.index)),
        f"{right:,}",
        f"{len(found.rows) - right:,}",
        f"{len(known):,}",
        f"{len(ranking.candidates):,}",
        fixed(100 * float(known.mean())) if len(known) else DASH,
        fixed(run.record.value(name, "map")) if len(known) else DASH,
    ]


def _query_rows(found: Embedded, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    ranking = found.ranking
    for case in cases:
        for query in case.members.tolist():
            shared = {"case": f"{case.slug} query", "of": int(ranking.queries[query])}
            precision = float(ranking.precisions[query])
            yield _row(shared, "query", shared["of"], ranking.query_classes[query], precision=precision)
            for place, candidate in enumerate(ranking.nearest(query, NEAREST), start=1):
                yield _row(
                    shared,
                    str(place),
                    ranking.candidates[candidate],
                    ranking.candidate_classes[candidate],
                    distance=float(ranking.distances[query, candidate]),
                    right=bool(ranking.relevant[query, candidate]),
                )


def _triplet_rows(found: Embedded, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    for case in cases:
        for index in case.members.tolist():
            shared = {"case": f"{case.slug} triplet", "of": int(found.rows[index])}
            distances = [None, *found.distances[index].tolist()]
            for role, image, label, distance in zip(
                ROLES, found.images[index], found.classes[index], distances, strict=True
            ):
                yield _row(shared, role, image, label, distance=distance, right=bool(found.right[index]))


def _row(shared: dict[str, Any], role: str, image: Any, label: Any, **others: Any) -> dict[str, Any]:
    """Return a row of the table of pictures: `of` is the number of the query's image, or the row of the triplet."""
    return {**shared, "role": role, "image": int(image), "class": int(label), **others}
