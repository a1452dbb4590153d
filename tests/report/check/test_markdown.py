import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from mtbench.report.assemble import make_report
from mtbench.report.check.documents import Source, check_document, source_of
from tests.report.records import QUICK, finished

TD, MEAN = r"\mtb{mmnist2, quick}{td}{mean}", r"<!-- \mtb{mmnist2, quick}{td}{mean} -->"
END = "<!-- /mtb -->"


@pytest.fixture(scope="module")
def source() -> Source:
    """The numbers of two methods on two seeds: the means of `td` are 90.06 and 91.06."""
    runs = [
        *(finished("td", seed, (90.12 + seed, 90 + seed), protocol=QUICK, stale="code changed") for seed in range(2)),
        *(finished("single", seed, (95 + seed, 93 + seed), protocol=QUICK) for seed in range(2)),
    ]
    return source_of([make_report(runs)])


def found(text: str, source: Source, folder: Path) -> list[str]:
    """Return what is found in a document, without its name."""
    path = folder / "README.md"
    path.write_text(text)
    return [str(finding).removeprefix(f"{path}:") for finding in check_document(path, source).findings]


def updated(text: str, source: Source, folder: Path) -> str:
    path = folder / "README.md"
    path.write_text(text)
    return check_document(path, source).new


def number(kind: str, written: str) -> str:
    return f"It is <!-- \\mtb{kind}{{mmnist2, quick}}{{td}}{{mean}} -->{written}{END} here."


RIGHT = [
    ("", "90.56"),
    ("sd", "0.71"),
    ("n", "2"),
    ("low", "84.21"),
    ("high", "96.91"),
    ("interval", "84.21 to 96.91"),
    ("cell", "90.56 ± 0.71†"),
]
"""The mean of 90.06 and 91.06, its standard deviation, and its interval: 90.56 ± 12.706 x 0.5."""


@pytest.mark.parametrize(("kind", "written"), RIGHT)
def test_each_kind_of_a_number_is_compared(kind: str, written: str, source: Source, tmp_path: Path) -> None:
    notes = found(number(kind, written), source, tmp_path)
    assert all("has marks in its table: † (a run is stale)." in note for note in notes)
    altered = re.sub(r"\d(?=\D*$)", lambda digit: str((int(digit[0]) + 1) % 10), written)
    assert found(f"\n\n{number(kind, altered)}", source, tmp_path) == [
        f"3: '{altered}' is written, the records say '{written}'."
    ]
    assert updated(number(kind, altered), source, tmp_path) == number(kind, written)


def wrong(text: str, source: Source, folder: Path) -> list[str]:
    return [line for line in found(text, source, folder) if "has marks" not in line]


def test_a_number_may_be_rounded_to_other_decimals_and_an_update_keeps_them(source: Source, tmp_path: Path) -> None:
    for written in ("91", "90.6", "90.560"):
        assert wrong(number("", written), source, tmp_path) == []
    assert wrong(number("", "90"), source, tmp_path) == ["1: '90' is written, the records say '91'."]
    assert updated(number("", "90.5"), source, tmp_path) == number("", "90.6")
    gain = r"a gain of <!-- \mtb{mmnist2, quick}{td}{delta-m} -->-4"
    assert wrong(f"{gain}{END}", source, tmp_path) == []
    assert wrong(f"{gain}.2{END}", source, tmp_path) == []
    assert len(wrong(f"{gain}.3{END}", source, tmp_path)) == 1
    zero = r"by <!-- \mtb{mmnist2, quick}{single}{delta-m} -->"
    assert wrong(f"{zero}+0.0{END} and {zero}+0.00{END}", source, tmp_path) == []
    assert len(wrong(f"{zero}0{END}", source, tmp_path)) == 1


def test_line_ends_and_backslashes_between_markers_do_not_count(source: Source, tmp_path: Path) -> None:
    assert wrong(number("cell", "90.56\n± 0.71†"), source, tmp_path) == []
    assert wrong(number("", r"90\.56"), source, tmp_path) == []


def test_a_marker_in_code_is_no_marker(source: Source, tmp_path: Path) -> None:
    text = f"`{MEAN}1{END}` and\n\n```md\n{MEAN}1{END}\n```\n\n~~~~\n~~~\n{MEAN}\n~~~~\n\nIt is {MEAN}1{END}.\n"
    assert wrong(text, source, tmp_path) == ["12: '1' is written, the records say '91'."]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"It is {MEAN}90.56 here.", f"1: {MEAN}: it is not closed by {END}."),
        (f"It is {MEAN}90.56 or {MEAN}90.56{END}.", f"1: {MEAN}: it is not closed by {END}."),
        (f"\nIt is 90.56{END} here.", f"2: {END}: it ends nothing."),
        (
            f"It is <!-- \\mtb{{mmnist2, quick}}{{tdd}}{{mean}} -->1{END}",
            "there is no method 'tdd' in 'mmnist2, quick'. Did you mean 'td'? Methods: single, td.",
        ),
        (
            f"It is <!-- \\mtb{{mmnist2, quick}}{{td}}{{men}} -->1{END}",
            "there is no column 'men' in 'mmnist2, quick'. Did you mean 'mean'? Columns: LU, RL, mean, delta-m,",
        ),
        (
            f"It is <!-- \\mtb{{mmnist2}}{{td}}{{mean}} -->1{END}",
            "there is no table 'mmnist2' in the report. Tables: mmnist2, quick.",
        ),
        (f"It is <!-- \\mtbmean{{a}}{{b}}{{c}} -->1{END}", r"there is no macro \mtbmean. Macros: \mtb, \mtbsd, \mtbn,"),
        (f"It is <!-- \\mtbsd{{mmnist2, quick}}{{td}}{{n}} -->1{END}", "there is no standard deviation of 'td' in"),
        (f"It is <!-- \\mtb{{td}}{{mean}} -->1{END}", "the marker cannot be read. Allowed: <!-- \\mtb{TABLE}"),
        (f"It is <!-- \\mtb{{a}}{{b}}{{c}} d -->1{END}", "the marker cannot be read."),
        (f"It is <!-- \\mtb{{a}}{{b}}{{c -->1{END}", "the marker cannot be read."),
        (f"It is <!-- mtb{{a}}{{b}}{{c}} -->1{END}", "the marker cannot be read."),
        (
            f"<!-- \\mtbtable{{mmnist2-table}} -->\n{END}",
            "there is no table 'mmnist2-table' in the report. Did you mean",
        ),
        (f"It is\n{MEAN}90.56{END}", "2: <!-- \\mtb{mmnist2, quick}{td}{mean} -->: a line that begins with a comment"),
        (f"- {MEAN}90.56{END}", "a line that begins with a comment is not shown as a part of its paragraph."),
        (f"It is {MEAN}90.56\n{END}.", "a line that begins with a comment is not shown"),
    ],
)
def test_a_marker_that_is_wrong_is_named_with_its_line(text: str, says: str, source: Source, tmp_path: Path) -> None:
    findings = wrong(text, source, tmp_path)
    assert any(says in finding for finding in findings), findings
    assert updated(text, source, tmp_path) == text


def test_comments_on_other_things_are_left_alone(source: Source, tmp_path: Path) -> None:
    text = f"<!-- mtbench: runnable -->\n<!-- mtb -->\n<!-- newcomer -->\n\nIt is {MEAN}90.56{END}{MEAN}91{END}.\n"
    assert wrong(text, source, tmp_path) == []
    assert wrong(f"{END}{text}", source, tmp_path) == [f"1: {END}: it ends nothing."]
    assert wrong(f"{text}{END}{END}", source, tmp_path) == [f"6: {END}: it ends nothing."] * 2


def test_a_table_is_compared_cell_by_cell_and_written_anew(source: Source, tmp_path: Path) -> None:
    table = source.tables["mmnist2-quick-table"]
    marker = "<!-- \\mtbtable{mmnist2-quick-table} -->"
    text = f"# Results\n\n{marker}\n\n{table}\n\n{END}\n\nThe end.\n"
    assert found(text, source, tmp_path) == []
    altered = text.replace("| 90.62 ± 0.71 |", "| 90.26 ± 0.71 |")
    assert altered != text
    assert found(altered, source, tmp_path) == [
        "8: table 'mmnist2-quick-table', row 'td†', column 'LU': '90.26 ± 0.71' is written, the records say "
        "'90.62 ± 0.71'."
    ]
    for old in (altered, text.replace(table, ""), text.replace(f"\n\n{table}\n\n", "")):
        assert updated(old, source, tmp_path) == text
    without = text.replace(table.splitlines()[-1] + "\n", "")
    assert found(without, source, tmp_path)[0].startswith("8: table 'mmnist2-quick-table', 'td† | 90.62")


def test_no_reader_sees_the_markers(source: Source, tmp_path: Path) -> None:
    table = source.tables["mmnist2-quick-table"]
    inline = f"It is {MEAN}90.56{END} %, or **{MEAN}91{END}**.\n\n| a | b |\n| --- | ---: |\n| {MEAN}90.6{END} | c |\n"
    text = f"{inline}\n<!-- \\mtbtable{{mmnist2-quick-table}} -->\n\n{table}\n\n{END}\n\nThe end.\n"
    assert wrong(text, source, tmp_path) == []
    plain = re.sub(r"<!--.*?-->", "", text)
    render = MarkdownIt("gfm-like", {"linkify": False}).render
    shown = re.sub(r"<!--.*?-->", "", render(text))
    assert "<table>" in shown
    assert shown.split() == render(plain).split()
