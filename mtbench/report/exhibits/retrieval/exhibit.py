"""The exhibit of retrieval: mean average precision."""

from collections.abc import Iterator

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.retrieval.page import ranked_page

__all__ = ["Retrieval"]


class Retrieval(Exhibit):
    """Mean average precision of embeddings, and the ceiling of one embedding for all tasks."""

    order = 30

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons:
            if page := ranked_page(comparison, results.choices_of(comparison)):
                yield Shown(pages={f"{results.stem(comparison)}-ranked": page}, beside=comparison)
