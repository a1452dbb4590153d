import pytest
from scipy.stats import studentized_range

from mtbench.stats.ranks.studentized import range_quantile


@pytest.mark.parametrize(("methods", "freedom"), [(2, 1), (3, 2), (2, 9), (12, 22.5), (40, 18), (40, 78), (12, 5000)])
def test_quantiles_are_those_of_scipy(methods: int, freedom: float) -> None:
    expected = studentized_range.ppf(0.95, methods, freedom)
    assert range_quantile(0.95, methods, freedom) == pytest.approx(expected, rel=1e-9)
