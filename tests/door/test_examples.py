"""The examples in the docstrings of the public functions, run in the order in which a reader meets them."""

import doctest
from pathlib import Path

import numpy
import pytest

import mtbench

ORDER = ("run", "load", "curves", "compare", "why", "diff", "report", "search", "explain", "predict")


def test_every_public_function_has_an_example() -> None:
    assert sorted(ORDER) == sorted(set(mtbench.__all__) - {"__version__"})


def test_the_examples_give_what_they_show(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(data_root))
    monkeypatch.setenv("COLUMNS", "100")
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    for name in ORDER:
        (example,) = finder.find(getattr(mtbench, name), name, globs={"mtbench": mtbench, "numpy": numpy})
        assert example.examples, name
        runner.run(example)
    assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out
