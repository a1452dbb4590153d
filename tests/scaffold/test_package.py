"""The package that `mtbench new` writes installs, passes the house's own checks, and learns."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from mtbench import __version__
from mtbench.contract import Classification, Losses, Task
from mtbench.errors import UsageError
from mtbench.scaffold import KINDS, Package, plan_package, write_package
from mtbench.store.record import read_record

HOUSE = Path(__file__).parents[2]
TASKS = tuple(Task(name=name, kind=Classification(classes=3)) for name in "ab")
# Names whose class, module or lines could clash with something: words of Python and of the contract, and a long one.
AWKWARD = ["none", "tensor", "one-task", "gradient", "protocol", "a-2d", "a-rather-long-name-for-a-plug-in"]


def files(kind: str, name: str = "mine") -> dict[str, str]:
    return dict(plan_package(kind, name, Path()).files)


def module(kind: str, folder: Path) -> ModuleType:
    """Return the module of a fresh package called mine, imported."""
    package = plan_package(kind, "mine", folder)
    write_package(package)
    spec = importlib.util.spec_from_file_location("mtbench_mine", package.folder / "mtbench_mine.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def call(*arguments: str, folder: Path, **environment: str) -> str:
    """Return what a program of this environment prints; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_the_entry_point_leads_to_the_class_and_no_package_index_is_named(kind: str) -> None:
    written = files(kind, "my-own")
    project = tomllib.loads(written["pyproject.toml"])
    ((group, points),) = project["project"]["entry-points"].items()
    assert group == f"mtbench.{kind}s"
    where, _, name = points["my-own"].partition(":")
    classes = {node.name for node in ast.parse(written[f"{where}.py"]).body if isinstance(node, ast.ClassDef)}
    assert name in classes
    assert project["project"]["dependencies"] == ["mtbench"]
    assert not re.search(r"https?://|index", written["pyproject.toml"])


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("kind", KINDS)
def test_no_class_is_called_like_anything_else_in_its_file(kind: str, name: str) -> None:
    tree = ast.parse(files(kind, name)[f"mtbench_{name.replace('-', '_')}.py"])
    imported = [
        alias.name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    ]
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert len(classes) == 2
    assert len({*imported, *classes}) == len(imported) + 2


def test_generated_code_passes_the_linter_the_formatter_and_the_type_checker(tmp_path: Path) -> None:
    for kind in KINDS:
        for name in ["mine", *AWKWARD]:
            write_package(plan_package(kind, f"{name}-{kind}", tmp_path))
    config = str(HOUSE / "pyproject.toml")
    call("ruff", "check", "--no-cache", "--config", config, ".", folder=tmp_path)
    call("ruff", "format", "--no-cache", "--check", "--config", config, ".", folder=tmp_path)
    sources = [str(path) for path in sorted(tmp_path.rglob("*mine*.py"))]
    assert len(sources) == 2 * len(KINDS)
    cache = str(HOUSE / ".mypy_cache")  # that of the house: torch is read once
    call("mypy", "--strict", "--config-file", config, "--cache-dir", cache, *sources, folder=HOUSE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_has_the_commands_that_are_printed(kind: str) -> None:
    package = plan_package(kind, "mine", Path("some where"))
    block = re.search(r"```console\n(.*?)```", package.files["README.md"], re.DOTALL)
    assert block is not None
    assert block[1].replace("pip install -e .", "pip install -e 'some where/mtbench-mine'") == package.steps


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("method", "mtbench run --methods mine,uniform --dataset mmnist2 --quick"),
        ("balancer", "mtbench run --methods branches+mine,uniform --dataset mmnist2 --quick"),
        ("dataset", "mtbench run --methods uniform,td --dataset mine --quick"),
    ],
)
def test_the_steps_lead_from_installing_to_a_report(kind: str, command: str) -> None:
    steps = plan_package(kind, "mine", Path()).steps.splitlines()
    assert steps[:2] == ["pip install -e mtbench-mine", "mtbench check mine"]
    assert steps[-2:] == [command, "mtbench report"]


@pytest.mark.parametrize("name", ["", "Mine", "my_own", "2d", "mine-", "-mine", "../mine", "a b", "mine\n"])
def test_a_name_that_no_plugin_can_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be the name of a method\. A name is lower-case letters"):
        plan_package("method", name, Path())


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("td", f"there is a method 'td' already, that of mtbench {__version__}."),
        ("lenet", f"there is a backbone 'lenet' already, that of mtbench {__version__}."),
        ("toy-all", "there is a dataset 'toy-all' already, that of mtbench-toys 0.1."),
        ("datasets", "the package of a method 'datasets' would be called like the module mtbench_datasets of mtbench."),
        ("toys", "the package of a method 'toys' would be called like mtbench-toys 0.1, which is installed."),
    ],
)
def test_a_name_that_is_taken_is_an_error_that_says_whose_it_is(name: str, whose: str) -> None:
    with pytest.raises(UsageError) as error:
        plan_package("method", name, Path())
    assert str(error.value).startswith(whose)


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    package = plan_package("method", "mine", tmp_path)
    package.folder.mkdir()
    (package.folder / "mtbench_mine.py").write_text("a week's work")
    with pytest.raises(UsageError, match="is there already, and nothing in it was changed"):
        write_package(package)
    assert [path.name for path in package.folder.iterdir()] == ["mtbench_mine.py"]
    assert (package.folder / "mtbench_mine.py").read_text() == "a week's work"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for parent in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing")):
        with pytest.raises(UsageError, match="--out"):
            write_package(plan_package("method", "mine", parent))
    with pytest.raises(UsageError, match="cannot be written: File name too long"):
        write_package(plan_package("method", "a" * 300, tmp_path))


def test_the_folder_above_is_made_too(tmp_path: Path) -> None:
    write_package(plan_package("dataset", "mine", tmp_path / "one" / "two"))
    assert (tmp_path / "one" / "two" / "mtbench-mine" / "pyproject.toml").is_file()


def test_the_balancers_weights_are_those_of_its_equation(tmp_path: Path) -> None:
    cls: Any = module("balancer", tmp_path).MineBalancer
    balancer = cls(cls.Options(pull=0.5, memory=0.9), TASKS)
    half = torch.tensor([0.5, 0.5])

    def weights(means: list[float], counts: list[int]) -> list[float]:
        weights = half if all(counts) else torch.tensor(counts).sign().float()
        losses = Losses(means=torch.tensor(means), counts=torch.tensor(counts), base_weights=weights)
        return [round(weight, 5) for weight in balancer.weigh(losses).tolist()]

    # m = (.1, .3), m / mean(m) = (.5, 1.5), and half of the pull: .5 (.5 + .25), .5 (.5 + .75)
    assert weights([1.0, 3.0], [4, 4]) == [0.375, 0.625]
    # The second task is absent: its average stays, and the first is alone with the mean of itself.
    assert weights([5.0, 0.0], [4, 0])[0] == 1.0
    torch.testing.assert_close(balancer.state_dict()["average"], torch.tensor([0.59, 0.3]))
    # All losses 0 from the start: nothing is divided by 0.
    fresh = cls(cls.Options(), TASKS)
    zeros = Losses(means=torch.zeros(2), counts=torch.tensor([4, 4]), base_weights=half)
    assert fresh.weigh(zeros).tolist() == [0.25, 0.25]


def test_a_pull_of_nothing_leaves_the_plain_loss(tmp_path: Path) -> None:
    cls: Any = module("balancer", tmp_path).MineBalancer
    losses = Losses(
        means=torch.tensor([1.0, 9.0]), counts=torch.tensor([1, 3]), base_weights=torch.tensor([0.25, 0.75])
    )
    assert cls(cls.Options(pull=0.0), TASKS).weigh(losses).tolist() == [0.25, 0.75]


def test_the_datasets_labels_are_where_the_bright_lines_are(tmp_path: Path) -> None:
    cls: Any = module("dataset", tmp_path).MineDataset
    split = cls(cls.Options(grey=200), tmp_path).load("train", validation=False)
    images, (row, column) = split.inputs[:, 0], split.targets
    assert images.dtype == torch.uint8
    assert torch.equal((images == 255).all(2).int().argmax(1), row)
    assert torch.equal((images == 255).all(1).int().argmax(1), column)
    assert (images == 255).sum().item() == len(images) * (28 + 28 - 1)


def test_the_datasets_validation_images_are_in_no_other_split(tmp_path: Path) -> None:
    cls: Any = module("dataset", tmp_path).MineDataset
    dataset = cls(cls.Options(), tmp_path)
    splits = {name: dataset.load(name, validation=True).inputs for name in ("train", "val", "test")}
    seen = {name: {image.numpy().tobytes() for image in images} for name, images in splits.items()}
    assert {name: len(images) for name, images in seen.items()} == {"train": 3000, "val": 1000, "test": 1000}
    assert len(set.union(*seen.values())) == 5000
    assert torch.equal(splits["test"], dataset.load("test", validation=False).inputs)
    with pytest.raises(UsageError, match=r"no split 'val'\. Allowed: train, test\."):
        dataset.load("val", validation=False)
    assert dataset.fingerprint() != cls(cls.Options(grey=0), tmp_path).fingerprint()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fresh package of each kind, and in it `site`, where pip has installed them."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip to install the packages with")
    folder = tmp_path_factory.mktemp("packages")
    packages: list[Package] = [plan_package(kind, f"my-{kind}", folder) for kind in KINDS]
    for package in packages:
        write_package(package)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(folder / "site")]
    call("pip", "install", *options, *(str(package.folder) for package in packages), folder=folder)
    for package in packages:
        shutil.rmtree(package.folder / "build")
    return folder


def test_a_fresh_method_and_a_fresh_balancer_learn_a_fresh_dataset(site: Path) -> None:
    environment = {"PYTHONPATH": str(site / "site"), "COLUMNS": "200"}
    methods = "my-method,branches+my-balancer"
    run = ["mtbench", "run", "--methods", methods, "--dataset", "my-dataset", "--quick", "--seeds", "1"]
    call(*run, folder=site, **environment)
    records = [read_record(path.read_text(), "") for path in site.rglob("record.json")]
    assert len(records) == 2
    for record in records:
        assert record.mean() > 40, "of 28 classes, of which guessing finds 3.6 %"
        assert record.fingerprints.code["dataset"].distribution == "mtbench-my-dataset"
    report = call("mtbench", "report", folder=site, **environment)
    assert "my-method " in report
    assert "branches+my-balancer " in report
    call("mtbench", "data", "show", "my-dataset", folder=site, **environment)
    assert (site / "my-dataset.png").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_package_passes_its_own_test(site: Path, kind: str) -> None:
    folder = site / f"mtbench-my-{kind}"
    assert "1 passed" in call("pytest", "-q", "-p", "no:cacheprovider", folder=folder, PYTHONPATH=str(site / "site"))


def test_a_fresh_package_passes_the_check(site: Path) -> None:
    call("mtbench", "check", "my-dataset", folder=site, PYTHONPATH=str(site / "site"))
