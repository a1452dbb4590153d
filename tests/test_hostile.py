"""No file that mtbench reads can make it execute anything."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mtbench
import mtbench_datasets
import mtbench_methods

PACKAGES = [Path(package.__path__[0]) for package in (mtbench, mtbench_datasets, mtbench_methods)]
FILES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
EXECUTING_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
RESTRICTED = {"mnist_sources.py": "pickle"}
"""Modules that import one of these and derive a class from it that finds no other class than arrays of NumPy, as
`tests/datasets/test_mnist.py` proves."""


def named(node: ast.expr) -> str:
    """Return ``torch.load`` for that expression; an empty text for one that is no name with dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (of := named(node.value)):
        return f"{of}.{node.attr}"
    return ""


def faults(tree: ast.AST) -> Iterator[str]:
    """Yield what may execute the content of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in EXECUTING_MODULES)
        elif isinstance(node, ast.ImportFrom):
            loaders = {alias.name for alias in node.names} & {"load", "loads", "Unpickler"}
            if (node.module or "").partition(".")[0] in EXECUTING_MODULES or (
                loaders and (node.module or "").partition(".")[0] in ("torch", "numpy")
            ):
                yield f"from {node.module}"
        elif isinstance(node, ast.Call):
            name = named(node.func)
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if name in ("eval", "exec", "compile", "__import__"):
                yield name
            elif name == "torch.load" and not is_constant(given.get("weights_only"), True):
                yield "torch.load without weights_only=True"
            elif name in ("np.load", "numpy.load", "np.lib.format.read_array") and not is_constant(
                given.get("allow_pickle"), False
            ):
                yield f"{name} without allow_pickle=False"


def is_constant(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import pickle", ["pickle"]),
        ("from yaml import load", ["from yaml"]),
        ("eval(text)", ["eval"]),
        ("network.eval()", []),
        ("torch.load(file, map_location='cpu')", ["torch.load without weights_only=True"]),
        ("torch.load(file, weights_only=False)", ["torch.load without weights_only=True"]),
        ("torch.load(file, weights_only=True)", []),
        ("np.load(file)", ["np.load without allow_pickle=False"]),
        ("np.load(file, allow_pickle=False)", []),
        ("from numpy import load", ["from numpy"]),
    ],
)
def test_what_executes_a_file_is_recognized(text: str, found: list[str]) -> None:
    assert list(faults(ast.parse(text))) == found


def test_no_module_executes_what_it_reads() -> None:
    assert len(FILES) > 300
    found = {path.name: each for path in FILES if (each := list(faults(ast.parse(path.read_text()))))}
    assert found == {name: [module] for name, module in RESTRICTED.items()}
