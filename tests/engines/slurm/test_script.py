"""The script of an array, run by bash as Slurm does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.engines.slurm.script import render_script
from tests.waits import wait_until

ODD = "two words, a 'quote', a \"double\", $HOME and `x`"
WORK = """\
import os, pathlib, signal, sys, time
here = pathlib.Path(sys.argv[1])
(here / "words").write_text("\\n".join(sys.argv[2:]))
(here / "safe").write_text(str(sys.flags.safe_path))
if {takes}:
    def stop(*_): sys.exit({code})
    signal.signal(signal.SIGTERM, stop)
    (here / "ready").touch()
    time.sleep(60)
"""


def start(folder: Path, *, element: int = 1, takes: bool = False, code: int = 130) -> subprocess.Popen[bytes]:
    """Start the script of an array of two elements, whose mtbench writes its words into a file and may wait."""
    (folder / "work.py").write_text(WORK.format(takes=takes, code=code))
    specs = [[folder / f"{ODD}-{name}" / "spec.json" for name in names] for names in ("a", "bc")]
    for element_specs in specs:
        for spec in element_specs:
            spec.parent.mkdir(exist_ok=True)
    script = folder / "script.sh"
    script.write_text(render_script("mtbench-x", specs, [sys.executable, str(folder / "work.py"), str(folder), ODD]))
    (folder / "bin").mkdir()
    (folder / "bin" / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {folder}/requeued\n')
    (folder / "bin" / "scontrol").chmod(0o755)
    environment = {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SLURM_ARRAY_JOB_ID": "12",
        "SLURM_ARRAY_TASK_ID": str(element),
        "SLURM_JOB_ID": "12",
    }
    return subprocess.Popen(["bash", str(script)], env=environment)


def end(process: subprocess.Popen[bytes]) -> int:
    return process.wait(timeout=60)


def test_an_element_executes_its_specs_whatever_is_in_their_paths(tmp_path: Path) -> None:
    assert end(start(tmp_path)) == 0
    specs = [str(tmp_path / f"{ODD}-{name}" / "spec.json") for name in "bc"]
    assert (tmp_path / "words").read_text().splitlines() == [ODD, "--job", "12_1", *specs]


def test_no_module_of_the_folder_of_submission_is_imported(tmp_path: Path) -> None:
    end(start(tmp_path))
    assert (tmp_path / "safe").read_text() == "True"


def test_an_element_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    assert end(start(tmp_path, element=2)) == 2


def test_an_element_whose_records_are_there_starts_nothing(tmp_path: Path) -> None:
    for name in "bc":
        (tmp_path / f"{ODD}-{name}").mkdir()
        (tmp_path / f"{ODD}-{name}" / "record.json").touch()
    assert end(start(tmp_path)) == 0
    assert not (tmp_path / "words").exists()


@pytest.mark.parametrize(("code", "requeued"), [(130, "requeue 12_1\n"), (0, "")])
def test_before_its_time_limit_an_element_is_stopped_and_requeues_itself_alone(
    tmp_path: Path, code: int, requeued: str
) -> None:
    process = start(tmp_path, takes=True, code=code)
    wait_until((tmp_path / "ready").exists)
    process.send_signal(signal.SIGUSR2)
    assert end(process) == code
    path = tmp_path / "requeued"
    assert (path.read_text() if path.exists() else "") == requeued


def test_after_sigterm_an_element_is_stopped_and_not_requeued(tmp_path: Path) -> None:
    process = start(tmp_path, takes=True)
    wait_until((tmp_path / "ready").exists)
    process.send_signal(signal.SIGTERM)
    assert end(process) == 130
    assert not (tmp_path / "requeued").exists()


def test_a_failure_is_not_requeued(tmp_path: Path) -> None:
    process = start(tmp_path, takes=True)
    wait_until((tmp_path / "ready").exists)
    child = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    os.kill(int(child), signal.SIGKILL)
    assert end(process) == 137
    assert not (tmp_path / "requeued").exists()
