from pathlib import Path

import pytest

from mtbench.report.assemble import Report, make_report
from mtbench.report.check.documents import Checked, Source, check_document, source_of
from mtbench.report.write import number_files
from tests.report.records import QUICK, finished


@pytest.fixture(scope="module")
def report() -> Report:
    """A report of two datasets, one of them as a preview."""
    return make_report([finished("td", 0), finished("td", 1), finished("td", 0, dataset="mmnist3", protocol=QUICK)])


@pytest.fixture(scope="module")
def source(report: Report) -> Source:
    return source_of([report])


def checked(folder: Path, body: str, source: Source) -> Checked:
    path = folder / "paper.tex"
    path.write_text(body)
    return check_document(path, source)


def found(folder: Path, body: str, source: Source) -> list[str]:
    """Return what is found in a document, without the name of its folder."""
    return [str(finding).removeprefix(f"{folder}/") for finding in checked(folder, body, source).findings]


def test_macros_of_numbers_that_are_there_are_counted(source: Source, tmp_path: Path) -> None:
    body = (
        "It is \\mtb{mmnist2}{td}{mean}\\,\\% ($\\pm$ \\mtbsd{mmnist2, paper}{td} {mean}), \\mtbn{mmnist3, quick}\n"
        "{t\\d}{mean}\\mtbinterval{mmnist2}{td}{L\\_U}. 50\\% \\\\% \\mtb{no}{no}{no}\n% \\mtb{no}{no}{no}\n"
        "\\renewcommand\\mtbmark[1]{#1}\n"
    ).replace("L\\_U", "LU")
    document = checked(tmp_path, body, source)
    assert [str(finding) for finding in document.findings] == []
    assert document.count == 4
    assert document.new == document.old


def test_macros_of_nothing_are_named_with_their_line(source: Source, tmp_path: Path) -> None:
    body = (
        "\\mtb{mmnist2}{tdd}{mean}\n\n\\mtb{mmnist4}{td}{mean} \\mtbsd{mmnist3, quick}{td}{mean}\n\\mtb{mmnist2}{td}.\n"
    )
    assert found(tmp_path, body, source) == [
        "paper.tex:1: \\mtb{mmnist2}{tdd}{mean}: there is no method 'tdd' in 'mmnist2, paper'. Did you mean 'td'? "
        "Methods: td.",
        "paper.tex:3: \\mtb{mmnist4}{td}{mean}: there is no table 'mmnist4' in the report. Did you mean 'mmnist2'? "
        "Tables: mmnist2, mmnist2, paper, mmnist3, quick.",
        "paper.tex:3: \\mtbsd{mmnist3, quick}{td}{mean}: there is no standard deviation of 'td' in column 'mean' of "
        "'mmnist3, quick'.",
        "paper.tex:4: \\mtb{mmnist2}{td} needs three names: table, method and column.",
    ]


def test_a_macro_within_a_definition_is_noted_and_not_checked(source: Source, tmp_path: Path) -> None:
    document = checked(tmp_path, "\\newcommand\\td[1]{\\mtb{mmnist2}{td}{#1}} \\mtb{mmnist2}{td}{\\#1}", source)
    assert [finding.note for finding in document.findings] == [True, False]


def test_the_file_with_numbers_that_a_document_reads_is_compared(
    report: Report, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for piece in report.shown:
        if piece.beside and piece.pages:
            path = Path("reports/local", report.folder(piece), "numbers.tex")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(number_files(report.results, [piece])["numbers.tex"])
    body = "\\input{reports/local/mmnist2/numbers} \\input{reports/local/mmnist3/numbers.tex}\n\\mtb{mmnist2}{td}{mean}"
    assert found(tmp_path, body, source) == []
    (tmp_path / "sections").mkdir()
    assert found(tmp_path / "sections", "\\input ../reports/local/mmnist2/numbers\n\\input{table}", source) == []
    numbers = tmp_path / "reports/local/mmnist2/numbers.tex"
    text = numbers.read_text()
    assert "{td}{mean}{{85.00}" in text
    numbers.write_text(text.replace("{td}{mean}{{85.00}", "{td}{mean}{{58.00}"))
    (finding,) = found(tmp_path, body, source)
    assert "numbers.tex:" in finding
    assert "row 'mmnist2, paper, td, mean', column 'number': '58.00' is written, the records say '85.00'." in finding
    numbers.write_text(text.replace("mmnist2", "mmnist7"))
    (finding,) = found(tmp_path, body, source)
    assert "has the tables 'mmnist7, paper', and the records 'mmnist2, paper' or" in finding
    numbers.unlink()
    assert "numbers.tex is missing." in found(tmp_path, body, source)[0]


def test_macros_without_a_file_of_numbers_are_told_apart(source: Source, tmp_path: Path) -> None:
    section = checked(tmp_path, "\\mtb{mmnist2}{td}{mean}", source)
    assert (section.needs_numbers, section.reads_numbers) == (True, False)
    assert not checked(tmp_path, "No number.", source).needs_numbers
