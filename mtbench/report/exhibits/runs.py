"""The exhibit of all runs: a tidy frame for further computations."""

from collections.abc import Iterator

from mtbench.report.data.frame import tidy_frame
from mtbench.report.exhibit import Exhibit, Results, Shown

__all__ = ["Runs"]


class Runs(Exhibit):
    """Tidy frame with a row per run, split, task and metric."""

    order = 0

    def show(self, results: Results) -> Iterator[Shown]:
        if results.suite:
            groups = {results.suite.slug: results.comparisons}
        else:
            folders = dict.fromkeys(each.folder for each in results.comparisons)
            groups = {
                folder: tuple(each for each in results.comparisons if each.folder == folder) for folder in folders
            }
        for name, group in groups.items():
            if group:
                yield Shown(numbers={f"{name}-runs": tidy_frame(group)}, beside=group[0])
