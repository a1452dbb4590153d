"""Exhibits of metrics beside accuracy, where classes are unequal or one of them is unknown."""

from collections.abc import Iterator

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.classes.known import known_page
from mtbench.report.exhibits.classes.unequal import unequal_page

__all__ = ["Classes"]


class Classes(Exhibit):
    """Balanced accuracy and macro F1 where classes are unequal; accuracy on known classes where one is unknown."""

    order = 20

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons:
            choices, stem = results.choices_of(comparison), results.stem(comparison)
            pages = {"unequal": unequal_page(comparison, choices), "known": known_page(comparison, choices)}
            found = {f"{stem}-{name}": page for name, page in pages.items() if page}
            if found:
                yield Shown(pages=found, beside=comparison)
