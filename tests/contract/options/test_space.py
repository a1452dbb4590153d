"""Search spaces of an option, declared in plain values; and weights of tasks as numbers that need no sum."""

import math
from dataclasses import dataclass, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.contract import Choices, Range, Simplex, option
from mtbench.contract.options.space import parse_space, render_space

LOG_RATIOS = st.lists(st.floats(-math.log(19), math.log(19)), min_size=1, max_size=9)


@dataclass(frozen=True, kw_only=True)
class Options:
    alpha: float = option(1.5, "a range", low=0, search=(0.0, 3.0))
    step: float = option(0.01, "by its logarithm", search=(1e-3, 1e-1, "log"))
    count: int = option(0, "a few", low=0, search=("2", "4", "8"))
    gate: str = option("sigmoid", "all", choices=("sigmoid", "tanh"), search="choices")
    deep: bool = option(False, "both", search="choices")
    weights: tuple[float, ...] = option((), "one per task", search="simplex")
    width: float = option(1.0, "stays")


def test_plain_values_declare_a_space() -> None:
    declared = {field.name: field.metadata["search"] for field in fields(Options)}
    assert declared == {
        "alpha": Range(low=0, high=3),
        "step": Range(low=1e-3, high=1e-1, log=True),
        "count": Choices(values=("2", "4", "8")),
        "gate": Choices(values=("sigmoid", "tanh")),
        "deep": Choices(values=("false", "true")),
        "weights": Simplex(ratio=19),
        "width": None,
    }


@pytest.mark.parametrize("space", [Range(low=1e-4, high=0.01, log=True), Choices(values=("a", "b")), Simplex(ratio=9)])
def test_a_space_may_be_declared_by_its_class_too(space: object) -> None:
    assert parse_space(space) is space


@pytest.mark.parametrize(
    ("default", "declared"),
    [
        (1.0, (3, 1)),
        (1.0, (0, 1, "log")),
        (1.0, (1, 2, 3)),
        (1.0, "simplex"),
        (1.0, "choices"),
        (1.0, ("1", "1")),
        ("text", (0, 1)),
        (True, (0, 1)),
        ((), (0, 1)),
        (1.0, {"low": 0}),
    ],
)
def test_what_is_no_space_or_does_not_fit_is_refused_where_it_is_declared(default: Any, declared: Any) -> None:
    with pytest.raises(ValueError, match=r"search|range|twice"):
        option(default, "broken", search=declared)


def test_a_range_beyond_what_the_option_allows_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        option(0.5, "a fraction", low=0, high=1, search=(0.5, 2.0))


@given(LOG_RATIOS)
def test_weights_sum_to_one_and_none_is_zero(log_ratios: list[float]) -> None:
    weights = Simplex.weights(log_ratios)
    assert len(weights) == len(log_ratios) + 1
    assert math.fsum(weights) == pytest.approx(1, abs=1e-12)
    assert min(weights) > 0


@given(LOG_RATIOS)
def test_log_ratios_are_found_again_from_the_weights(log_ratios: list[float]) -> None:
    assert Simplex.log_ratios(Simplex.weights(log_ratios)) == pytest.approx(log_ratios, abs=1e-9)


@pytest.mark.parametrize("tasks", [1, 2, 3, 9])
def test_zeros_are_equal_weights(tasks: int) -> None:
    assert Simplex.weights([0.0] * (tasks - 1)) == pytest.approx([1 / tasks] * tasks)


def test_the_bound_is_the_ratio_of_two_weights() -> None:
    bound = Simplex(ratio=19).bound
    assert Simplex.weights([bound]) == pytest.approx((0.95, 0.05))
    assert Simplex.weights([-bound]) == pytest.approx((0.05, 0.95))


@pytest.mark.parametrize("ratio", [1, 0.5, math.inf, math.nan])
def test_a_ratio_that_leaves_nothing_to_search_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="greatest ratio"):
        Simplex(ratio=ratio)


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (Range(low=1e-4, high=0.01, log=True), "0.0001..0.01:log"),
        (Range(low=0, high=3), "0..3"),
        (Choices(values=("2", "4")), "2/4"),
        (Simplex(), "simplex:19"),
    ],
)
def test_a_space_is_shown_as_it_is_typed(space: Any, text: str) -> None:
    assert render_space(space) == text
