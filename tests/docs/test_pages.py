"""The documentation, built as pages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mtbench
import mtbench.contract
from mtbench import stats

HOUSE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=HOUSE,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


def anchors(page: Path) -> set[str]:
    return set(re.findall(r'id="(mtbench[\w.]*)"', page.read_text()))


@pytest.mark.slow
def test_pages_are_built_without_a_warning_and_have_an_entry_for_every_public_name(site: Path) -> None:
    public = {f"{module}.{name}" for name, module in mtbench._MODULES.items()}
    assert len(public) == len([name for name in mtbench.__all__ if not name.startswith("__")])
    assert public <= anchors(site / "api/python/index.html")
    contract = {f"mtbench.contract.{name}" for name in mtbench.contract.__all__}
    assert contract <= anchors(site / "api/contract/index.html")
    modules = {f"mtbench.stats.{path.stem}" for path in Path(stats.__file__).parent.glob("[a-z]*.py")}
    assert modules
    assert modules <= anchors(site / "api/stats/index.html")
    assert (site / "record" / "index.html").is_file()
