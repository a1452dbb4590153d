import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.errors import UsageError
from tests.report.records import finished
from tests.report.test_command import keep

README = "It is <!-- \\mtb{mmnist2}{td}{mean} -->85.00<!-- /mtb --> %.\n"


def call(*words: str, code: int = 0) -> str:
    arguments = ["report", "runs", *words, "--data-root", "data"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs in ``runs``, and their report in ``tables``."""
    folder = tmp_path_factory.mktemp("written")
    for seed in range(2):
        keep(folder / "runs", finished("td", seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        call("--out", "tables")
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, the working folder."""
    place = tmp_path / "copy"
    shutil.copytree(written, place)
    monkeypatch.chdir(place)
    return place


def test_a_check_writes_nothing_and_fails_where_a_file_differs(folder: Path) -> None:
    table = folder / "tables" / "mmnist2-paper-table.md"
    table.write_text(table.read_text().replace("85.00", "85.01"))
    (folder / "tables" / "old.csv").touch()
    before = contents(folder)
    count = len(list((folder / "tables").iterdir())) - 1
    first, *_, last = call("--out", "tables", "--check", code=1).splitlines()
    assert first.startswith(
        "tables/mmnist2-paper-table.md:5: table 'mmnist2, protocol paper', row 'td†', column 'mean'"
    )
    assert last == f"2 differences from the records in {count} files."
    assert contents(folder) == before


def test_documents_are_compared_without_the_files_of_a_report(folder: Path) -> None:
    path = folder / "README.md"
    path.write_text(README.replace("85.00", "58.00"))
    assert call("--check", "--document", "README.md", code=1).splitlines() == [
        "README.md:1: '58.00' is written, the records say '85.00'.",
        "1 difference from the records in 1 number or table in documents.",
    ]
    assert not (folder / "reports").exists()


def test_without_the_option_documents_are_written_anew_but_what_cannot_be_mended(folder: Path) -> None:
    path = folder / "README.md"
    unknown = README.replace("{td}", "{tdd}")
    path.write_text(unknown + README.replace("85.00", "58.00"))
    shown = " ".join(call("--out", "tables", "--document", "README.md", code=1).split())
    assert "README.md: numbers are rewritten." in shown
    assert "README.md:1: <!-- \\mtb{mmnist2}{tdd}{mean} -->: there is no method 'tdd'" in shown
    assert path.read_text() == unknown + README
    path.write_text(README)
    shown = " ".join(call("--out", "tables", "--check", "--document", "README.md").split())
    count = len(list((folder / "tables").iterdir()))
    assert shown.endswith(f"As the records say: {count} files and 1 number or table in documents.")


def test_macros_in_latex_need_a_file_with_numbers_that_is_compared_too(folder: Path) -> None:
    (folder / "section.tex").write_text("\\mtb{mmnist2}{td}{mean}\n")
    shown = call("--check", "--document", "section.tex", code=1)
    assert shown.startswith("section.tex: no document reads numbers.tex: name the one that does too, or give --out.")
    (folder / "main.tex").write_text("\\input{tables/numbers}\n\\input{section}\n")
    call("--check", "--document", "section.tex", "--document", "main.tex")
    numbers = folder / "tables" / "numbers.tex"
    numbers.write_text(numbers.read_text().replace("85.00", "58.00"))
    shown = call("--check", "--document", "section.tex", "--document", "main.tex", code=1)
    assert shown.startswith("tables/numbers.tex:")
    assert "row 'mmnist2, paper, td, mean'" in " ".join(shown.split())


def test_what_cannot_be_compared_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no document nothing\.md"):
        call("--check", "--document", "nothing.md")
    (folder / "paper.docx").touch()
    with pytest.raises(UsageError, match=r"paper\.docx is no document .* Allowed: files that end with \.md, "):
        call("--check", "--document", "paper.docx")
    (folder / "latin.md").write_bytes("é".encode("latin-1"))
    with pytest.raises(UsageError, match=r"latin\.md is not written in UTF-8"):
        call("--check", "--document", "latin.md")
    with pytest.raises(UsageError, match=r"there is no folder nowhere\. Write the report first"):
        call("--check", "--out", "nowhere")
