"""The exhibit of methods at settings that searches chose for each."""

from collections.abc import Iterator
from functools import partial

from mtbench.contract import TrainingProtocol
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.studies import StudyRuns, home
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.ledger.page import Entry, ledger_frame, ledger_page
from mtbench.report.exhibits.searches import distinct, start_of
from mtbench.report.exhibits.tuned.data import refused, tuned_frame, tuned_methods
from mtbench.report.exhibits.tuned.figure import draw_tuned
from mtbench.report.exhibits.tuned.page import tuned_page

__all__ = ["Tuned"]


class Tuned(Exhibit):
    """Methods at the settings that searches chose for each, beside their defaults."""

    order = 110

    def show(self, results: Results) -> Iterator[Shown]:
        groups: dict[tuple[str, str, TrainingProtocol], list[StudyRuns]] = {}
        for found in results.studies:
            if found.study.objective == "mean":
                key = (found.study.titles.dataset, found.study.dataset, found.protocol)
                groups.setdefault(key, []).append(found)
        taken = set[str]()
        for group in groups.values():
            comparison, methods = home(group[0], results.comparisons), tuned_methods(group)
            stem = distinct(f"{start_of(results, group[0], comparison)}-tuned", taken)
            ledger = f"{stem}-ledger"
            entries = [
                Entry(
                    method=each.title,
                    runs=MethodRuns(title=each.title, runs=each.study.tuned),
                    searches=(each.study,),
                )
                for each in methods
            ]
            yield Shown(
                pages={
                    stem: tuned_page(comparison, methods, stem),
                    ledger: ledger_page(comparison, entries, ledger, of="tuned settings"),
                },
                numbers={stem: tuned_frame(comparison, methods), ledger: ledger_frame(comparison, entries)},
                figures={}
                if refused(methods)
                else {f"{stem}-search": partial(draw_tuned, comparison, methods, results.looks)},
                folder=comparison.folder,
            )
