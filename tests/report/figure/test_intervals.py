import numpy as np
import pytest
from scipy import stats

from mtbench.report.figure.intervals import interval_of
from mtbench.stats.summary import summarize


@pytest.mark.parametrize(
    ("unit", "most", "values"),
    [
        ("%", 100, (1.0, 2.0, 9.0)),
        ("%", 100, (94.0, 99.0, 99.5)),
        ("%", 100, (40.0, 50.0, 60.5)),
        ("°", 180, (150.0, 178.0, 179.0)),
        ("°", 180, (1.0, 2.0, 9.0)),
    ],
)
def test_an_interval_is_that_of_student_within_the_range_of_the_unit(
    unit: str, most: float, values: tuple[float, ...]
) -> None:
    whole = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert interval_of(summarize(values)) == pytest.approx(whole)
    assert interval_of(summarize(values), unit) == pytest.approx(tuple(np.clip(whole, 0, most)))


def test_fewer_than_three_seeds_have_no_interval() -> None:
    assert interval_of(summarize([1.0, 2.0]), "%") is None
    assert interval_of(summarize([1.0]), "") is None
