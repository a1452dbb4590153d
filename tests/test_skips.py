"""The option by which a run of the tests refuses to leave one out."""

import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).parent.parent
TESTS = """
import pytest

def test_absent():
    pytest.importorskip("nothing_of_this_name")

@pytest.mark.skipif(True, reason="not today")
def test_marked():
    pass

@pytest.mark.gpu
@pytest.mark.skipif(True, reason="needs a CUDA device")
def test_gpu():
    pass

@pytest.mark.xfail
def test_known_fault():
    assert False
"""


def outcome(folder: Path, *options: str) -> str:
    (folder / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir"]
    markers = ["-o", "addopts=", "-o", "markers=gpu"]
    done = subprocess.run(
        [*command, str(folder), *markers, *options, str(folder / "test_some.py")],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout.splitlines()[-1]


def test_skipped_tests_fail_where_none_may_be_skipped_but_those_for_a_gpu(tmp_path: Path) -> None:
    assert " 3 skipped, 1 xfailed in " in outcome(tmp_path)
    assert " 1 failed, 1 skipped, 1 xfailed, 1 error in " in outcome(tmp_path, "--no-skips")
