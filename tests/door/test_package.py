"""``import mtbench``: its public names, and what importing them loads."""

import importlib
import inspect
import subprocess
import sys

import pytest

import mtbench

FUNCTIONS = sorted(set(mtbench.__all__) - {"__version__"})


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout


def test_importing_the_package_imports_no_large_package() -> None:
    code = "import sys, mtbench; print({'torch', 'numpy', 'pandas', 'scipy', 'rich', 'typer'} & set(sys.modules))"
    assert python(code) == "set()\n"


def test_loading_results_imports_no_torch() -> None:
    assert python("import sys, mtbench; mtbench.load, mtbench.compare; print('torch' in sys.modules)") == "False\n"


@pytest.mark.parametrize("first", ["mtbench.report.data.frame", "mtbench.search.rounds"])
def test_a_room_does_not_take_the_place_of_the_function_of_its_name(first: str) -> None:
    room = first.split(".")[1]
    code = f"import mtbench, {first}; from mtbench import {room}; assert callable({room}) and {room} is mtbench.{room}"
    assert python(code) == ""
    assert python(f"import mtbench; mtbench.{room}; import {first}; assert callable(mtbench.{room})") == ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_says_its_arguments_result_and_errors(name: str) -> None:
    function = getattr(mtbench, name)
    assert function is getattr(importlib.import_module(function.__module__), name)
    text = inspect.getdoc(function) or ""
    for part in ("Args:", "Returns:", "Raises:", "Example:"):
        assert f"\n{part}\n" in text
    for argument in inspect.signature(function).parameters:
        assert f" {argument}" in text.partition("Args:")[2].partition("Returns:")[0], argument


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mtbench' has no attribute 'trian'"):
        _ = mtbench.trian  # type: ignore[attr-defined]


def test_the_names_are_listed() -> None:
    assert set(mtbench.__all__) <= set(dir(mtbench))
