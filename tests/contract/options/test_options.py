from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.contract import option
from mtbench.contract.options import differences, parse_options, parse_value, render_value
from mtbench.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Options:
    width: float = option(1.0, "factor", low=0.1, high=64)
    gate: str = option("sigmoid", "nonlinearity", choices=("sigmoid", "tanh"))
    deep: bool = option(False, "deeper")
    weights: tuple[float, ...] = option((), "one per task", low=0)
    names: tuple[str, ...] = option((), "tasks")


def parse(**given: str) -> Options:
    parsed: Options = parse_options(Options, given, owner="method 'x'")
    return parsed


def test_texts_become_typed_values() -> None:
    options = parse(width="2", gate="tanh", deep="yes", weights=".3/.7", names="a/b")
    assert options == Options(width=2.0, gate="tanh", deep=True, weights=(0.3, 0.7), names=("a", "b"))


def test_only_what_differs_from_a_default_is_written_down() -> None:
    assert differences(parse(width="1.0", deep="true")) == {"deep": True}


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ({"gat": "tanh"}, "method 'x' has no option 'gat'. Did you mean 'gate'? "
                          "Its options: width, gate, deep, weights, names."),
        ({"gate": "tan"}, "option 'gate' of method 'x' is 'tan'. Did you mean 'tanh'? Allowed: sigmoid, tanh."),
        ({"width": "100"}, "option 'width' of method 'x' is 100. Allowed: 0.1 to 64."),
        ({"width": "nan"}, "option 'width' of method 'x' is nan. Allowed: 0.1 to 64."),
        ({"weights": "inf/1"}, "option 'weights' of method 'x' is inf/1. Allowed: a finite number."),
        ({"width": "wide"}, "option 'width' of method 'x' is 'wide'. Allowed: a number."),
        ({"deep": "maybe"}, "option 'deep' of method 'x' is 'maybe'. Allowed: true or false."),
        ({"weights": ".3/-1"}, "option 'weights' of method 'x' is 0.3/-1. Allowed: at least 0."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(given_: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(**given_)
    assert str(error.value) == text


@given(st.one_of(st.booleans(), st.integers(max_value=1_000_000), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_rendered_number_is_read_back_as_it_was(value: bool | int | float) -> None:
    assert parse_value(render_value(value), type(value), subject="x") == value


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=5).map(tuple))
def test_a_rendered_list_is_read_back_as_it_was(value: tuple[float, ...]) -> None:
    assert parse_value(render_value(value), tuple[float, ...], subject="x") == value
