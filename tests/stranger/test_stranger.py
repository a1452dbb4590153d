"""A package that knows nothing but the contract, installed as its users would, beside one that is broken."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mtbench.store.record import Record, read_record

HERE = Path(__file__).parent
TOYS = HERE.parent / "plugins"


def call(*arguments: str, folder: Path, paths: list[Path]) -> "subprocess.CompletedProcess[str]":
    """`python -m ...` in a folder, with the toy datasets and what else lies in `paths` installed."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [TOYS, *paths])), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def row(text: str, *cells: str) -> str:
    """Return the line of the first table that begins with these cells."""
    found = [line for line in text.splitlines() if line.split()[: len(cells)] == list(cells)]
    assert found, text
    return found[0]


def finished(report: str, method: str) -> str:
    """Return the number of runs of a method that have a record, as a report's table has it."""
    heads = row(report, "method").replace(" ↑", "").split()
    return dict(zip(heads, row(report, method).split(), strict=False))["n"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed the stranger's package into."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip to install the stranger's package with")
    source, site = (tmp_path_factory.mktemp(name) for name in ("source", "site"))
    shutil.copytree(HERE, source, dirs_exist_ok=True)  # building leaves things behind
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    done = call("pip", "install", *options, str(source), folder=source, paths=[])
    assert done.returncode == 0, done.stdout + done.stderr
    return site


@pytest.fixture(scope="module")
def trained(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the stranger's method and a built-in one were trained."""
    folder = tmp_path_factory.mktemp("trained")
    command = "mtbench run --methods stranger,uniform --dataset toy-all --seeds 1 --epochs 1"
    done = call(*command.split(), folder=folder, paths=[site])
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with an installed method that cannot be imported."""
    return install(tmp_path / "broken", "mtbench-broken", "torn", "import no_such_module")


def install(site: Path, distribution: str, name: str, source: str, group: str = "methods") -> Path:
    """Return a distribution as pip leaves it, with one plug-in."""
    module = distribution.replace("-", "_")
    info = site / f"{module}-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(f"[mtbench.{group}]\n{name} = {module}:Method\n")
    (site / f"{module}.py").write_text(f"{source}\n\n\nclass Method:\n    '''A method.'''\n")
    return site


def record(folder: Path) -> Record:
    (path,) = folder.glob("results/local/toy-all/stranger/*/record.json")
    return read_record(path.read_text(), str(path))


def test_the_list_shows_the_strangers_plugins_and_whose_they_are(site: Path, tmp_path: Path) -> None:
    methods = call("mtbench", "list", "methods", folder=tmp_path, paths=[site]).stdout
    assert row(methods, "stranger").rstrip().endswith("mtbench-stranger 0.3")
    assert "Residual adapters on the representation, by a stranger." in row(methods, "stranger")
    balancers = call("mtbench", "list", "balancers", folder=tmp_path, paths=[site]).stdout
    assert row(balancers, "stranger-balance").rstrip().endswith("mtbench-stranger 0.3")


def test_the_doctor_finds_the_strangers_plugins_well(site: Path, tmp_path: Path) -> None:
    done = call("mtbench", "doctor", folder=tmp_path, paths=[site])
    assert row(done.stdout, "method", "stranger").split()[2:] == ["mtbench-stranger", "0.3", "ok"]
    assert row(done.stdout, "balancer", "stranger-balance").split()[2:] == ["mtbench-stranger", "0.3", "ok"]
    assert (done.returncode, "every plug-in works" in done.stdout) == (0, True), done.stdout


def test_the_strangers_method_is_in_the_report_beside_a_built_in_one(trained: Path, site: Path) -> None:
    done = call("mtbench", "report", folder=trained, paths=[site])
    assert done.returncode == 0, done.stdout + done.stderr
    summary, _, _ = done.stdout.partition("toy-all: worst task")
    assert [finished(summary, method) for method in ("stranger", "uniform")] == ["1", "1"]


def test_the_strangers_exhibit_is_on_the_screen_in_latex_and_a_figure(
    trained: Path, site: Path, tmp_path: Path
) -> None:
    done = call("mtbench", "report", str(trained / "results/local"), folder=tmp_path, paths=[site])
    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout.partition("toy-all: worst task")[2]
    assert row(shown.partition("Written to")[0], "method", "accuracy")
    folder = tmp_path / "reports/local/toy-all"
    frame = pd.read_csv(next(folder.glob("*-worst-task.csv"))).set_index("method")["accuracy"]
    table = pd.read_csv(next(folder.glob("*-table.csv")))
    tasks = table[table["task"].ne("mean") & table["n"].gt(0)].groupby("method")["mean"].min()
    assert frame.to_dict() == pytest.approx(tasks.to_dict())
    assert float(row(shown.partition("Written to")[0], "stranger").split()[1]) == round(frame["stranger"], 2)
    latex = next(folder.glob("*-worst-task.tex")).read_text()
    assert f"stranger & {frame['stranger']:.2f}" in latex
    assert all(next(folder.glob(f"*-worst-task.{kind}")).stat().st_size > 1000 for kind in ("pdf", "png"))


def test_contributing_shows_the_very_exhibit_that_is_tested_here() -> None:
    example = (HERE / "mtbench_stranger" / "worst_task.py").read_text()
    assert f"```python\n{example}```" in (HERE.parents[1] / "CONTRIBUTING.md").read_text()


def test_a_broken_exhibit_is_left_out_of_the_report_with_the_reason(trained: Path, site: Path, tmp_path: Path) -> None:
    torn = install(tmp_path / "broken", "mtbench-broken", "torn", "import no_such_module", group="exhibits")
    done = call("mtbench", "report", str(trained / "results/local"), folder=tmp_path, paths=[site, torn])
    assert done.returncode == 0, done.stdout + done.stderr
    said = "Left out: exhibit 'torn' of mtbench-broken 2.0 cannot be loaded: ModuleNotFoundError: No module named"
    assert said in " ".join(done.stdout.split())


def test_reports_are_made_where_the_strangers_package_is_no_longer_installed(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "results", tmp_path / "results")
    done = call("mtbench", "report", folder=tmp_path, paths=[])
    assert done.returncode == 0, done.stdout + done.stderr
    assert finished(done.stdout, "stranger†") == "1"
    assert "method 'stranger' is no longer installed" in done.stdout


def test_the_record_says_whose_code_ran(trained: Path) -> None:
    code = record(trained).fingerprints.code
    whose = {part: (what.distribution, what.version) for part, what in code.items()}
    assert whose["network"] == whose["balancer"] == ("mtbench-stranger", "0.3")
    assert whose["dataset"] == ("mtbench-toys", "0.1")
    assert whose["backbone"][0] in ("mtbench", "mtbench-toys")
    assert len({what.hash for what in code.values()}) == len(code)
    assert all(len(what.hash) == 64 for what in code.values())


def test_a_change_of_a_module_that_the_strangers_method_imports_makes_its_runs_stale(
    trained: Path, site: Path, tmp_path: Path
) -> None:
    changed = shutil.copytree(site, tmp_path / "site")
    layers = changed / "mtbench_stranger" / "layers.py"
    layers.write_text(layers.read_text().replace("z + added", "z - added"))
    done = call("mtbench", "status", folder=trained, paths=[changed])
    assert done.stdout.splitlines()[0].split() == ["dataset", "protocol", "method", "stale", "fresh"], done.stdout
    assert "toy-all stranger seed 0: " in next(line for line in done.stdout.splitlines() if line.startswith("stale"))
    before = call("mtbench", "status", folder=trained, paths=[site])
    assert "stale" not in before.stdout


def test_a_broken_plugin_is_named_by_the_doctor_with_the_reason(broken: Path, tmp_path: Path) -> None:
    done = call("mtbench", "doctor", folder=tmp_path, paths=[broken])
    assert done.returncode == 1
    state = row(done.stdout, "method", "torn")
    assert state.rstrip().endswith("broken: ModuleNotFoundError: No module named 'no_such_module'")
    assert "mtbench-broken 2.0" in state


def test_a_broken_plugin_hinders_nobody_else(broken: Path, tmp_path: Path) -> None:
    listed = call("mtbench", "list", "methods", folder=tmp_path, paths=[broken])
    assert row(listed.stdout, "torn").rstrip().endswith("mtbench-broken 2.0")
    command = "mtbench run --methods uniform --dataset toy-all --seeds 1 --epochs 1"
    done = call(*command.split(), folder=tmp_path, paths=[broken])
    assert done.returncode == 0, done.stdout + done.stderr
    reported = call("mtbench", "report", folder=tmp_path, paths=[broken])
    assert reported.returncode == 0, reported.stderr
    assert finished(reported.stdout, "uniform") == "1"


def test_a_broken_plugin_that_is_asked_for_is_an_error_that_says_whose_it_is(broken: Path, tmp_path: Path) -> None:
    done = call("mtbench", "run", "--methods", "torn", "--dataset", "toy-all", folder=tmp_path, paths=[broken])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "Error: method 'torn' of mtbench-broken 2.0 cannot be loaded: ModuleNotFoundError: No module named"
    )


def test_two_packages_with_one_name_are_a_sentence_that_names_both(broken: Path, tmp_path: Path) -> None:
    other = install(tmp_path / "other", "mtbench-other", "torn", "")
    done = call("mtbench", "list", folder=tmp_path, paths=[broken, other])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: two distributions offer the method 'torn': mtbench-broken 2.0 (mtbench_broken:Method) and "
        "mtbench-other 2.0 (mtbench_other:Method). Uninstall one of them.\n"
    )
