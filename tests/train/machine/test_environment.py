import subprocess
from pathlib import Path

import pytest

import mtbench
from mtbench.train.machine.environment import commit_of, environment


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    command = ["git", *identity, *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_commit_is_that_of_the_checkout_that_tracks_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package"
    package.mkdir()
    tracked, other = package / "tracked.py", package / "other.py"
    tracked.touch()
    other.touch()
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "package/tracked.py")
    assert commit_of(tracked) == ""  # no commit yet
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    assert len(commit) == 40
    assert commit_of(tracked) == commit
    assert commit_of(other) == ""  # as a package that is installed below a checkout of another project
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(tracked) == ""  # without Git


def test_a_record_has_the_commit_of_the_code_that_is_running() -> None:
    assert environment().commit == commit_of(Path(mtbench.__file__))
