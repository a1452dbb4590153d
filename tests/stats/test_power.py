import numpy as np
import pytest
from scipy import stats

from mtbench.stats.power import (
    detectable_noncentrality,
    equivalence_power,
    runs_needed,
    runs_to_equivalence,
    two_sided_power,
)


def detectable_effect(n: int, level: float = 0.05) -> float:
    """The differences that n pairs detect with a power of 80 %, in standard deviations of a difference."""
    return float(detectable_noncentrality(n - 1, level=level) / n**0.5)


def power_of_scipy(effect: float, n: int, level: float = 0.05) -> float:
    quantile, noncentrality = stats.t.ppf(1 - level / 2, n - 1), effect * n**0.5
    return float(stats.nct.sf(quantile, n - 1, noncentrality) + stats.nct.cdf(-quantile, n - 1, noncentrality))


@pytest.mark.parametrize(("n", "effect"), [(3, 3.27), (5, 1.69), (10, 1.00), (20, 0.67)])
def test_the_detectable_effect_is_that_of_the_printed_table(n: int, effect: float) -> None:
    assert detectable_effect(n) == pytest.approx(effect, abs=0.01)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 20, 100])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_detectable_effect_has_a_power_of_80_percent_by_the_noncentral_t(n: int, level: float) -> None:
    assert power_of_scipy(detectable_effect(n, level), n, level) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_detectable_effect_is_called_in_80_percent_of_simulations(n: int) -> None:
    draws = np.random.default_rng(n).normal(loc=detectable_effect(n), size=(20_000, n))
    called = np.less(stats.ttest_1samp(draws, 0, axis=1).pvalue, 0.05)
    assert np.mean(called) == pytest.approx(0.8, abs=0.012)


@pytest.mark.parametrize("noncentrality", [0.0, 0.5, 2.0, 4.0, 6.0])
@pytest.mark.parametrize("freedom", [1, 2, 4.7, 30])
def test_power_is_that_of_the_noncentral_t(noncentrality: float, freedom: float) -> None:
    quantile = stats.t.ppf(0.975, freedom)
    exact = stats.nct.sf(quantile, freedom, noncentrality) + stats.nct.cdf(-quantile, freedom, noncentrality)
    assert two_sided_power(noncentrality, freedom) == pytest.approx(exact, abs=2e-4)


def test_an_effect_of_any_size_has_a_power() -> None:
    assert two_sided_power(1e12, 1) == pytest.approx(1)
    assert detectable_noncentrality(1, level=0.001) > 500


@pytest.mark.parametrize(("effect", "level"), [(3.0, 0.05), (1.0, 0.05), (0.5, 0.05), (1.0, 0.01), (0.1, 0.05)])
def test_the_runs_needed_are_the_least_that_have_the_power(effect: float, level: float) -> None:
    n = runs_needed(-2 * effect, 2.0, level=level)
    assert n is not None
    assert power_of_scipy(effect, n, level) >= 0.8 > power_of_scipy(effect, n - 1, level)


@pytest.mark.parametrize(("difference", "std"), [(0.0, 1.0), (1.0, 0.0), (1.0, None), (1e-4, 1.0), (float("nan"), 1.0)])
def test_what_no_plan_would_show_has_none(difference: float, std: float | None) -> None:
    assert runs_needed(difference, std) is None


@pytest.mark.parametrize(("difference", "n"), [(0.0, 8), (0.3, 12), (-0.5, 30)])
def test_equivalence_is_found_as_often_as_simulations_find_it(difference: float, n: int) -> None:
    draws = np.random.default_rng(n).normal(loc=difference, size=(20_000, n))
    half = stats.t.ppf(0.95, n - 1) * draws.std(axis=1, ddof=1) / n**0.5
    found = (np.abs(draws.mean(axis=1)) + half < 1.0).mean()
    assert equivalence_power(difference, 1.0, n, margin=1.0) == pytest.approx(found, abs=0.012)


def test_the_runs_to_equivalence_are_the_least_that_have_the_power() -> None:
    n = runs_to_equivalence(0.2, 1.0, margin=1.0)
    assert n is not None
    assert equivalence_power(0.2, 1.0, n, margin=1.0) >= 0.8 > equivalence_power(0.2, 1.0, n - 1, margin=1.0)


@pytest.mark.parametrize(("difference", "std"), [(1.0, 1.0), (-2.0, 1.0), (0.0, 0.0), (0.0, None), (0.999, 1.0)])
def test_what_no_plan_would_show_to_be_equivalent_has_none(difference: float, std: float | None) -> None:
    assert runs_to_equivalence(difference, std, margin=1.0) is None
