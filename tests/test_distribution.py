"""The wheel and the sdist: built from a copy of the sources and installed away from them."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PACKAGES = {"mtbench": HOUSE, "mtbench_methods": HOUSE / "methods", "mtbench_datasets": HOUSE / "datasets"}
PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]


def call(*command: str | Path, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(package: Path) -> set[str]:
    """Return the files below a package, without what Python writes there."""
    found = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, source)
    for name, parent in PACKAGES.items():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(parent / name, source / parent.relative_to(HOUSE) / name, ignore=ignore)
    call("build", "--no-isolation", "--outdir", built, source, folder=source)
    return built


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed into, without its dependencies."""
    (wheel,) = built.glob("*.whl")
    site = tmp_path_factory.mktemp("site")
    call("pip", "install", "--no-deps", "--no-index", "--target", site, wheel, folder=site)
    return site


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_packages(site: Path) -> None:
    for name, parent in PACKAGES.items():
        there = files(parent / name)
        assert {"__init__.py", "py.typed"} <= there
        assert files(site / name) == there
    kinds = {Path(path).suffix for path in files(site / "mtbench")}
    assert {".py", ".toml", ".j2"} <= kinds  # suites and templates among them


@pytest.mark.slow
def test_the_sdist_has_what_building_needs_and_the_license(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO"} <= names
    assert path.name == f"mtbench-{PROJECT['version']}.tar.gz"


@pytest.mark.slow
def test_the_entry_points_are_those_of_the_project(site: Path) -> None:
    (path,) = site.glob("mtbench-*.dist-info/entry_points.txt")
    found = configparser.ConfigParser(delimiters="=", interpolation=None)
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read_string(path.read_text())
    declared = {**PROJECT["entry-points"], "console_scripts": PROJECT["scripts"]}
    assert {group: dict(found[group]) for group in found.sections()} == declared


@pytest.mark.slow
def test_the_installed_command_lists_what_is_built_in(site: Path, tmp_path: Path) -> None:
    where = "import mtbench, mtbench_methods, mtbench_datasets; print(mtbench_methods.__file__, mtbench.__file__)"
    (tmp_path / "where.py").write_text(where)
    printed = call("where", folder=tmp_path, PYTHONPATH=str(site))
    assert printed.split() == [str(site / "mtbench_methods/__init__.py"), str(site / "mtbench/__init__.py")]
    listed = call("mtbench", "list", folder=tmp_path, PYTHONPATH=str(site), COLUMNS="200")
    words = set(re.findall(r"[\w-]+", listed))
    for group in ("mtbench.methods", "mtbench.balancers", "mtbench.datasets"):
        assert set(PROJECT["entry-points"][group]) <= words
    suites = call("mtbench", "suite", "list", folder=tmp_path, PYTHONPATH=str(site), COLUMNS="200")
    for suite in (HOUSE / "mtbench" / "suites").glob("*.toml"):
        assert suite.stem in suites
