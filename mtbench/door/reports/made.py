"""The reports that were asked for, of runs that were read."""

from dataclasses import dataclass

from mtbench.door.contents import Contents
from mtbench.door.reports.tables import results_of
from mtbench.report.assemble import Report, assemble
from mtbench.report.data.choices import parse_choices
from mtbench.report.data.conventions.convert import Asked
from mtbench.report.data.paper import PaperStyle

__all__ = ["Made", "make_reports"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A report, and lines on what it leaves out.

    Attributes:
        report: the report.
        left_out: sentences on runs and searches that are not in it.
        changed: a sentence on changes of the suite since it was declared; empty without any.
    """

    report: Report
    left_out: tuple[str, ...] = ()
    changed: str = ""


def make_reports(
    found: Contents,
    *,
    suite: str,
    metrics: str,
    asked: Asked,
    convention: str,
    rank: bool,
    rank_intervals: str,
    paper: PaperStyle | None = None,
) -> list[Made]:
    """Return the reports of runs: one, or of a suite one for each size of it that was run.

    Args:
        found: the runs and searches.
        asked: the wishes for Δm.
        suite, metrics, convention, rank, rank_intervals: see `mtbench.report`; metrics are separated by commas.
        paper: the form of tables for a paper, if any.

    Raises:
        UsageError, StoreError: see `mtbench.report`.
    """
    tasks = [task for run in found.runs if run.record for task in run.record.tasks]
    choices = parse_choices(
        metrics,
        asked.delta,
        tasks,
        rank=rank or bool(paper and paper.uses("rank")),
        rank_intervals=rank_intervals or ("all" if paper and paper.uses("rank-interval") else ""),
        paper=paper,
    )
    every, left_out = results_of(found, suite=suite, convention=convention, asked=asked, choices=choices)
    made = list[Made]()
    for results in every:
        runs = None if convention else results.suite
        absent = [f"Not run at this size: {'; '.join(runs.absent)}."] if runs and runs.absent else []
        made.append(
            Made(
                report=assemble(results),
                left_out=(*absent, *left_out),
                changed=runs.changed if runs else "",
            )
        )
    return made
