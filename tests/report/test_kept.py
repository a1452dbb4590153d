"""Reports of kept results: the numbers in `reports/` are made again from `results/`."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.plan.suite.file import find_suite
from mtbench.report.assemble import Report, assemble, make_report
from mtbench.report.data.studies import find_studies, in_tables
from mtbench.report.data.suite.runs import suite_runs
from mtbench.report.exhibit import Results
from mtbench.report.write import csv_text
from mtbench.store.union import studies_of, survey_all
from tests.builders.kept import kept

HOUSE = Path(__file__).parents[2]
STATE = {"state", "why", "stale", "note", "unlike_numerics", "runs_and_images_low", "runs_and_images_high"}
"""Columns on the state of runs, which depends on the code and on the data that are here."""


def made(name: str, suite: str, data: Path) -> Report:
    """Return the report of a kept folder; of a suite where one is named."""
    statuses = survey_all(kept(name), data)
    if not suite:
        studies = find_studies(studies_of(kept(name)), statuses)
        return make_report(in_tables(statuses, studies)[0], studies)
    (runs,) = suite_runs(find_suite(suite), statuses)
    return assemble(Results.of_suite(runs, data))


def cells(lines: list[str]) -> list[dict[str, object]]:
    """Return the rows of a CSV file without the state of runs."""
    return [{name: number(cell) for name, cell in row.items() if name not in STATE} for row in csv.DictReader(lines)]


def number(cell: str) -> object:
    """Return a cell, a number up to its last digits, which depend on the version of SciPy."""
    try:
        return pytest.approx(float(cell), rel=1e-9, abs=1e-9, nan_ok=True)
    except ValueError:
        return cell


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        ("2026-11-24-demo", ""),
        ("2026-11-24-toy2-all", ""),
        ("2026-11-24-mmnist2-search", ""),
        ("2026-11-24-levi2020-table1-quick", "levi2020-table1"),
    ],
)
def test_every_cell_of_a_kept_report_is_made_again(name: str, suite: str, tmp_path: Path) -> None:
    report = made(name, suite, tmp_path)
    frames = {stem: frame for piece in report.shown for stem, frame in piece.numbers.items()}
    files = {path.stem: path for path in (HOUSE / "reports" / name).glob("*.csv")}
    assert len(files) >= 2
    assert files.keys() <= frames.keys()
    for stem, path in files.items():
        assert cells(csv_text(frames[stem]).splitlines()) == cells(path.read_text().splitlines()), stem


def test_help_the_status_and_a_report_of_a_folder_import_no_torch(tmp_path: Path) -> None:
    places = kept("2026-11-24-mmnist2-search")
    survey_all(
        places, tmp_path
    )  # leaves the fingerprint of the data in the data root, for which their code is loaded once
    there = [*map(str, places), "--data-root", str(tmp_path)]
    commands = [["--help"], ["run", "--help"], ["status", *there], ["report", *there, "--out", str(tmp_path / "out")]]
    code = (
        "import sys\n"
        "from mtbench.cli.app import app\n"
        f"for words in {commands!r}:\n"
        "    app(words, standalone_mode=False)\n"
        "    print('imported:', *sorted({'torch', 'torchjd', 'optuna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    said = [line for line in done.stdout.splitlines() if line.startswith("imported:")]
    assert said == ["imported:"] * len(commands)
    assert (tmp_path / "out" / "index.html").is_file()
