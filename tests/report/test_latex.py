import shutil
import subprocess
from pathlib import Path

import pytest

from mtbench.report.comparison import compare
from mtbench.report.latex import escape_latex, render_latex
from mtbench.report.table import build_table
from mtbench.store.status import RunStatus
from tests.report.records import QUICK, finished, mixed_runs

NASTY = r"""_ & % # $ { } ~ ^ \ < > | " ' ` -- ± é «中»"""


def latex(runs: list[RunStatus]) -> str:
    (comparison,) = compare(runs)
    return render_latex(build_table(comparison))


def test_every_sign_of_latex_is_escaped() -> None:
    assert escape_latex(r"_ & % # $ { } ~ ^ \ --") == (
        r"\_ \& \% \# \$ \{ \} \textasciitilde{} \textasciicircum{} \textbackslash{} -{}-"
    )


def test_a_character_that_latex_has_no_type_for_is_named_by_its_number() -> None:
    assert escape_latex("é中«") == "é[U+4E2D][U+00AB]"


def test_a_table_reads_as_latex() -> None:
    text = latex(mixed_runs())
    head, body = text.split("\\begin{tabular}", 1)
    assert head.startswith(
        "% Made by mtbench report. Needs \\usepackage{booktabs}.\n\\begin{table}[tbp]\n\\centering\n\\footnotesize\n"
        "\\setlength{\\tabcolsep}{3pt}\n\\caption[mmnist2, protocol paper]{mmnist2, protocol paper: 100 epochs, "
    )
    assert head.endswith("\\label{tab:mmnist2-paper}\n\\par\\smallskip\n")
    pm = r"\,$\pm$\,"
    assert body.split("\\begin{minipage}")[0] == (
        "{l*{6}{r}}\n"
        "\\toprule\n"
        "method & LU & RL & mean & n & \\#P & labels \\\\\n"
        "\\midrule\n"
        f"chmod$^\\dagger$ & 70.00{pm}1.41 & 60.00{pm}1.41 & 65.00{pm}0.00 & 2/4 & $\\times$1.0025 & 12.0M \\\\\n"
        f"moo & 88.50{pm}1.00 & 81.00{pm}1.53 & 84.75{pm}1.26 & 3 & $\\times$2.00 & 12.0M \\\\\n"
        "single & \\textendash{} & \\textendash{} & \\textendash{} & 0/2 & \\textendash{} & \\textendash{} \\\\\n"
        f"td & {{\\boldmath\\bfseries 91.00{pm}1.00}} & 82.00{pm}2.00 & {{\\boldmath\\bfseries 86.50{pm}1.50}} & 3 & "
        "$\\times$1.25 & 12.0M \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\n"
        "\\smallskip\n"
    )


def test_a_look_is_marked_in_bold_at_the_head_of_the_caption() -> None:
    assert r"]{\textbf{QUICK: a look, not a result.} mmnist2, protocol quick: 2" in latex([finished(protocol=QUICK)])


def test_many_tasks_stand_in_blocks_below_one_another() -> None:
    scores = {f"task {index:02}": 90.0 for index in range(12)}
    text = latex([finished("td", seed, scores) for seed in range(3)])
    assert text.count("\\begin{table}") == 1
    assert text.count("\\begin{tabular}{l") == 3
    assert text.count("task") >= 12


def test_blocks_that_fill_a_page_go_on_in_another_table() -> None:
    scores = {f"task {index:02}": 90.0 for index in range(40)}
    text = latex([finished(f"method-{index}", 0, scores) for index in range(12)])
    assert text.count("\\begin{table}") > 1
    assert text.count("\\label") == 1
    assert "\\caption[]{mmnist2, protocol paper, continued.}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_sets_every_table_within_the_line(tmp_path: Path) -> None:
    seeds = range(3)
    names = {f"left_{index}_{NASTY}" if index == 3 else f"5_o_Clock_Shadow_{index}": 90.0 for index in range(10)}
    long = "td:channels=6:bu2=mul+fixed:weights=.3/.4/.3"
    tables = {
        "mixed.tex": mixed_runs(),
        "wide.tex": [finished(method, seed, names, protocol=QUICK) for seed in seeds for method in (long, "moo")],
        "nasty.tex": [finished("td", 0, stale=NASTY)],
    }
    for name, runs in tables.items():
        (tmp_path / name).write_text(latex(runs))
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
        + "".join(f"\\input{{{name}}}\n" for name in tables)
        + "\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log
    assert "Overfull" not in log
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000
