import re
from pathlib import Path

import pytest

from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.latex import escape_latex, render_latex
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import plain
from mtbench.store.status import RunStatus
from tests.report.records import MANY, QUICK, finished, many_runs, mixed_runs, unfinished
from tests.report.typesetting import needs_latex, typeset

NASTY = r"""_ & % # $ { } ~ ^ \ < > | " ' ` -- ± é «中»"""


def latex(runs: list[RunStatus]) -> str:
    (comparison,) = compare(runs)
    return render_latex(page_of(build_table(comparison)))


def test_every_sign_of_latex_is_escaped() -> None:
    assert escape_latex(r"_ & % # $ { } ~ ^ \ --") == (
        r"\_ \& \% \# \$ \{ \} \textasciitilde{} \textasciicircum{} \textbackslash{} -{}-"
    )


def test_a_character_that_latex_has_no_type_for_is_named_by_its_number() -> None:
    assert escape_latex("é中«") == "é{[}U+4E2D{]}{[}U+00AB{]}"


@needs_latex
def test_a_name_that_begins_with_a_bracket_or_a_star_is_no_argument_of_the_row_above(tmp_path: Path) -> None:
    names = ("method", "[a]", "*", "a name of three lines, [the second:line]")
    lines = tuple(plain((name, "1")) for name in names)
    layout = Layout(header=("method", "n"), lines=lines, tasks=1, costs=0)
    page = Page(title="[t]", label="l", quick=False, layout=layout, caption=("[c]",))
    typeset(tmp_path, [render_latex(page)])


def test_a_table_reads_as_latex() -> None:
    text = latex(mixed_runs())
    head, tasks, costs = text.split("\\begin{tabular}")
    assert head.startswith(
        "% Made by mtbench report. Needs \\usepackage{booktabs}.\n% In two columns the table takes the width of both:\n"
        "\\csname if@twocolumn\\endcsname\\def\\mtbenchwide{*}\\else\\def\\mtbenchwide{}\\fi\n"
        "\\begin{table\\mtbenchwide}[tbp]\n\\centering\n\\footnotesize\n"
        "\\setlength{\\tabcolsep}{3pt}\n\\caption[mmnist2, protocol paper]{mmnist2, protocol paper. Test "
    )
    assert head.endswith("\\label{tab:mmnist2-paper}\n\\par\\smallskip\n")
    pm = r"\,$\pm$\,"
    dash = r"\textendash{}"
    assert tasks == (
        "{l*{2}{r}}\n"
        "\\toprule\n"
        "method & LU & RL \\\\\n"
        "\\midrule\n"
        f"chmod$^\\dagger$ & 69.52{pm}0.74 & 62.02{pm}1.44 \\\\\n"
        f"moo & 88.50{pm}1.05 & 81.00{pm}1.53 \\\\\n"
        "single & \\textendash{} & \\textendash{} \\\\\n"
        f"td & {{\\boldmath\\bfseries 91.00{pm}1.00}} & 82.00{pm}2.00 \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\n"
        "\\medskip\n"
    )
    assert costs.split("\\begin{minipage}")[0] == (
        "{l*{8}{r}}\n"
        "\\toprule\n"
        "method & mean & $\\Delta$m $\\uparrow$ & n & \\#P & MACs & labels & s/epoch & memory \\\\\n"
        "\\midrule\n"
        f"chmod$^\\dagger$ & 65.77{pm}1.09 & {dash} & 2/4 & $\\times$1.0025 & 800.0k & 12.0M & 1.50 & 300 MB \\\\\n"
        f"moo & 84.75{pm}1.28 & {dash} & 3 & $\\times$2.00 & 800.0k & 12.0M & 1.50 & 300 MB \\\\\n"
        f"single & {' & '.join([dash, dash, '0/2', *[dash] * 5])} \\\\\n"
        f"td & {{\\boldmath\\bfseries 86.50{pm}1.50}} & {dash} & 3 & "
        "$\\times$1.25 & 800.0k & 12.0M & 1.50 & 300 MB \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\n"
        "\\smallskip\n"
    )


def test_a_preview_is_marked_in_bold_at_the_head_of_the_caption() -> None:
    assert r"]{\textbf{Preview, not a result.} mmnist2, protocol quick." in latex([finished(protocol=QUICK)])


def test_many_tasks_stand_in_blocks_below_one_another() -> None:
    scores = {f"task {index:02}": 90.0 for index in range(12)}
    text = latex([finished("td", seed, scores) for seed in range(3)])
    assert text.count("\\begin{table\\mtbenchwide}") == 1
    assert text.count("\\begin{tabular}{l") == 4  # five tasks, five, two, and what is of all tasks
    assert all(task in text for task in scores)


def test_a_row_has_as_many_columns_as_76_characters_have_room_for() -> None:
    cells = [f"{place}" * 13 for place in range(9)]  # 13 + 1.5 characters each, after 12 of the name
    layout = Layout(header=("method", *cells), lines=(plain(("a name of 12", *cells)),), tasks=9, costs=0)
    page = Page(title="t", label="l", quick=False, layout=layout, caption=("c",))
    assert re.findall(r"begin\{tabular\}\{l\*\{(\d)\}", render_latex(page)) == ["4", "4", "1"]


def test_a_footnote_with_the_words_of_the_details_is_no_details() -> None:
    layout = Layout(header=("method", "n"), lines=(plain(("td", "3")),), tasks=1, costs=0)
    page = Page(title="t", label="l", quick=False, layout=layout, caption=(), details=("Same.",), footnotes=("Same.",))
    assert r"\textbf{Details.} Same.\par" + "\nSame.\\par\n" in render_latex(page)


def test_blocks_that_fill_a_page_go_on_in_another_table() -> None:
    scores = {f"task {index:02}": 90.0 for index in range(40)}
    (comparison,) = compare([finished(f"method-{index}", 0, scores) for index in range(12)])
    text = render_latex(page_of(build_table(comparison), every_task=True))
    assert text.count("\\begin{table\\mtbenchwide}") > 1
    assert text.count("\\label") == 1
    assert "\\caption[]{mmnist2, protocol paper, continued.}" in text


def test_more_methods_than_a_page_has_lines_go_on_in_another_table() -> None:
    text = latex(many_runs())
    rows = re.findall(r"^([a-z][\w+:=.-]+) & .*\\\\$", text, re.MULTILINE)
    assert [name for name in rows if name != "method"] == sorted(MANY) * 3  # with the tasks, the mean, the costs
    tables = text.split("\\begin{table\\mtbenchwide}")[1:]
    assert [table.count("\\\\\n") for table in tables] == [1 + 23, 1 + 22, 1 + 45, 1 + 45, 0]
    assert [r"\textbf{Details.} " in table for table in tables] == [False] * 4 + [True]
    assert "continued" not in tables[0]
    assert all(", continued." in table for table in tables[1:])
    assert "branches+famo: 1 failed" in tables[-1]


def test_more_footnotes_than_a_page_has_room_for_go_on_in_another_table() -> None:
    why = " ".join(f"word-{place}" for place in range(30))
    runs = [unfinished("failed", method, 0, why) for method in MANY] + [finished("uniform")]
    *_, last = latex(runs).split("\\begin{table\\mtbenchwide}")
    assert "tabular" not in last
    assert "tensormod: 1 failed" in last


@needs_latex
@pytest.mark.parametrize("columns", [1, 2])
def test_pdflatex_sets_every_table_within_the_line(tmp_path: Path, columns: int) -> None:
    seeds = range(3)
    names = {f"left_{index}_{NASTY}" if index == 3 else f"5_o_Clock_Shadow_{index}": 90.0 for index in range(10)}
    long = "td:channels=6:bu2=mul+fixed:weights=.3/.4/.3"
    tables = [
        mixed_runs(),
        [finished(method, seed, names, protocol=QUICK) for seed in seeds for method in (long, "moo")],
        [finished("td", 0, stale=NASTY)],
        many_runs(),
        many_runs(tasks=[f"digit {place}" for place in range(9)]),
        [unfinished("failed", method, 0, f"{NASTY} " * 4) for method in MANY],
    ]
    typeset(tmp_path, [latex(runs) for runs in tables], columns=columns)
