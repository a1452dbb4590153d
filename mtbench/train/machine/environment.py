"""The program and the system of a run, for its record."""

import json
import platform
import subprocess
from importlib.metadata import distribution, version
from pathlib import Path

from mtbench.store.record import Environment

__all__ = ["commit_of", "environment"]


def environment() -> Environment:
    """Return the versions and the platform of this process."""
    return Environment(
        mtbench=version("mtbench"),
        python=platform.python_version(),
        platform=platform.platform(),
        commit=commit_of(Path(__file__)) or _installed_commit(),
    )


def commit_of(file: Path) -> str:
    """Return the commit of the checkout that tracks a file; empty if none does, or if Git cannot tell."""
    if not _git(file.parent, "ls-files", "--error-unmatch", file.name):
        return ""
    return _git(file.parent, "rev-parse", "HEAD")


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _installed_commit() -> str:
    """Return the commit that mtbench was installed from, as pip wrote it (PEP 610); empty if from none."""
    origin = json.loads(distribution("mtbench").read_text("direct_url.json") or "{}")
    return str(origin.get("vcs_info", {}).get("commit_id", ""))
