from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.engines.screen.display import duration
from mtbench.errors import UsageError
from mtbench.plan.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("90 s", 90),
        ("30min", 1_800),
        ("30m", 1_800),
        ("6h", 21_600),
        ("6H", 21_600),
        (".5h", 1_800),
        ("1.5h", 5_400),
        ("2d", 172_800),
        ("1h30min", 5_400),
        ("1d 12h", 129_600),
        ("1d12h30min15s", 131_415),
        ("4:00:00", 14_400),
        ("1-12:00:30", 129_630),
        ("0", 0),
        ("0s", 0),
    ],
)
def test_a_duration_is_numbers_with_units_or_a_clock(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "h", "6", "6 hours and a bit", "6hours", "-6h", "1h1h", "30min 1h", "6h 5", "4:00", "1:99:00"),
        *("1e3s", "6 h,", "nan", "inf", "\N{ARABIC-INDIC DIGIT SIX}h", "5sh", "1..5h"),
    ],
)
def test_another_text_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r"--time is .* Write a number and its unit, as in 90s"):
        parse_duration(text, subject="--time")


def test_a_number_without_a_unit_is_read_where_one_is_named() -> None:
    assert parse_duration("600", unit="s") == 600
    assert parse_duration("1.5", unit="min") == 90


@pytest.mark.parametrize("text", ["5s", "10001d", "9" * 400 + "h"])
def test_a_duration_out_of_bounds_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(UsageError, match=r"Allowed: 60 s to 10000 d") as error:
        parse_duration(text, subject="--time", low=60)
    assert len(str(error.value)) < 150


@given(st.integers(0, 10_000 * 86_400))
def test_a_printed_duration_is_read_as_what_was_printed(seconds: int) -> None:
    printed = duration(seconds)
    smallest = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}[printed.split()[-1]]
    assert abs(parse_duration(printed) - seconds) <= 60 * 60
    assert parse_duration(printed) % smallest == 0


@given(st.text(st.sampled_from("0123456789.:- smindh\n"), max_size=12))
def test_any_text_is_a_duration_within_bounds_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert 0 <= parse_duration(text, unit="s") <= 10_000 * 86_400
