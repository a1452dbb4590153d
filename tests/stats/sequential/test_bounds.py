import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from mtbench.stats.sequential.bounds import Paths, nominal_levels

LOOKS = (3, 5, 8, 12, 20)


def bounds(looks: tuple[int, ...], level: float) -> np.ndarray:
    return -ndtri(np.array(nominal_levels(looks, level)) / 2)


def crossing(looks: tuple[int, ...], z: np.ndarray) -> float:
    """Probability that normal scores at the looks leave -z..z, from the multivariate normal distribution of SciPy."""
    fractions = np.array(looks) / looks[-1]
    correlation = np.sqrt(np.minimum.outer(fractions, fractions) / np.maximum.outer(fractions, fractions))
    cdf = stats.multivariate_normal.cdf
    return 1 - float(cdf(z, cov=correlation, lower_limit=-z, maxpts=1_000_000, abseps=1e-7, releps=1e-7))


def test_bounds_of_four_equal_looks_are_those_of_gsdesign() -> None:
    # R's gsDesign(k = 4, test.type = 2, alpha = 0.025, sfu = sfLDOF)
    assert bounds((1, 2, 3, 4), 0.05) == pytest.approx([4.3326, 2.9631, 2.3590, 2.0141], abs=5e-5)


@pytest.mark.parametrize("level", [0.05, 0.0125, 0.3])
@pytest.mark.parametrize("looks", [(8, 20), (5, 8, 20)])
def test_normal_scores_cross_at_any_look_with_the_overall_level(looks: tuple[int, ...], level: float) -> None:
    assert crossing(looks, bounds(looks, level)) == pytest.approx(level, rel=1e-4)


def test_a_single_look_has_the_overall_level() -> None:
    assert nominal_levels((7,), 0.05) == pytest.approx((0.05,))


@pytest.mark.parametrize("looks", [LOOKS, (2, 3, 40), (10, 11, 12)])
def test_a_test_at_a_higher_level_rejects_whatever_one_at_a_lower_level_rejects(looks: tuple[int, ...]) -> None:
    levels = [1e-6, 1e-3, 0.0125, 0.025, 0.05, 0.1, 0.4, 0.9]
    assert (np.diff([nominal_levels(looks, level) for level in levels], axis=0) >= 0).all()
    assert all(0 <= level <= 1 for level in nominal_levels(looks, 1e-9))


def test_paths_with_a_drift_are_above_a_bound_as_often_as_the_bivariate_normal_has_it() -> None:
    paths, drift, first, second = Paths(1.3), 1.3, 1.8, 0.7
    assert paths.above(0.4, first) == pytest.approx(stats.norm.sf(first - drift * 0.4**0.5))
    paths.advance(0.4, first)
    mean, correlation = np.array([drift * 0.4**0.5, drift]), 0.4**0.5
    both = stats.multivariate_normal(mean=mean, cov=[[1, correlation], [correlation, 1]])
    inside = both.cdf([first, 50.0], lower_limit=[-first, second])
    assert paths.above(1.0, second) == pytest.approx(float(inside), rel=1e-5)
