import pytest

from mtbench.report import text


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (950, "950"),
        (999.7, "1.0k"),
        (12_000, "12.0k"),
        (999_960, "1.0M"),
        (1_200_000, "1.2M"),
        (3.4e9, "3.4G"),
    ],
)
def test_counts_are_written_in_a_few_digits(number: float, written: str) -> None:
    assert text.counted(number) == written


@pytest.mark.parametrize(("number", "written"), [(1.25, "1.25"), (2, "2.00"), (1, "1.00"), (1.0025, "1.0025")])
def test_a_ratio_near_one_shows_that_it_is_not_one(number: float, written: str) -> None:
    assert text.ratio(number) == "\N{MULTIPLICATION SIGN}" + written


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("LU", ["LU"]),
        ("5_o_Clock_Shadow", ["5_o_Clock_", "Shadow"]),
        ("td:channels=6+dwa", ["td:", "channels=6+", "dwa"]),
        ("left upper corner", ["left upper", "corner"]),
        ("Unbreakable-Donaudampfschiff", ["Unbreakable-", "Donaudampfschiff"]),
    ],
)
def test_names_are_broken_where_they_can_be(name: str, lines: list[str]) -> None:
    assert text.wrap(name, 12) == "\n".join(lines)


def test_a_long_text_is_cut_at_a_word() -> None:
    assert text.brief("one\n two, three", 9) == "one two…"
    assert text.brief("one\n two", 9) == "one two"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.01234, "0.0123"), (1.2, "1.20"), (9.996, "10.0"), (123.4, "123"), (999.6, "1000"), (12_345, "12345")],
)
def test_seconds_are_written_in_three_digits(seconds: float, written: str) -> None:
    assert text.duration(seconds) == written


@pytest.mark.parametrize(("size", "written"), [(412_345_678, "412 MB"), (999_600_000, "1.00 GB"), (1.236e9, "1.24 GB")])
def test_memory_is_written_in_three_digits(size: float, written: str) -> None:
    assert text.memory(size) == written


def test_percentages_have_two_decimals_and_others_four_digits() -> None:
    assert [text.decimals([value], "") for value in (12.0, 1.2, 0.12)] == [2, 3, 4]
    assert text.decimals([0.12], "%") == 2
    assert text.decimals([], "") == 4


def test_a_title_becomes_part_of_a_file_name() -> None:
    assert text.slug("paper, lr=0.0005") == "paper-lr-0.0005"


def test_counts_are_one_number_where_they_are_alike() -> None:
    assert [text.counts(numbers) for numbers in ([3, 3, 3], [3, 0, 3], [2], [])] == ["3", "3, 0, 3", "2", ""]


def test_means_and_differences_have_what_is_known_of_their_spread() -> None:
    assert [text.spread(90.125, 0.5), text.spread(90, None), text.spread(0.5, 0.25, 3)] == [
        *("90.12 ± 0.50", "90.00", "0.500 ± 0.250"),
    ]
    assert text.difference(0.5, (-0.25, 1.25)) == "+0.50 (-0.25 to +1.25)"
    assert text.difference(-2, None) == "-2.00"


@pytest.mark.parametrize(("number", "plain", "signed"), [(-0.001, "0.00", "+0.00"), (0.0, "0.00", "+0.00")])
def test_no_minus_stands_before_what_is_rounded_to_zero(number: float, plain: str, signed: str) -> None:
    assert (text.fixed(number), text.signed(number)) == (plain, signed)
    assert text.spread(number, -number) == f"{plain} ± 0.00"
    assert text.difference(number, (number, number)) == f"{signed} ({signed} to {signed})"


def test_a_minus_stands_before_what_is_not_rounded_to_zero() -> None:
    assert (text.fixed(-0.005, 3), text.signed(-0.005, 3)) == ("-0.005", "-0.005")
    assert text.spread(-0.5, 0.25, sign=True) == "-0.50 ± 0.25"
    assert text.spread(0.5, None, sign=True) == "+0.50"


@pytest.mark.parametrize(("p", "written"), [(0.04951, "0.05"), (0.00034, "0.00034"), (0.00009, "< 0.0001"), (1, "1")])
def test_a_p_is_never_written_as_zero(p: float, written: str) -> None:
    assert text.p_value(p) == written


def test_long_numbers_in_names_are_rounded_unless_two_names_would_look_alike() -> None:
    name = "branches+fixed:weights=0.115015/0.884985"
    assert text.rounded([name, "td:channels=6", "moo:lr=0.0005"]) == {
        name: "branches+fixed:weights=0.115/0.885",
        "td:channels=6": "td:channels=6",
        "moo:lr=0.0005": "moo:lr=0.0005",
    }
    alike = ["fixed:weights=0.11501/0.88499", "fixed:weights=0.11502/0.88498"]
    assert text.rounded(alike) == dict(zip(alike, alike, strict=True))
