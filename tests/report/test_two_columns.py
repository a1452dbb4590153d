"""A paper in two columns with the tables and figures of kept reports."""

from pathlib import Path

import pytest

import mtbench
from results import reports
from tests.report.typesetting import needs_latex, typeset

KEPT = {each.out: each for each in reports.read().report}
SUITES = [out for out, each in KEPT.items() if each.suite]


def figures(files: list[Path], star: str) -> list[str]:
    """Return a figure in LaTeX for each PDF file, as wide as both columns if `star` is a star."""
    size = "width=\\linewidth,height=.8\\textheight,keepaspectratio"
    return [
        f"\\begin{{figure{star}}}\n\\centering\\includegraphics[{size}]{{{path}}}\n\\caption{{A caption.}}\n"
        f"\\end{{figure{star}}}\n"
        for path in files
    ]


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize("out", SUITES)
def test_two_columns_hold_every_table_and_figure_of_a_kept_suite(out: str, tmp_path: Path) -> None:
    files = sorted(KEPT[out].folder.iterdir())
    tables = [path for path in files if path.suffix == ".tex" and not path.name.endswith("numbers.tex")]
    assert len(tables) >= 1
    drawn = figures([path for path in files if path.suffix == ".pdf"], "*")
    typeset(tmp_path, [path.read_text() for path in tables] + drawn, columns=2)


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize("out", SUITES)
def test_a_column_holds_the_table_for_papers_of_a_kept_suite(out: str, tmp_path: Path) -> None:
    kept = KEPT[out]
    suite = str(reports.HOUSE / kept.suite) if kept.suite.endswith(".toml") else kept.suite
    files = mtbench.report(
        kept.packs, suite=suite, style="paper", out=tmp_path / "paper", data_root=tmp_path / "nowhere", quiet=True
    )
    tables = [path for path in files if path.suffix == ".tex" and not path.name.endswith("numbers.tex")]
    assert any(path.name.endswith("table.tex") and "table*" not in path.read_text() for path in tables)
    drawn = figures([path for path in files if path.suffix == ".pdf"], "")
    typeset(tmp_path, [path.read_text() for path in tables] + drawn, columns=2)
