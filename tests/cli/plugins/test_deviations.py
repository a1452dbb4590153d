"""The page of deviations: every method has its source, a comparison with a test, and the choices made here."""

import ast
import re
from pathlib import Path

import pytest

from mtbench import registry
from mtbench.cli.plugins.deviations import Compared, Deviations, deviations_of, markdown

HOUSE = Path(__file__).parents[3]
OWN = [
    (kind, entry.name)
    for kind in ("method", "balancer")
    for entry in registry.entries(kind).values()
    if entry.distribution == "mtbench"
]
REFERENCES = {"single", "branches", "fixed", "uniform"}
"""Methods of no paper."""
COMPARED = sorted(
    {item for kind, name in OWN for item in deviations_of(kind, name).compared},
    key=lambda each: (each.test, each.tolerance, each.words),
)
DEFAULTS = ("allclose(", "assert_close(", "approx(")
"""Functions that have a tolerance of their own."""


def source(test: str) -> str:
    """Return the source of a test, with that of the functions of its file that it calls."""
    path, _, name = test.partition("::")
    text = (HOUSE / "tests/methods" / path).read_text()
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert name in functions, f"{test} is no test"
    called = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)} & functions.keys()
    return "\n".join(ast.get_source_segment(text, functions[each]) or "" for each in [name, *called])


def test_the_documentation_is_what_the_docstrings_say() -> None:
    said = (HOUSE / "docs/deviations.md").read_text()
    assert said == markdown(), "run `python -m mtbench.cli.plugins.deviations`"


@pytest.mark.parametrize(("kind", "name"), OWN)
def test_no_method_lacks_its_source_a_comparison_or_its_choices(kind: str, name: str) -> None:
    found = deviations_of(kind, name)
    assert found.title
    if not found.stands_for:
        assert found.compared
        assert found.chosen
        assert bool(found.paper) is (name not in REFERENCES)


@pytest.mark.parametrize("compared", COMPARED, ids=lambda each: each.test)
def test_each_comparison_is_a_test_with_that_tolerance(compared: Compared) -> None:
    body = source(compared.test)
    if compared.tolerance == "exactly":
        assert "==" in body or "torch.equal" in body
    elif compared.tolerance == "default tolerance":
        assert any(function in body for function in DEFAULTS)
        assert not re.search(r"\b(?:[ra]tol|rel|abs)=[\d.]", body)
    else:
        for tolerance in compared.tolerance.split(", "):
            assert re.search(rf"\b{re.escape(tolerance)}\b", body)


def test_a_comparison_without_a_tolerance_or_a_test_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lacking:
        """A rule.

        Chosen here: nothing.

        Compared with: the closed form (test_x.py::test_y).
        """

        paper = ""

    monkeypatch.setattr(registry, "load", lambda *_: Lacking)
    with pytest.raises(ValueError, match="lacking is compared with 'the closed form"):
        deviations_of("balancer", "lacking")


def test_an_entry_has_its_words_tolerance_and_test(monkeypatch: pytest.MonkeyPatch) -> None:
    class Rule:
        """A rule (Doe 2020).

        Compared with: Doe's code, in float64, rtol=1e-3, atol=1e-4
        (balancers/test_rule.py::test_it_is_does); by hand,
        exactly (test_rule.py::test_by_hand).

        Chosen here: weights
        are kept.
        """

        paper = "Doe, A Rule, 2020"

    monkeypatch.setattr(registry, "load", lambda *_: Rule)
    assert deviations_of("balancer", "rule") == Deviations(
        name="rule",
        title="A rule (Doe 2020).",
        paper="Doe, A Rule, 2020",
        stands_for="",
        compared=(
            Compared(
                words="Doe's code, in float64",
                tolerance="rtol=1e-3, atol=1e-4",
                test="balancers/test_rule.py::test_it_is_does",
            ),
            Compared(words="by hand", tolerance="exactly", test="test_rule.py::test_by_hand"),
        ),
        chosen="weights are kept.",
    )
