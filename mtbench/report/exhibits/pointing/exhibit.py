"""The exhibit of pointing: how near maps' peaks are to the tasks' objects."""

from collections.abc import Iterator

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.pointing.data import pointing_frame
from mtbench.report.exhibits.pointing.page import pointing_pages

__all__ = ["Pointing"]


class Pointing(Exhibit):
    """Distances of attention maps' peaks from the tasks' objects, and accuracy by these."""

    order = 50

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons:
            frame, stem = pointing_frame(comparison), results.stem(comparison)
            if not frame.empty:
                yield Shown(
                    pages={f"{stem}-{name}": page for name, page in pointing_pages(comparison, frame).items()},
                    numbers={f"{stem}-pointing": frame},
                    beside=comparison,
                )
