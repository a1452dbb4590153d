"""``numbers.tex``: a LaTeX macro for every number of summary tables, and of claims."""

from collections.abc import Sequence

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.quantities import quantities
from mtbench.report.marks import GROWN, MARKS
from mtbench.report.page.latex import fill_template
from mtbench.report.prose.names import method_names, short_name, table_name
from mtbench.report.prose.table import Line, Numbers

__all__ = ["claim_tables", "file_name", "numbers_of", "numbers_tex"]


def file_name(results: Results, name: str) -> str:
    """Return the name of a report's file: behind the suite and its size, and the convention, if any."""
    parts = (results.suite.slug if results.suite else "", results.convention, name)
    return "-".join(part for part in parts if part)


def numbers_tex(results: Results, comparisons: Sequence[Comparison]) -> str:
    """Return the content of ``numbers.tex``, with the numbers of some comparisons of a report, and of its claims."""
    claims = claim_tables(results)
    grown = any(method.grown for comparison in comparisons for method in comparison.methods)
    known = {mark: meaning for mark, (_, meaning) in MARKS.items() if grown or mark != GROWN}
    return fill_template(
        "numbers.tex",
        tables=[*(numbers_of(results, comparison) for comparison in comparisons), *claims],
        marks=", ".join(f"{mark} ({meaning})" for mark, meaning in known.items()),
        sources=[
            *(f"{results.stem(comparison)}-table" for comparison in comparisons),
            *(f"{results.suite.slug}-claims" for _ in claims if results.suite),
        ],
    )


def claim_tables(results: Results) -> list[Numbers]:
    """Return the numbers of the claims of a report; none where it is of no suite, or of one without claims."""
    if results.suite is None or not results.judged:
        return []
    from mtbench.report.prose.claims import numbers_of_claims  # imports torch, and most reports are of no suite

    return [numbers_of_claims(results.suite, results.judged)]


def numbers_of(results: Results, comparison: Comparison) -> Numbers:
    """Return the numbers of the summary table of one of the comparisons of a report."""
    table = results.table(comparison)
    columns = quantities(comparison, table)
    name, short = table_name(comparison), short_name(comparison, results.comparisons)
    methods = zip(method_names(results, comparison), table.rows, strict=True)
    lines = [
        Line(
            method=method,
            note=row.note,
            numbers={column.name: column.numbers[place] for column in columns if column.numbers[place].says},
        )
        for place, (method, row) in enumerate(methods)
    ]
    if table.constants and table.constants.name not in {line.method for line in lines}:
        below = {column.name: column.below for column in columns if column.below.says}
        lines.append(Line(method=table.constants.name, note="", numbers=below))
    return Numbers(
        name=name,
        short="" if short == name else short,
        quick=comparison.quick,
        columns=tuple(column.name for column in columns),
        lines=tuple(lines),
    )
