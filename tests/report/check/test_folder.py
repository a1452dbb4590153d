import random
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from mtbench.report.assemble import make_report, report_files
from mtbench.report.check.finding import Finding
from mtbench.report.check.folder import check_files, check_text
from tests.report.records import mixed_runs

FOLDER = Path("folder")
TEXTS = (".csv", ".html", ".md", ".tex")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The files of a report of made-up runs."""
    return {path.name: data for path, data in report_files([make_report(mixed_runs())], FOLDER)}


def checked(
    folder: Path, files: Mapping[str, bytes], *, tolerance: float = 0.0, others: tuple[Path, ...] = ()
) -> list[str]:
    """Return what is found in a folder, without its name."""
    made = {folder / name: data for name, data in files.items()}
    findings = check_files(made, tolerance=tolerance, others=others)
    return [str(finding).removeprefix(f"{folder}/") for finding in findings]


def written(folder: Path, files: Mapping[str, bytes], **altered: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in {**files, **altered}.items():
        (folder / name).write_bytes(data)
    return folder


def found(name: str, old: str, new: str, tolerance: float = 0.0) -> Finding | None:
    return check_text(FOLDER / name, old.encode(), new.encode(), tolerance)


def test_a_report_that_was_just_written_has_no_difference(files: dict[str, bytes], tmp_path: Path) -> None:
    assert {Path(name).suffix for name in files} == {*TEXTS, ".pdf", ".png"}
    assert checked(written(tmp_path, files), files) == []


def test_every_digit_in_a_table_that_is_altered_is_found_by_file_line_and_column(files: dict[str, bytes]) -> None:
    """In any file of the report, at places drawn by chance: another digit, never the same number."""
    drawn, cells = random.Random(0), 0
    for name, data in files.items():
        if Path(name).suffix not in TEXTS:
            continue
        text = data.decode()
        digits = [place.start() for place in re.finditer(r"\d", text)]
        for place in drawn.sample(digits, min(15, len(digits))):
            altered = f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"
            finding = check_text(FOLDER / name, altered.encode(), data)
            assert finding is not None, (name, text[place - 30 : place + 10])
            line = text.count("\n", 0, place) + 1
            if name.endswith((".csv", ".md")) or text.splitlines()[line - 1].startswith(r"\mtb@number"):
                assert (finding.path.name, finding.line) == (name, line)
                if line > 1 and not (name.endswith(".md") and text.splitlines()[line - 1][:1] != "|"):
                    assert re.search(r"row '.+', column '.+': '.+' is written, the records say '.+'\.$", finding.says)
                    cells += 1
    assert cells > 40


def test_an_altered_cell_is_named_in_each_kind_of_file() -> None:
    csv = "method,task,mean\ntd,LU,70.10\nmoo,LU,69.47\n"
    assert str(found("a.csv", csv.replace("69.47", "69.74"), csv)) == (
        "folder/a.csv:3: row 'moo, LU', column 'mean': '69.74' is written, the records say '69.47'."
    )
    markdown = "### mmnist3\n\n| method | LU | mean |\n| --- | ---: | ---: |\n| td | 74.67 ± 1.33 | 70.10 ± 1.02 |\n"
    assert str(found("a.md", markdown.replace("1.02", "1.03"), markdown)) == (
        "folder/a.md:5: table 'mmnist3', row 'td', column 'mean': '70.10 ± 1.03' is written, the records say "
        "'70.10 ± 1.02'."
    )
    latex = "\\toprule\nmethod & LU & mean \\\\\n\\midrule\ntd \\& co & 74.67 & 70.10 \\\\\n"
    assert str(found("a.tex", latex.replace("74.67", "74.76"), latex)) == (
        "folder/a.tex:4: row 'td \\& co', column 'LU': '74.76' is written, the records say '74.67'."
    )
    numbers = "\\mtb@number{mmnist3, quick}{td}{mean}{{70.10}{1.02}{3}{67.57}{72.63}{}}\n"
    assert str(found("numbers.tex", numbers.replace("{3}", "{5}"), numbers)) == (
        "folder/numbers.tex:1: row 'mmnist3, quick, td, mean', column 'runs': '5' is written, the records say '3'."
    )
    page = (
        '<div aria-label="Table: mmnist3"><table><tr><th>method</th><th>LU</th></tr>\n'
        '<tr><th>td</th><td><a href="#a">74.67</a><svg><text>1</text></svg></td></tr></table></div>\n<p>Tests.</p>\n'
    )
    assert str(found("index.html", page.replace("74.67", "74.76"), page)) == (
        "folder/index.html:2: table 'mmnist3', row 'td', column 'LU': '74.76' is written, the records say '74.67'."
    )


def test_what_is_in_no_table_is_shown_around_the_first_difference() -> None:
    caption = f"{'a' * 100}, n = 3 seeds; {'b' * 100}\n"
    finding = found("a.md", caption.replace("n = 3", "n = 4"), caption)
    assert finding is not None
    assert finding.says == (
        f"'…{'a' * 34}, n = 4 seeds; {'b' * 31}…' is written, the records say '…{'a' * 34}, n = 3 seeds; {'b' * 31}…'."
    )
    page = "<p>Same.</p>\n<svg><circle cx='1'/></svg>\n"
    drawn = found("index.html", page.replace("1", "2"), page)
    assert drawn is not None
    assert drawn.line == 2
    assert str(found("references.bib", "@a{b2018}\n", "@a{b2019}\n")).startswith("folder/references.bib:1: '@a{b2018}'")
    assert str(found("a.md", "a\r\nb\r\n", "a\nb\n")) == "folder/a.md:1: ends of lines differ."


def test_an_altered_number_is_named_before_marks_and_captions_that_changed_with_the_code() -> None:
    table = "### A\n\n| method | LU |\n| --- | ---: |\n| td | 74.67 |\n| moo | 73.95 |\n\nOld.\n"
    stale = table.replace("td", "td†").replace("moo", "moo†").replace("Old", "- New 1.\n- New 2") + "- New 3.\n"
    finding = found("a.md", table.replace("73.95", "73.59"), stale)
    assert str(finding) == (
        "folder/a.md:6: table 'A', row 'moo†', column 'LU': '73.59' is written, the records say '73.95'. "
        "4 further lines differ."
    )
    finding = found("a.md", table, stale)
    assert finding is not None
    assert finding.says.startswith("table 'A', row 'td†', column 'method': 'td' is written, the records say 'td†'.")


def test_lines_too_few_and_too_many_are_named() -> None:
    table = "method,mean\ntd,1\nmoo,2\nsingle,3\n"
    assert str(found("a.csv", table.replace("moo,2\n", ""), table)) == "folder/a.csv:3: 'moo | 2' is missing."
    assert str(found("a.csv", table.replace("single,3\n", ""), table)) == "folder/a.csv:4: 'single | 3' is missing."
    more = "is written, and the records have no such line."
    assert str(found("a.csv", table.replace("moo", "new,5\nmoo"), table)) == f"folder/a.csv:3: 'new | 5' {more}"
    assert str(found("a.csv", f"{table}new,5\n", table)) == f"folder/a.csv:5: 'new | 5' {more}"
    two = found("a.csv", table.replace("1", "8").replace("3", "9"), table)
    assert two is not None
    assert two.says.endswith("'8' is written, the records say '1'. 1 further line differs.")


def test_numbers_within_the_tolerance_are_equal_and_others_are_not() -> None:
    table = "method,mean,note\ntd,-0.7267500233650206,a 1\nmoo,0.0,b\nsingle,1e-8,c\n"
    other = table.replace("-0.7267500233650206", "-0.7267499706745146")
    assert found("a.csv", other, table, 1e-6) is None
    assert found("a.csv", other, table, 1e-9) is not None
    assert found("a.csv", other, table) is not None
    assert found("a.csv", other.replace("0.0,b", "0.1,b"), table, 1e-6) is not None
    assert found("a.csv", table.replace("1e-8", "2e-8"), table, 1e-6) is not None
    assert found("a.csv", table.replace("0.0", "1e-17"), table, 1e-6) is None
    assert found("a.csv", other.replace("a 1", "a 2"), table, 1e-6) is not None


def test_missing_left_over_and_redrawn_files_are_named(files: dict[str, bytes], tmp_path: Path) -> None:
    figures = [name for name in files if name.endswith((".pdf", ".png"))]
    folder = written(tmp_path, files, **{figures[1]: b"another"})
    (folder / figures[0]).unlink()
    for name in ("old-table.md", "a-explain.md", "a-images.png", "paper.tex", "notes.txt", ".hidden"):
        (folder / name).touch()
    assert checked(folder, files, others=(folder / "paper.tex",)) == [
        f"{figures[0]}: is missing.",
        f"{figures[1]}: is another drawing than that of the records.",
        "old-table.md: is left over: this report does not have it.",
    ]


def test_drawings_of_other_versions_are_compared_by_their_numbers(files: dict[str, bytes], tmp_path: Path) -> None:
    page = re.sub(r"matplotlib [\d.]+", "matplotlib 1.0", files["index.html"].decode(), count=1)
    redrawn = re.sub(r'(aria-label="Figure [^"]*">)<svg.*?</svg>', r"\1<svg></svg>", page, flags=re.DOTALL)
    assert redrawn != page
    figures = {name: b"another" for name in files if name.endswith((".pdf", ".png"))}
    folder = written(tmp_path, files, **figures, **{"index.html": redrawn.encode()})
    (note,) = checked(folder, files)
    assert "drawings are not compared, only the numbers in them: matplotlib 1.0" in note
    numbers = redrawn.rindex("Numbers of this figure")
    place = numbers + re.search(r"<td>\d", redrawn[numbers:]).end() - 1  # type: ignore[union-attr]
    altered = f"{redrawn[:place]}{(int(redrawn[place]) + 1) % 10}{redrawn[place + 1 :]}"
    (folder / "index.html").write_text(altered)
    wrong, _ = checked(folder, files)
    assert wrong.startswith("index.html:")
    assert "table 'Numbers of figure " in wrong
