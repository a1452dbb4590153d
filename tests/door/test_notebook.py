"""A script without functions, as notebooks are, is run from its first line to its last once."""

import os
import subprocess
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).with_name("notebook.py")


def test_a_notebook_of_fifteen_lines_runs_loads_compares_and_plots(tmp_path: Path) -> None:
    assert len(NOTEBOOK.read_text().splitlines()) <= 15
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, str(NOTEBOOK)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("record.json"))) == 6
    for words in ("method ", "moo ", "uniform ", "difference ", "p_holm"):
        assert words in done.stdout
    assert (tmp_path / "curves.png").stat().st_size > 10_000
