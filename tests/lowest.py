"""Run tests with the lowest versions that pyproject.toml allows, in an environment of its own: `make lowest`.

The environment ``.lowest`` lies over the one that runs this file. It holds each direct dependency at its lowest version;
torch, which is large, and packages without a lower bound come from below. Warnings of old versions are no faults.
"""

import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PLACE = ROOT / ".lowest"
BELOW = {"torch", "torchvision", "setuptools"}
"""Packages that are taken as they are installed."""


def pins(requirements: Iterable[str]) -> list[str]:
    """Return ``name==version`` for each requirement with a lower bound."""
    found = []
    for requirement in map(Requirement, requirements):
        lowest = [bound.version for bound in requirement.specifier if bound.operator == ">="]
        if lowest and requirement.name not in BELOW:
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            found.append(f"{requirement.name}{extras}=={lowest[0]}")
    return found


def direct() -> list[str]:
    """Return what running and testing requires."""
    text = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = [one for group in text["project"]["optional-dependencies"].values() for one in group]
    return [*text["project"]["dependencies"], *extras, *text["dependency-groups"]["test"]]


def main(tests: list[str]) -> int:
    """Make the environment, print its versions, and run the tests in it."""
    venv.create(PLACE, with_pip=True, clear=True)
    python = str(PLACE / "bin" / "python")
    (packages,) = (PLACE / "lib").glob("python*/site-packages")
    (packages / "below.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    pinned = pins(direct())
    print("\n".join(pinned), flush=True)  # noqa: T201
    subprocess.run([python, "-m", "pip", "install", "--quiet", *pinned], check=True, timeout=1800)
    command = [python, "-m", "pytest", "--numprocesses", "auto", "--dist", "worksteal", "-o", "filterwarnings=default"]
    paths = [str(ROOT), str(ROOT / "methods"), str(ROOT / "datasets")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run([*command, *tests], cwd=ROOT, env=environment, check=False, timeout=4 * 3600).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
