import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import mtbench
import mtbench_datasets
import mtbench_methods
from mtbench import registry

HOUSE = Path(mtbench.__file__).parent
# What a room may import of the house, besides itself.
BELOW = {
    "errors": set[str](),
    "registry": {"errors"},
    "contract": {"errors"},
    "backbones": {"contract", "errors"},
    "plan": {"contract", "registry", "errors"},
    "store": {"plan", "contract", "registry", "errors"},
    "train": {"store", "plan", "contract", "registry", "errors"},
    "stats": set[str](),
    "engines": {"train", "store", "plan", "contract", "registry", "errors"},
    "trackers": {"store", "plan", "contract", "registry", "errors"},
    "conformance": {"train", "store", "plan", "contract", "registry", "errors"},
    "scaffold": {"registry", "errors"},
    "search": {"engines", "train", "store", "stats", "plan", "contract", "registry", "errors"},
    "report": {"stats", "store", "plan", "contract", "registry", "errors"},
    "bench": {"engines", "report", "train", "store", "stats", "plan", "contract", "registry", "errors"},
    "explanation": {"report", "train", "store", "stats", "plan", "contract", "registry", "errors"},
    "door": {
        *("explanation", "report", "search", "engines", "trackers", "train", "store", "stats"),
        *("plan", "contract", "registry", "errors"),
    },
    "cli": {
        *("door", "bench", "engines", "search", "report", "explanation", "conformance", "scaffold"),
        *("trackers", "train", "store", "stats", "plan", "contract", "registry", "errors"),
    },
    "__main__": {"cli"},
    "__init__": {"door"},
}
PLUGINS = {"contract", "errors"}


def rooms_imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {
        f"mtbench.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "mtbench"
        for alias in node.names
    }
    return {name.split(".")[1] for name in names if name.startswith("mtbench.")} - {"__version__"}


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
    assert rooms_imported(path) <= BELOW[room] | {room}


@pytest.mark.parametrize("room", ["bench", "engines", "explanation", "store", "trackers", "train"])
def test_what_works_on_specs_parses_no_text_of_a_plug_in(room: str) -> None:
    paths = list((HOUSE / room).rglob("*.py"))
    assert paths
    assert not [path for path in paths if "mtbench.plan.parse" in path.read_text()]


@pytest.mark.parametrize("package", [mtbench_methods, mtbench_datasets])
def test_plugins_import_the_contract_alone(package: object) -> None:
    folder = Path(package.__file__).parent  # type: ignore[attr-defined]
    imported = {path: rooms_imported(path) for path in folder.rglob("*.py")}
    assert set[str]().union(*imported.values()) == PLUGINS
    assert {path: rooms for path, rooms in imported.items() if rooms - PLUGINS} == {}


def modules() -> list[str]:
    return [
        module.name
        for package in (mtbench, mtbench_methods, mtbench_datasets)
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        if not module.name.endswith("__main__")
    ]


@pytest.mark.parametrize("name", ["mtbench", *modules()])
def test_public_names_are_there_once(name: str) -> None:
    module = importlib.import_module(name)
    public = getattr(module, "__all__", [])
    assert len(public) == len(set(public))  # the linter sorts them
    assert all(hasattr(module, item) for item in public)
    assert module.__doc__, f"{name} does not say what it is for"


WORDS = {
    "config": "the word of Slurm's command scontrol for its settings",
    "fixed": "a column of tables: the settings that are held constant; also the name of a function",
}
"""Names of plug-ins that are words of the harness too, and what they mean there."""


def texts(path: Path) -> set[str]:
    """Return the constant texts of a module, docstrings left out."""
    tree = ast.parse(path.read_text())
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
    }


def test_the_harness_names_no_method_no_balancer_and_no_dataset() -> None:
    names = {
        entry.name
        for kind in ("method", "balancer", "dataset")
        for entry in registry.entries(kind).values()
        if entry.distribution == "mtbench"
    }
    assert {"td", "single", "branches", "uniform", "mgda", "mmnist3"} <= names
    found = {(text, path.name) for path in HOUSE.rglob("*.py") for text in texts(path)}
    named = {(text, file) for text, file in found if text in names and text not in WORDS}
    composed = {(text, file) for text, file in found if text.rstrip("+") in names and text.endswith("+")}
    assert not named | composed
    assert {text for text, _ in found} >= WORDS.keys()
