"""Bounds of the numbers that users give."""

from dataclasses import dataclass

import pytest

from mtbench.contract import TrainingProtocol, option
from mtbench.contract.options import parse_options
from mtbench.contract.options.limits import LIMITS, check_number, in_words, shown
from mtbench.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """Options of a plug-in: one with bounds of its own, one without."""

    offset: int = option(6, "pixels")
    classes: int = option(10, "classes", low=2, high=2_000_000)


@pytest.mark.parametrize("setting", ["epochs", "batch", "images", "seeds"])
def test_settings_of_a_training_protocol_end_at_the_limit_of_their_name(setting: str) -> None:
    most = LIMITS[setting]
    assert getattr(TrainingProtocol().changed(**{setting: most}), setting) == most
    with pytest.raises(UsageError, match=f"Allowed: [01] to {most:,}"):
        TrainingProtocol().changed(**{setting: most + 1})


def test_a_whole_number_of_a_plug_in_ends_at_the_common_limit_unless_it_has_a_bound() -> None:
    with pytest.raises(UsageError, match=r"option 'offset' of dataset 'x' is 1000001\. Allowed: at most 1,000,000"):
        parse_options(Plugin, {"offset": "1000001"}, owner="dataset 'x'")
    assert parse_options(Plugin, {"classes": "1000001"}, owner="dataset 'x'").classes == 1_000_001


def test_a_number_of_thousands_of_digits_is_refused_in_one_line() -> None:
    with pytest.raises(UsageError) as error:
        parse_options(Plugin, {"offset": "9" * 5000}, owner="dataset 'x'")
    nines = "9" * 30
    assert str(error.value) == (
        f"option 'offset' of dataset 'x' is '{nines}... (5,000 characters)'. Allowed: a whole number."
    )


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (None, None, "a number"),
        (0, None, "at least 0"),
        (None, 0.5, "at most 0.5"),
        (1, 1_000_000, "1 to 1,000,000"),
        (1e-6, 0.9999, "1e-06 to 0.9999"),
    ],
)
def test_bounds_are_said_in_words(low: float | None, high: float | None, text: str) -> None:
    assert in_words(low, high) == text


def test_short_texts_are_quoted_whole() -> None:
    assert (shown("mmnist2"), shown("a" * 60), shown("a" * 61)) == (
        "mmnist2",
        "a" * 60,
        "a" * 30 + "... (61 characters)",
    )


@pytest.mark.parametrize("number", [0, 1025])
def test_a_number_beyond_its_bounds_is_refused(number: int) -> None:
    with pytest.raises(UsageError, match=f"--jobs is {number}. Allowed: 1 to 1,024"):
        check_number("--jobs", number, "jobs")
