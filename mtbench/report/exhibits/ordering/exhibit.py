"""The exhibit of the order of methods."""

from collections.abc import Iterator, Sequence

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.ordering.data import overall, without_tasks
from mtbench.report.exhibits.ordering.page import (
    dropped_frame,
    overall_frame,
    overall_page,
    without_dataset_page,
    without_task_page,
)
from mtbench.report.text import slug

__all__ = ["Ordering"]


class Ordering(Exhibit):
    """Order of methods without one task or dataset, and ranks over three datasets or more; with mean ranks (--rank)."""

    order = 35

    def show(self, results: Results) -> Iterator[Shown]:
        if not results.choices.rank:
            return
        protocols: dict[str, list[Comparison]] = {}
        for comparison in results.comparisons:
            protocols.setdefault(comparison.title, []).append(comparison)
            if dropped := without_tasks(comparison):
                stem = f"{results.stem(comparison)}-order"
                yield Shown(
                    pages={stem: without_task_page(comparison, dropped, stem)},
                    numbers={stem: dropped_frame(dropped, "task")},
                    beside=comparison,
                )
        for protocol, comparisons in protocols.items():
            yield from _overall(results, protocol, comparisons)


def _overall(results: Results, protocol: str, comparisons: Sequence[Comparison]) -> Iterator[Shown]:
    if (found := overall(comparisons)) is None:
        return
    stem = f"{results.suite.slug if results.suite else 'datasets'}-{slug(protocol)}"
    quick = any(comparison.quick for comparison in comparisons)
    yield Shown(
        pages={
            f"{stem}-ranks": overall_page(found, protocol, f"{stem}-ranks", quick=quick),
            f"{stem}-order": without_dataset_page(found, protocol, f"{stem}-order", quick=quick),
        },
        numbers={f"{stem}-ranks": overall_frame(found), f"{stem}-order": dropped_frame(found.dropped, "dataset")},
    )
