"""Run tests with the lowest versions that pyproject.toml allows, in an environment of its own: `make lowest`.

The environment ``.lowest`` holds each direct dependency at its lowest version. Torch, which is large, and packages
without a lower bound are linked from the environment that runs this file. Warnings of old versions are no faults.
"""

import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def link(packages: Path, below: list[str]) -> None:
    """Link into a folder of packages those that it lacks."""
    own = {canonicalize_name(each.name) for each in distributions(path=[str(packages)])}
    for each in distributions(path=below):
        if canonicalize_name(each.name) not in own:
            for name in {file.parts[0] for file in each.files or ()} - {"..", "__pycache__"}:
                if not (packages / name).exists():
                    (packages / name).symlink_to(Path(str(each.locate_file(name))))


def main(tests: list[str]) -> int:
    """Make the environment, print its versions, and run the tests in it."""
    venv.create(PLACE, with_pip=True, clear=True)
    python = str(PLACE / "bin" / "python")
    (packages,) = (PLACE / "lib").glob("python*/site-packages")
    below = [path for path in sys.path if path.endswith("site-packages")]
    path = packages / "below.pth"  # while pip installs, what lies below counts as installed
    path.write_text("\n".join(below))
    pinned = pins(direct())
    print("\n".join(pinned), flush=True)  # noqa: T201
    subprocess.run([python, "-m", "pip", "install", "--quiet", *pinned], check=True, timeout=1800)
    path.unlink()
    link(packages, below)
    command = [python, "-m", "pytest", "--numprocesses", "auto", "--dist", "worksteal", "-o", "filterwarnings=default"]
    return subprocess.run([*command, *tests], cwd=ROOT, check=False, timeout=4 * 3600).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
