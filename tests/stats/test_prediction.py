import numpy as np
import pytest

from mtbench.stats.prediction import prediction_interval


def test_the_interval_is_that_of_hahns_table() -> None:
    """Hahn (1969): for one further value with 95 % and n = 4 the factor is 3.558, for n = 10 it is 2.373."""
    for n, factor in ((4, 3.558), (10, 2.373)):
        values = np.arange(float(n))
        interval = prediction_interval(list(values))
        assert interval is not None
        assert (interval[1] - values.mean()) / values.std(ddof=1) == pytest.approx(factor, abs=1e-3)
        assert interval[1] - values.mean() == pytest.approx(values.mean() - interval[0])


def test_one_further_value_is_in_it_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(0).normal(size=(20_000, 4))
    found = [prediction_interval(list(row[:3])) for row in drawn]
    inside = [
        interval is not None and interval[0] <= row[3] <= interval[1]
        for interval, row in zip(found, drawn, strict=True)
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / len(inside)))


def test_one_value_has_no_interval() -> None:
    assert prediction_interval([1.0]) is None
