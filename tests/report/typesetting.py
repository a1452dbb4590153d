"""Tables set by LaTeX, as a paper would include them."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

__all__ = ["needs_latex", "typeset"]

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


def typeset(folder: Path, tables: Sequence[str], *, columns: int = 1) -> str:
    """Set the tables in one document, and find nothing wider than a line or higher than a page; what LaTeX said."""
    for number, table in enumerate(tables):
        (folder / f"{number}.tex").write_text(table)
    (folder / "paper.tex").write_text(
        f"\\documentclass[{'two' if columns == 2 else 'one'}column]{{article}}\n\\usepackage{{booktabs,graphicx}}\n"
        "\\begin{document}\n"
        + "".join(f"\\input{{{number}.tex}}\n\\clearpage\n" for number in range(len(tables)))
        + "\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log
    assert "Overfull" not in log
    assert "Float too large" not in log
    assert (folder / "paper.pdf").stat().st_size > 10_000
    return log
