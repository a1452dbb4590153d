"""``mtbench plan``: lists, commands that schedulers execute, and the simulation as it is printed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from mtbench.cli.training.plan import plan
from mtbench.cli.training.run import run
from mtbench.door.training.work import Work
from mtbench.engines import forecast
from mtbench.engines.commands import slurm_script
from mtbench.engines.engine import Job, Site
from mtbench.engines.simulation import measured
from mtbench.errors import MtbenchError, UsageError
from mtbench.store.memory import CACHE
from mtbench.store.run.attempts import read_attempts
from mtbench.train.cost.speeds import Speed
from tests.cli.commands import call

app = typer.Typer()
app.command("plan")(plan)
app.command("run")(run)
GRID = ("--methods", "moo,td", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1")
NODES = ("--simulate", "--nodes", "2", "--mtbf", "1min")
ODD = 'a "quoted" folder\'s $name'
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def mtbench(*arguments: str) -> Result:
    return call(app, *arguments)


def printed(*arguments: str) -> str:
    """Standard output alone."""
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, MtbenchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def shell(command: str, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def records(root: Path) -> set[str]:
    return {str(path.parent.relative_to(root)) for path in root.rglob("record.json")}


def test_the_runs_are_listed_with_their_states_and_nothing_is_written(place: Path) -> None:
    assert mtbench("run", *GRID, "--methods", "td").exit_code == 0
    before = sorted(place.rglob("*"))
    said = mtbench("plan", *GRID, "--seeds", "2").output
    assert re.findall(r"^ (\w+) +toy-all +paper, epochs=1 +(\w+) +(\d)", said, re.MULTILINE) == [
        ("missing", "moo", "0"),
        ("missing", "moo", "1"),
        ("missing", "td", "1"),
        ("fresh", "td", "0"),
    ]
    assert "4 runs: 3 to do, 1 done already." in said
    assert sorted(path for path in place.rglob("*") if "cache" not in path.parts) == [
        path for path in before if "cache" not in path.parts
    ]


@pytest.fixture
def stub(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of the interpreter, which writes its arguments down, a file for each call."""
    program = place / ODD / "python"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf \'%s\\n\' "$@" > "$CALLS/$$"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    (place / "calls").mkdir()
    return place / "calls"


def called(folder: Path) -> list[list[str]]:
    return sorted(path.read_text().splitlines() for path in folder.iterdir())


@pytest.mark.parametrize(
    "runner",
    ["xargs -d '\\n' -n 1 -P 2 sh -c", "xargs -P 2 -L 1 env", "sh"],
    ids=["xargs sh", "xargs env", "sh"],
)
def test_each_line_is_one_command_whatever_the_folders_are_called(runner: str, place: Path, stub: Path) -> None:
    results = place / ODD / "results"
    lines = printed("plan", *GRID, "--results", str(results), "--format", "xargs", "--checkpoint-every", "2min")
    (place / "lines").write_text(lines)
    shell(f"cat lines | {runner}", place, CALLS=str(stub))
    rest = ["--data-root", str(place / "data"), "--device", "auto", "--checkpoint-every", "120.0"]
    specs = sorted(results.rglob("spec.json"))
    assert len(specs) == 2
    assert called(stub) == [["-m", "mtbench", "exec", str(spec), *rest] for spec in specs]


def test_a_line_trains_its_run_in_any_folder(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "mtbench.py").write_text("raise SystemExit('this is not mtbench')")
    line = printed("plan", *GRID, "--methods", "td", "--results", ODD, "--format", "xargs")
    (place / "line").write_text(line)
    shell("cat ../line | xargs -d '\\n' -n 1 -P 2 sh -c", place / "elsewhere")
    assert len(records(place / ODD)) == len(records(place)) == 1


def test_standard_output_has_the_commands_alone(place: Path) -> None:
    result = CliRunner().invoke(app, ["plan", *GRID, "--format", "xargs"])
    assert [line.split()[3:6] for line in result.stdout.splitlines()] == [["-m", "mtbench", "exec"]] * 2
    assert "2 runs: 2 to do, 0 done already." in result.stderr
    assert len(list(place.rglob("spec.json"))) == 2


def test_runs_that_have_a_record_have_no_command(place: Path) -> None:
    assert mtbench("run", *GRID, "--methods", "td").exit_code == 0
    (line,) = printed("plan", *GRID, "--format", "xargs").splitlines()
    assert "/moo/seed-0-" in line
    assert mtbench("run", *GRID).exit_code == 0
    assert printed("plan", *GRID, "--format", "xargs") == ""
    assert printed("plan", *GRID, "--format", "slurm") == ""
    assert place.is_dir()


SUITE = """
title = "Tuned"

[[grid]]
datasets = ["toy-all"]
methods = ["td"]

[[search]]
datasets = ["toy-all"]
methods = ["uniform"]
space = { lr = "1e-3/3e-3" }
sampler = "grid"
trials = 2
objective = "mean"
"""


def test_the_plain_runs_of_a_suite_are_planned_and_its_searches_are_named(place: Path) -> None:
    (place / "tuned.toml").write_text(SUITE)
    result = CliRunner().invoke(app, ["plan", "--suite", "tuned.toml", "--seeds", "1"])
    assert "1 run: 1 to do" in result.stdout
    assert "`mtbench run --suite tuned.toml` makes them" in result.stderr
    assert not list(place.rglob("suites"))
    (line,) = printed("plan", "--suite", "tuned.toml", "--seeds", "1", "--format", "xargs").splitlines()
    assert "/td/seed-0-" in line
    assert [path.parent.name for path in place.rglob("tuned*.json")] == ["suites"], "it is declared before its runs"
    with pytest.raises(UsageError, match=r"--methods and --suite tuned\.toml were both given"):
        printed("plan", "--suite", "tuned.toml", "--methods", "td")


def test_a_script_for_slurm_may_ask_for_a_device_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "--device cuda" in printed("plan", *GRID, "--device", "cuda", "--format", "slurm")
    with pytest.raises(UsageError):
        printed("plan", *GRID, "--device", "cuda", "--format", "xargs")


def test_a_folder_with_a_line_break_is_refused_for_xargs() -> None:
    with pytest.raises(UsageError, match="line break"):
        printed("plan", *GRID, "--results", "two\nlines", "--format", "xargs")


def test_each_element_of_the_array_has_a_run_whatever_the_folders_are_called(place: Path, stub: Path) -> None:
    results = place / ODD / "results"
    script = printed("plan", *GRID, "--seeds", "2", "--results", str(results), "--format", "slurm")
    assert script.startswith("#!/bin/bash\n")
    assert {"#SBATCH --array=0-3", "#SBATCH --requeue", "#SBATCH --open-mode=append"} <= set(script.splitlines())
    (place / "grid.sh").write_text(script)
    shell("bash -n grid.sh", place)
    for element in map(str, range(4)):
        shell("bash grid.sh", place, CALLS=str(stub), SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID=element)
    assert sorted(words[-3:] for words in called(stub)) == sorted(
        ["--job", f"7_{element}", str(results / f"toy-all/{method}/seed-{seed}-") + rest]
        for element, (method, seed) in enumerate([("moo", 0), ("td", 0), ("moo", 1), ("td", 1)])
        for rest in [next(results.glob(f"toy-all/{method}/seed-{seed}-*/spec.json")).parent.name[7:] + "/spec.json"]
    )


def test_a_large_grid_has_an_array_of_a_thousand_elements_at_most(place: Path) -> None:
    jobs = [Job(folder=place / str(number), title="") for number in range(2500)]
    site = Site(results=place, root=place, places=["cpu"])
    script = slurm_script(jobs, site, place / "code.json")
    (last,) = re.findall(r"^#SBATCH --array=0-(\d+)$", script, re.MULTILINE)
    assert int(last) < 1000
    assert [
        number for line in re.findall(r"^\d+\) specs=\((.*)\) ;;$", script, re.MULTILINE) for number in line.split()
    ] == [str(job.folder / "spec.json") for job in jobs]


def test_the_script_for_slurm_trains_its_run(place: Path) -> None:
    script = printed("plan", *GRID, "--methods", "td", "--results", ODD, "--format", "slurm")
    (place / "grid.sh").write_text(script)
    shell("bash grid.sh", place, SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID="0")
    (run,) = (place / ODD).rglob("record.json")
    (attempt,) = read_attempts(run.parent)
    assert (attempt.job, attempt.reason) == ("7_0", "done")


def test_a_grid_is_simulated_on_nodes_that_fail(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_starts", lambda *_: {"toy-all": 2.0})
    said = {columns: simulated(columns, monkeypatch) for columns in ("80", "200")}
    for columns, text in said.items():
        assert max(map(len, text.splitlines())) <= int(columns)
        assert "2 runs: 2 to do, 0 done already." in text
        assert "Each node fails every 1 min on average" in " ".join(text.split())
        assert [line.split("  ")[0] for line in text.splitlines() if re.match(r"(each|every|none)", line)] == [
            "each epoch",
            "every 5 s",
            "none",
        ]
        assert "Closed forms" in text
    assert "(Young)" in said["80"]
    assert not (place / "results").exists()


def simulated(columns: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", columns)
    return printed("plan", *GRID, "--epochs", "20", *NODES, "--checkpoint-every", "0,5")


def test_a_simulation_without_a_speed_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_measured", lambda *_: {})
    with pytest.raises(MtbenchError, match="Train one of each first"):
        printed("plan", *GRID, *NODES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "slrum"], "--format is 'slrum'. Did you mean 'slurm'?"),
        (["--format", "slurm", *NODES], "--format and --simulate were both given."),
        (["--simulate"], "--simulate was given without --nodes and --mtbf."),
        (["--simulate", "--nodes", "3"], "--simulate was given without --mtbf."),
        (["--nodes", "3"], "--nodes is for the simulation. Add --simulate."),
        (["--recovery", "3min"], "--recovery is for the simulation."),
        (["--simulate", "--nodes", "0", "--mtbf", "1h"], "--nodes is '0'. Allowed: a whole number"),
        (["--simulate", "--nodes", "3", "--mtbf", "6"], "--mtbf is '6'. Write a number and its unit"),
        (["--simulate", "--nodes", "3", "--mtbf", "0s"], "--mtbf is '0s'. Allowed: 1 s to"),
        (["--checkpoint-every", "1min,2min"], "Give one time; --simulate compares several."),
        (["--checkpoint-every", "often"], "--checkpoint-every is 'often'."),
        (["--checkpoint-every", "2d"], "--checkpoint-every is 172800.0. Allowed: 0 to 86,400."),
    ],
)
def test_options_that_do_not_fit_each_other_are_refused(options: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        printed("plan", *GRID, *options)


def test_the_commands_of_the_documentation_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    speed = Speed(training=0.01, evaluation=0, phases=1, train=100, test=10, whole=True)
    monkeypatch.setattr(measured, "speeds_of", lambda specs, **_: [speed] * len(specs))
    monkeypatch.setattr(measured, "_starts", lambda *_: {"mmnist3": 5.0})
    monkeypatch.setattr(Work, "prepare", lambda *_: None)
    text = (Path(__file__).parents[3] / "docs" / "planning.md").read_text()
    commands = re.findall(r"^\$ mtbench (plan [^|>#\n]+)", text, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        assert printed(*shlex.split(command)).strip(), command
