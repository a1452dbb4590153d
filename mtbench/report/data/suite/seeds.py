"""The first seeds of a suite's runs, as they were at an earlier look."""

import dataclasses

from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.suite.runs import Sheet, SuiteRuns

__all__ = ["first_seeds"]


def first_seeds(runs: SuiteRuns, count: int) -> SuiteRuns:
    """Return the runs of a suite with seeds 0 to `count` - 1."""

    def of(method: MethodRuns) -> MethodRuns:
        return MethodRuns(title=method.title, runs=tuple(run for run in method.runs if run.spec.seed < count))

    def part(sheet: Sheet) -> Sheet:
        comparison = sheet.comparison
        kept = [
            (name, method)
            for name, method in zip(sheet.methods, map(of, comparison.methods), strict=True)
            if method.runs
        ]
        return dataclasses.replace(
            sheet,
            comparison=dataclasses.replace(comparison, methods=tuple(method for _, method in kept)),
            methods=tuple(name for name, _ in kept),
        )

    sheets = [part(sheet) for sheet in runs.sheets]
    return dataclasses.replace(runs, sheets=tuple(sheet for sheet in sheets if sheet.methods))
