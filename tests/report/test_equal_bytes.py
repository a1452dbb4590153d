"""Reports have the same bytes wherever they are made."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.builders.kept import kept
from tests.report.records import mixed_runs
from tests.report.test_command import keep

REPORTS: Mapping[str, list[object]] = {
    "runs": [],
    "search": [*kept("2026-11-24-mmnist2-search")],
    "suite": ["--rank", "--suite", "levi2020-table1", *kept("2026-11-24-levi2020-table1-quick")],
}
"""Arguments of reports that together have each kind of file: of made-up runs, of a search, and of a suite."""
SCRIPT = """
import sys
from mtbench.cli.app import app
for line in sys.stdin.read().splitlines():
    app(line.split("\\t"), standalone_mode=False)
"""


def made(tmp: Path, name: str, hash_seed: str, zone: str, **locale: str) -> dict[str, bytes]:
    """Return the files of `REPORTS`, made in a process with another home, working folder and environment."""
    home, work = tmp / f"{name}-home", tmp / f"{name}-work"
    home.mkdir()
    work.mkdir()
    places: Mapping[str, list[object]] = {"runs": [tmp / "runs"]}
    calls = [
        ["report", *words, *places.get(report, []), "--out", tmp / name / report, "--data-root", tmp / "data"]
        for report, words in REPORTS.items()
    ]
    paths = os.pathsep.join(path for path in sys.path if path)
    chosen = {"HOME": str(home), "PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONPATH": paths, **locale}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input="\n".join("\t".join(map(str, call)) for call in calls),
        env={**_without(os.environ, "LC_"), **chosen},
        cwd=work,
        encoding="utf-8",
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {str(path.relative_to(tmp / name)): path.read_bytes() for path in (tmp / name).rglob("*") if path.is_file()}


def _without(variables: Mapping[str, str], start: str) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith(start)}


def test_every_file_is_the_same_in_another_time_zone_locale_home_and_order_of_hashes(tmp_path: Path) -> None:
    for run in mixed_runs():
        keep(tmp_path / "runs", run)
    first = made(tmp_path, "first", "1", "Pacific/Kiritimati", LANG="C", LC_ALL="C")
    second = made(tmp_path, "second", "77", "America/Los_Angeles", LANG="de_DE.UTF-8", LC_NUMERIC="C.UTF-8")
    assert {Path(name).suffix for name in first} >= {".tex", ".md", ".csv", ".pdf", ".png"}
    assert sum(name.endswith(".pdf") for name in first) >= 6
    assert [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)] == []
