from pathlib import Path

import pytest

from mtbench.errors import StoreError
from mtbench.report.assemble import make_report
from tests.report.records import QUICK, finished, unfinished

KINDS = ["table.tex", "table.md", "table.csv", "curves.pdf", "curves.png", "points.pdf", "points.png"]
KINDS += ["ledger.tex", "ledger.md", "ledger.csv"]


def test_each_dataset_has_a_folder_and_each_protocol_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [finished(), finished(protocol=QUICK), finished(dataset="mmnist4:offset=8")]
    files = make_report(runs).write(None)
    assert [str(file) for file in files] == [
        "reports/local/mmnist2/mmnist2-runs.csv",
        *(f"reports/local/mmnist2/mmnist2-paper-{kind}" for kind in KINDS),
        *(f"reports/local/mmnist2/mmnist2-quick-{kind}" for kind in KINDS),
        "reports/local/mmnist2/numbers.tex",
        "reports/local/mmnist2/index.html",
        "reports/local/mmnist4,offset=8/mmnist4,offset=8-runs.csv",
        *(f"reports/local/mmnist4,offset=8/mmnist4,offset=8-paper-{kind}" for kind in KINDS),
        "reports/local/mmnist4,offset=8/numbers.tex",
        "reports/local/mmnist4,offset=8/index.html",
    ]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(tmp_path / file for file in files)


def test_a_folder_that_was_asked_for_gets_everything_and_the_same_bytes_again(tmp_path: Path) -> None:
    runs = [finished(), finished("moo", 1), unfinished("missing", "moo", 0)]
    first = make_report(runs).write(tmp_path / "a" / "b")
    assert {file.parent for file in first} == {tmp_path / "a" / "b"}
    second = make_report(runs[::-1]).write(tmp_path / "c")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_datasets_whose_long_names_begin_alike_have_files_of_their_own(tmp_path: Path) -> None:
    long = f"mmnist2:labels={'/'.join(['0.5'] * 40)}"
    files = make_report([finished(dataset=f"{long}/0.{digit}") for digit in (1, 2)]).write(tmp_path)
    tables = [file for file in files if file.name.endswith("-table.md")]
    assert len(tables) == len({table.read_text() for table in tables}) == 2
    assert len(set(files)) == len(files)


def test_nothing_makes_nothing(tmp_path: Path) -> None:
    assert make_report([]).write(tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_without_a_finished_run_there_are_tables_and_no_figures(tmp_path: Path) -> None:
    files = make_report([unfinished("failed", why="out of memory")]).write(tmp_path)
    tables = [f"mmnist2-paper-{kind}" for kind in KINDS[:3]]
    assert [file.name for file in files] == ["mmnist2-runs.csv", *tables, "index.html"]
    assert "| td | 0/1 | – | – |" in files[2].read_text()  # noqa: RUF001


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        make_report([finished()]).write(tmp_path / "file")
