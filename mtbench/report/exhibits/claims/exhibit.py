"""The exhibit of a suite's claims."""

from collections.abc import Iterator

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.claims.looks_page import looks_frame, looks_page
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.report.exhibits.claims.resources import resources_frame, resources_page, shown

__all__ = ["Claims"]


class Claims(Exhibit):
    """Claims of a suite, judged on its runs."""

    scope = "suite"
    order = 200

    def show(self, results: Results) -> Iterator[Shown]:
        runs = results.suite
        assert runs
        if judged := results.judged:
            stem = f"{runs.slug}-claims"
            page, frame = claims_page, claims_frame(runs, judged)
            if runs.looks:
                page, frame = looks_page, looks_frame(frame, judged)
            yield Shown(pages={stem: page(runs, judged)}, numbers={stem: frame})
            if claims := shown(judged):
                yield Shown(
                    pages={f"{stem}-resources": resources_page(runs, claims)},
                    numbers={f"{stem}-resources": resources_frame(runs, claims)},
                )
