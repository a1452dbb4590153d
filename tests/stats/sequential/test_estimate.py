import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtbench.stats.contrast import Contrast, paired
from mtbench.stats.sequential.bounds import nominal_levels
from mtbench.stats.sequential.estimate import median_unbiased, stage_wise

LOOKS = (8, 20)
LEVELS = nominal_levels(LOOKS, 0.05)
FIRST = -stats.norm.ppf(LEVELS[0] / 2)


def contrast(difference: float, error: float, freedom: float = 1e9) -> Contrast:
    """Return a contrast whose t is as good as normal."""
    p = 2 * float(stats.norm.sf(abs(difference) / error))
    return replace(paired([1.0, 2.0], [0.0, 0.0]), difference=difference, error=error, freedom=freedom, p=p)


def test_the_stage_wise_order_has_the_probabilities_of_the_bivariate_normal() -> None:
    drift, z, correlation = 1.1, 1.4, (8 / 20) ** 0.5
    both = stats.multivariate_normal(mean=[drift * correlation, drift], cov=[[1, correlation], [correlation, 1]])
    inside = both.cdf([FIRST, 50.0], lower_limit=[-FIRST, z])
    expected = stats.norm.sf(FIRST - drift * correlation) + inside
    assert stage_wise(LOOKS, [FIRST], z, drift) == pytest.approx(float(expected), rel=1e-5)


def test_at_the_first_look_and_without_bounds_it_is_the_difference() -> None:
    assert median_unbiased(contrast(0.7, 0.1), LOOKS[:1], []) == 0.7
    assert median_unbiased(contrast(0.7, 0.1), LOOKS, [0.0]) == 0.7
    assert median_unbiased(contrast(0.0, 0.1), LOOKS, LEVELS[:1]) == 0.0
    assert math.isnan(median_unbiased(paired([], []), LOOKS, LEVELS[:1]))


def test_it_changes_sign_with_the_difference_and_scales_with_the_unit() -> None:
    one = median_unbiased(contrast(0.7, 0.2), LOOKS, LEVELS[:1])
    assert median_unbiased(contrast(-0.7, 0.2), LOOKS, LEVELS[:1]) == pytest.approx(-one)
    assert median_unbiased(contrast(70.0, 20.0), LOOKS, LEVELS[:1]) == pytest.approx(100 * one)


@pytest.mark.parametrize("true", [0.3, 0.8])
def test_half_of_the_estimates_of_normal_scores_are_above_the_true_difference(true: float) -> None:
    rng, above, grids = np.random.default_rng(3), 0, 1000
    for values in rng.normal(true, 1.0, (grids, LOOKS[-1])):
        for look, n in enumerate(LOOKS):
            found = contrast(values[:n].mean(), n**-0.5)
            if found.p < LEVELS[look] or n == LOOKS[-1]:
                break
        # The order of results alone decides: the estimate is above if results as high are improbable under the truth.
        z = found.difference / n**-0.5
        above += stage_wise(LOOKS[: look + 1], [FIRST][:look], z, true * n**0.5) < 0.5
    assert above / grids == pytest.approx(0.5, abs=4 * (0.25 / grids) ** 0.5)
