"""The order of checks, and what is left out and told once."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mtbench.conformance.candidate import Candidate
from mtbench.conformance.dataset import dataset_checks
from mtbench.conformance.fault import Fault
from mtbench.conformance.method import method_checks
from mtbench.conformance.subject import made
from mtbench.contract import Conformance
from mtbench.errors import PluginError, UsageError

DOCUMENT = Path(__file__).parents[2] / "docs" / "checks.md"


def fails(error: Exception) -> Callable[[], None]:
    def check() -> None:
        raise error

    return check


def passes() -> None:
    pass


def test_where_the_first_check_fails_no_other_is_made() -> None:
    [result] = made({"first": fails(PluginError("a wrong shape.")), "second": passes, "third": fails(Fault("no."))})
    assert (result.check, result.fault, result.left_out) == ("first", "a wrong shape.", 2)


def test_a_fault_that_several_checks_find_is_told_once() -> None:
    broken = fails(Fault("it is broken."))
    results = made({"first": passes, "second": broken, "third": broken, "fourth": fails(Fault("other."))})
    assert [result.fault for result in results] == ["", "it is broken.", "as in 'second'.", "other."]


def test_the_first_check_is_made_for_the_others_and_told_of_if_it_fails() -> None:
    [result] = made({"files are there": passes, "targets fit": passes}, ["TARGETS"])
    assert result.check == "targets fit"
    [result] = made({"files are there": fails(Fault("none.")), "targets fit": passes}, ["targets"])
    assert (result.check, result.fault, result.left_out) == ("files are there", "none.", 1)


def test_a_word_in_no_name_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no check has 'third' in its name. Checks: first; second. Option: --only"):
        list(made({"first": passes, "second": passes}, ["sec", "third"]))


def test_an_error_is_told_with_the_last_line_outside_of_libraries() -> None:
    def check() -> None:
        import torch

        torch.zeros(2) @ torch.zeros(3)

    [result] = made({"first": check})
    assert result.fault.startswith("it fails: RuntimeError: inconsistent tensor size, expected tensor [2] and src [3]")
    line = check.__code__.co_firstlineno + 3
    assert result.fault.endswith(f"tests/conformance/test_subject.py:{line}.")


def test_the_document_explains_every_check_in_their_order() -> None:
    heads = [line.removeprefix("### ") for line in DOCUMENT.read_text().splitlines() if line.startswith("### ")]
    assert heads == [*method_checks(Candidate.of("branches")), *dataset_checks("toy-all", Path())]


def test_the_document_explains_every_fact_that_a_check_asks_for() -> None:
    rows = {line.partition("`")[2].partition("=")[0].partition("`")[0] for line in DOCUMENT.read_text().splitlines()}
    assert rows >= {field.name for field in dataclasses.fields(Conformance)}
