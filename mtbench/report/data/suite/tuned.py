"""Runs of a suite with tuned settings, in the places of those with default settings."""

from dataclasses import replace

from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.cost.budget import unequal
from mtbench.report.data.gains.relative import single_task_runs
from mtbench.report.data.studies import StudyRuns, home
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.text import listed

__all__ = ["judged_runs", "tuning_gap"]


def judged_runs(runs: SuiteRuns) -> SuiteRuns:
    """Return the runs that the suite's claims are about: these, or those that were retrained with tuned settings."""
    if runs.suite.judges == "default":
        return runs
    return replace(runs, sheets=tuple(_tuned(runs, sheet) for sheet in runs.sheets))


def tuning_gap(sheet: Sheet | None, methods: tuple[str, ...], *, beside_single: bool) -> str:
    """Return why tuned methods of a sheet cannot be compared, in a clause; empty if they can, and of default runs.

    They cannot if one of them was not tuned and retrained, or if the budgets of their searches are unequal.

    Args:
        sheet: a sheet of `judged_runs`; None before anything of it has been run.
        methods: names of methods in the suite.
        beside_single: True if single-task networks are a part of the comparison too, as for Δm.
    """
    if sheet is None or not sheet.comparison.tuned:
        return ""
    if lacking := [name for name in methods if name not in sheet.methods]:
        return f"no tuned runs of {listed(lacking)} on {sheet.dataset} are there"
    found = {name: sheet.searches[name] for name in methods}
    if beside_single:
        single = single_task_runs(sheet.comparison)
        names = dict(zip((method.title for method in sheet.comparison.methods), sheet.methods, strict=True))
        if single is None:
            return f"no tuned runs of single-task networks on {sheet.dataset} are there"
        found[names[single.title]] = sheet.searches[names[single.title]]
    budgets = unequal({name: each.study for name, each in found.items()})
    return f"the budgets of the searches are unequal ({budgets})" if budgets else ""


def _tuned(runs: SuiteRuns, sheet: Sheet) -> Sheet:
    """Return a sheet of the methods that were tuned, with the runs that were retrained with what was chosen."""
    found: dict[str, StudyRuns] = {}
    for each in runs.studies:
        if each.study.objective == "mean" and each.tuned and home(each, [sheet.comparison]) is sheet.comparison:
            found.setdefault(each.title, each)
    rows = [
        (name, MethodRuns(title=method.title, runs=found[method.title].tuned))
        for name, method in zip(sheet.methods, sheet.comparison.methods, strict=True)
        if method.title in found
    ]
    comparison = replace(sheet.comparison, methods=tuple(method for _, method in rows), tuned=True)
    return replace(
        sheet,
        comparison=comparison,
        methods=tuple(name for name, _ in rows),
        searches={name: found[method.title] for name, method in rows},
    )
