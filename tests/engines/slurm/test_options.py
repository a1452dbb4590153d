"""Options of the engine: times, and further options of sbatch."""

import pytest

from mtbench.engines.slurm.options import SlurmOptions, limit_of
from mtbench.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4h", 4 * 3600),
        ("30min", 1800),
        ("2d", 2 * 86400),
        ("1d12h", 36 * 3600),
        ("1h30min", 5400),
        ("90s", 90),
        ("90", 5400),
        ("90:30", 5430),
        ("1:30:00", 5400),
        ("2-0", 2 * 86400),
        ("1-12", 36 * 3600),
        ("1-12:30", 36 * 3600 + 1800),
        ("1-00:00:01", 86401),
    ],
)
def test_a_time_is_read_in_words_and_in_the_forms_of_slurm(text: str, seconds: int) -> None:
    assert limit_of(text) == seconds


@pytest.mark.parametrize("text", ["4", "4h", "0:30"])
def test_a_time_makes_options(text: str) -> None:
    assert SlurmOptions(time=text).time == text


@pytest.mark.parametrize("text", ["0", "h", "four", "-4h", "1:2:3:4", "4h30", "0min"])
def test_what_is_no_time_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(UsageError, match="option 'time' of engine 'slurm' is"):
        SlurmOptions(time=text)


def test_further_options_are_split_as_a_shell_does() -> None:
    options = SlurmOptions(sbatch="--account=mine --comment='two words'")
    assert options.further() == ["--account=mine", "--comment=two words"]


@pytest.mark.parametrize("text", ["script.sh", "--comment='open"])
def test_what_are_no_options_of_sbatch_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="sbatch"):
        SlurmOptions(sbatch=text)
