"""The tables of a suite by a convention."""

from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.errors import UsageError
from mtbench.plan.suite import Grid, PaperTable, Suite
from mtbench.report.assemble import assemble
from mtbench.report.data.conventions.convert import Asked, converted_suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibit import Results
from tests.report.curves import DATASET, along, better
from tests.report.suite_runs import filled

SUITE = Suite(name="printed", title="A toy's table", grid=(Grid(datasets=(DATASET,), methods=("single", "td")),))
PAPER = PaperTable(dataset=DATASET, columns=("depth",), rows={"td": (0.30,)}, source="a toy's paper", n=3)


def runs() -> SuiteRuns:
    """Return runs that are better by as many percent as epochs are over; the last one of ten is as the first."""
    rows = {epoch: better(epoch if epoch < 10 else 0) for epoch in range(1, 11)}
    found = filled(
        SUITE, lambda method, _, protocol, seed: along(method, seed, rows, protocol=replace(protocol, epochs=10))
    )
    return replace(found, sheets=tuple(replace(sheet, paper=PAPER) for sheet in found.sheets))


def test_a_suite_has_its_tables_by_a_convention_and_the_published_numbers_beside_those(tmp_path: Path) -> None:
    found = converted_suite(runs(), "own-start", Asked())
    files = assemble(Results.of_suite(found, convention="own-start")).write(tmp_path)
    assert [file.name for file in files] == [
        *(
            f"printed-paper-toy-surfaces-own-start-{end}"
            for end in ("table.tex", "table.md", "table.csv", "paper.tex", "paper.md")
        ),
        "printed-paper-own-start-numbers.tex",
        "index.html",
    ]
    # The best epoch is the ninth, where .4 is .364; the last one would be .4 again.
    row = next(line for line in files[4].read_text().splitlines() if line.startswith("| td"))
    assert row == "| td | 0.3000 | 0.3640 ± 0.0000 | +0.0640 |"
    assert "Convention own-start, as of another toy's code." in files[1].read_text()


def test_a_suite_without_the_convention_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"no dataset of suite 'printed' has the convention 'own-end'\. Conventions there: last-ten, "
    ):
        converted_suite(runs(), "own-end", Asked())
