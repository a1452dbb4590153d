"""The documents' own commands and examples, run."""

import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.contract import Classification, Network, Setup, Task
from mtbench.plan.parse import parse_backbone

HOUSE = Path(__file__).parents[2]
README = (HOUSE / "README.md").read_text()
BLOCK = re.compile(r"(?:<!-- (\w+) -->\n)?```console\n(.*?)```", re.DOTALL)


def commands(marked: str) -> list[str]:
    """Return the lines after a dollar sign in the README's console blocks that have this mark, or none."""
    return [
        line.removeprefix("$ ").partition("  #")[0].strip()
        for mark, block in BLOCK.findall(README)
        if mark == marked
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def call(command: str, folder: Path, *more: str, packages: Path | None = None) -> "subprocess.CompletedProcess[str]":
    program, *arguments = shlex.split(command)
    assert program == "mtbench", command
    folders = [packages or HOUSE / "tests" / "plugins", os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(map(str, folders))
    return subprocess.run(
        [sys.executable, "-m", "mtbench", *arguments, *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_runnable_commands_run_one_after_another(tmp_path: Path, data_root: Path) -> None:  # noqa: ARG001
    runnable = commands("runnable")
    assert len(runnable) >= 5
    for command in runnable:
        done = call(command, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_a_newcomers_path_leads_from_step_to_step(tmp_path: Path, data_root: Path) -> None:  # noqa: ARG001
    """The steps as printed, but that the package is installed into a folder and the runs are cut short."""
    first, install, *others = commands("newcomer")
    site = tmp_path / "site"
    said = call(first, tmp_path).stdout
    assert install == "pip install -e mtbench-mine"
    target: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        site,
    ]
    subprocess.run([*target, tmp_path / "mtbench-mine"], check=True, capture_output=True, timeout=300)
    for command in (install, *others):
        assert command.removesuffix(" --quick") in " ".join(said.split()), f"{command} is not announced by: {said}"
        if command.startswith("mtbench"):
            short = ["--set", "images=512", "--epochs", "1", "--seeds", "1"] if "run" in command else []
            done = call(command, tmp_path, *short, packages=site)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            said += done.stdout
    table = next((tmp_path / "reports/local").rglob("*-table.md")).read_text()
    assert "| mine |" in table
    assert "| uniform |" in table


@pytest.mark.parametrize("command", commands(""))
@pytest.mark.usefixtures("data_root")
def test_the_other_commands_can_be_planned(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    if program != "mtbench":
        target = arguments[-1]
        assert re.search(rf"^{target}:", (HOUSE / "Makefile").read_text(), re.MULTILINE) or program == "git"
        return
    planned = arguments[0] in ("run", "search")
    done = CliRunner().invoke(app, [*arguments, "--dry-run", "--quiet"] if planned else [arguments[0], "--help"])
    assert done.exit_code == 0, f"{command}\n{done.output}"


def test_the_readmes_table_is_that_of_the_kept_report() -> None:
    report = (HOUSE / "reports/2026-11-24-demo/mmnist3-quick-table.md").read_text()
    table = [line for line in report.splitlines() if line.startswith("| ")]
    assert len(table) == 7
    assert "\n".join(table) in README


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    asked = 'dataset="mmnist3", seeds=3, protocol="quick"'
    assert asked in source
    monkeypatch.chdir(tmp_path)
    exec(source.replace(asked, 'dataset="toy-all", seeds=2, epochs=1, jobs=1, quiet=True'), {})
    assert next(tmp_path.rglob("*-table.md")).is_file()


def test_the_pictures_and_links_of_the_documents_are_there() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "methods/README.md", "datasets/README.md"):
        path = HOUSE / document
        links = re.findall(r"\]\(([^)#]+)\)", path.read_text())
        assert links, document
        for link in links:
            assert link.startswith("http") or (path.parent / link).exists(), f"{document}: {link}"


def test_the_method_of_contributing_is_complete_and_every_part_of_it_gets_a_gradient() -> None:
    source = re.search(r"```python\n(.*?)```", (HOUSE / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert source is not None
    namespace: dict[str, type[Network]] = {}
    exec(source[1], namespace)
    lenet = parse_backbone("lenet")
    tasks = tuple(Task(name=name, kind=Classification(classes=3)) for name in "ab")
    setup = Setup(
        tasks=tasks,
        backbone_class=lenet.backbone_class,
        backbone_options=lenet.options,
        input_shape=(1, 28, 28),
        seed=0,
    )
    network = namespace["ScaledFeatures"](None, setup)
    outputs = network.all_outputs(torch.rand(2, 1, 28, 28))
    assert [tuple(output.shape) for output in outputs] == [(2, 3), (2, 3)]
    sum(output.square().sum() for output in outputs).backward()  # type: ignore[union-attr]
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_changelog_begins_with_what_comes_next_and_this_release() -> None:
    headings = re.findall(
        r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", (HOUSE / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == version("mtbench")
    cited = dict(re.findall(r'^([\w-]+): "?(.+?)"?$', (HOUSE / "CITATION.cff").read_text(), re.MULTILINE))
    assert (cited["version"], cited["date-released"]) == headings[1]


def test_the_picture_of_the_house_names_every_room_and_nothing_else() -> None:
    text = (HOUSE / "CONTRIBUTING.md").read_text().partition("## The house\n")[2].partition("\n## ")[0]
    parent, named = "", set[str]()
    for indent, folder in re.findall(r"^( *)([\w]+/) {2,}", text, re.MULTILINE):
        parent = parent if indent else folder
        named.add(parent + folder if indent else folder)
    rooms = {f"mtbench/{path.parent.name}/" for path in (HOUSE / "mtbench").glob("*/*.*") if path.suffix != ".pyc"}
    assert "mtbench/suites/" in rooms
    assert rooms <= named
    assert [folder for folder in sorted(named) if not (HOUSE / folder).is_dir()] == []
