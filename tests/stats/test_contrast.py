import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mtbench.stats.contrast import holm, paired, sign_flip, welch, welch_from
from mtbench.stats.power import detectable_noncentrality

NAN = float("nan")
FIRST = [88.1, 89.4, 87.9, 88.8, 90.0]
SECOND = [87.0, 88.9, 87.5, 87.1, 89.9]
probabilities = st.floats(0, 1)


def flips_by_brute_force(differences: list[int]) -> float:
    observed = abs(sum(differences))
    sums = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    return sum(total >= observed for total in sums) / len(sums)


def test_a_paired_contrast_is_scipys_paired_test() -> None:
    contrast, test = paired(FIRST, SECOND), stats.ttest_rel(FIRST, SECOND)
    assert contrast.p == pytest.approx(test.pvalue)
    for confidence in (0.95, 0.9, 0.5):
        expected = test.confidence_interval(confidence)
        assert contrast.interval(confidence) == pytest.approx((expected.low, expected.high))
    assert contrast.greater == pytest.approx(stats.ttest_rel(FIRST, SECOND, alternative="greater").pvalue)
    assert paired(SECOND, FIRST).greater == pytest.approx(stats.ttest_rel(SECOND, FIRST, alternative="greater").pvalue)


def test_a_paired_contrast_says_what_its_pairs_say() -> None:
    contrast = paired(FIRST, SECOND)
    assert (contrast.matched, contrast.n, contrast.runs) == (True, 5, (5, 5))
    assert contrast.difference == pytest.approx(0.76)
    assert contrast.std == pytest.approx(np.subtract(FIRST, SECOND).std(ddof=1))
    assert contrast.correlation == pytest.approx(stats.pearsonr(FIRST, SECOND).statistic)
    assert contrast.welch == pytest.approx(stats.ttest_ind(FIRST, SECOND, equal_var=False).pvalue)
    assert contrast.detectable == pytest.approx(detectable_noncentrality(4) * (contrast.error or 0))


def test_pairing_divides_the_variance_by_one_minus_the_correlation() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=4000) * 2
    first, second = shared + rng.normal(size=4000), shared + rng.normal(size=4000)
    matched, unmatched = paired(first, second), welch(first, second)
    assert matched.error is not None
    assert unmatched.error is not None
    assert matched.correlation == pytest.approx(4 / 5, abs=0.02)
    assert (matched.error / unmatched.error) ** 2 == pytest.approx(1 - (matched.correlation or 0), rel=0.02)


def test_a_seed_counts_where_both_have_a_run() -> None:
    contrast = paired([1, 2, NAN, 7], [0, NAN, 5, 4])
    assert (contrast.n, contrast.difference) == (2, 2)
    assert contrast.least == 0.5


def test_pairs_of_unlike_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        paired([1, 2], [1, 2, 3])


@pytest.mark.parametrize(("n", "least"), [(3, 0.25), (5, 0.0625), (6, 0.03125), (8, 0.0078125), (10, 0.001953125)])
def test_sign_flips_reach_no_less_than_two_in_two_to_the_n(n: int, least: float) -> None:
    contrast = paired(np.arange(1.0, n + 1), np.zeros(n))
    assert contrast.sign_flip == contrast.least == least


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=9))
def test_sign_flips_are_those_of_an_enumeration(differences: list[int]) -> None:
    assert sign_flip(differences) == pytest.approx(flips_by_brute_force(differences), abs=1e-12)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_sign_flips_are_those_of_scipys_permutation_test(n: int) -> None:
    first, second = np.random.default_rng(n).normal(loc=[[0.7], [0.0]], size=(2, n))
    test = stats.permutation_test(
        (first, second), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", vectorized=True
    )
    assert paired(first, second).sign_flip == pytest.approx(test.pvalue)


def test_sign_flips_of_forty_pairs_agree_with_a_normal_sum() -> None:
    differences = np.random.default_rng(3).normal(loc=0.3, size=40)
    normal = 2 * stats.norm.sf(abs(differences.sum()) / np.sqrt((differences**2).sum()))
    assert sign_flip(differences) == pytest.approx(normal, rel=0.1)


def test_differences_that_are_equal_but_for_rounding_count_themselves() -> None:
    # In floating point 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 are not the same number.
    assert sign_flip([0.1, 0.2, 0.3]) == 0.25
    assert paired([90.1, 90.3, 90.2], [89.9, 90.1, 90.0]).sign_flip == 0.25


def test_too_many_sign_flips_are_not_counted() -> None:
    assert paired(np.arange(41.0), np.zeros(41)).sign_flip is None
    with pytest.raises(ValueError, match="1 to 40"):
        sign_flip(np.ones(41))


@pytest.mark.parametrize("sizes", [(5, 5), (3, 7), (2, 12)])
def test_welch_is_scipys_test_of_unequal_variances(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sizes)
    first, second = rng.normal(1, 1, sizes[0]), rng.normal(0, 3, sizes[1])
    contrast, test = welch([*first, NAN], second), stats.ttest_ind(first, second, equal_var=False)
    assert contrast.p == contrast.welch == pytest.approx(test.pvalue)
    assert contrast.freedom == pytest.approx(test.df)
    expected = test.confidence_interval(0.95)
    assert contrast.interval() == pytest.approx((expected.low, expected.high))
    assert (contrast.matched, contrast.n, contrast.runs) == (False, min(sizes), sizes)
    assert contrast.std == pytest.approx(math.sqrt(first.var(ddof=1) + second.var(ddof=1)))
    assert contrast.sign_flip is contrast.least is contrast.correlation is None


def test_printed_numbers_are_compared_as_scipy_compares_them() -> None:
    test = stats.ttest_ind_from_stats(97.16, 0.05, 5, 96.25, 0.34, 5, equal_var=False)
    assert welch_from(97.16, 0.05, 5, 96.25, 0.34, 5).p == pytest.approx(test.pvalue)


def test_the_detectable_difference_of_unpaired_runs_is_found_in_80_percent_of_simulations() -> None:
    # The spreads are given, as a plan would have them: s1 = 1, s2 = 2 in truth, whatever a sample says.
    effect = welch_from(0, 1, 8, 0, 2, 8).detectable or NAN
    rng = np.random.default_rng(1)
    first, second = rng.normal(effect, 1, (10_000, 8)), rng.normal(0, 2, (10_000, 8))
    called = np.less(stats.ttest_ind(first, second, axis=1, equal_var=False).pvalue, 0.05)
    assert np.mean(called) == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("values", [([], []), ([NAN], [1]), ([1], [NAN])])
def test_without_a_pair_there_is_nothing(values: tuple[list[float], list[float]]) -> None:
    contrast = paired(*values)
    assert contrast.n == 0
    assert math.isnan(contrast.difference)
    assert math.isnan(contrast.p)
    assert (contrast.sign_flip, contrast.least, contrast.interval()) == (None, None, None)


def test_one_pair_has_a_difference_and_no_spread() -> None:
    contrast = paired([3], [1])
    assert (contrast.difference, contrast.sign_flip, contrast.least) == (2, 1, 1)
    assert contrast.std is contrast.error is contrast.freedom is contrast.detectable is contrast.correlation is None
    assert contrast.interval() is None
    assert math.isnan(contrast.p)
    assert math.isnan(contrast.greater)
    assert math.isnan(contrast.welch)


@pytest.mark.parametrize("second", [[1, 2, 3], [0, 1, 2]])
def test_differences_that_do_not_vary_have_neither_p_nor_interval(second: list[float]) -> None:
    contrast = paired([1, 2, 3], second)
    assert contrast.std == 0
    assert (contrast.freedom, contrast.interval(), contrast.detectable) == (None, None, None)
    assert math.isnan(contrast.p)
    assert contrast.sign_flip == (1 if second == [1, 2, 3] else 0.25)


def test_rounding_is_no_spread() -> None:
    contrast = paired([90.1, 90.3, 90.2], [89.9, 90.1, 90.0])
    assert contrast.difference == pytest.approx(0.2)
    assert contrast.std == 0
    assert math.isnan(contrast.p)


def test_a_constant_has_no_correlation() -> None:
    assert paired([1, 1, 1], [1, 2, 4]).correlation is None
    assert paired([1, 2], [1, 4]).correlation is None


@pytest.mark.parametrize(
    "printed", [(90.0, NAN, 5, 80.0, 1.0, 5), (90.0, 1.0, 1, 80.0, 1.0, 5), (90.0, 0.0, 5, 80.0, 0.0, 5)]
)
def test_printed_numbers_without_a_spread_have_a_difference_alone(
    printed: tuple[float, float, int, float, float, int],
) -> None:
    contrast = welch_from(*printed)
    assert contrast.difference == 10
    assert (contrast.interval(), contrast.detectable) == (None, None)
    assert math.isnan(contrast.p)


def test_one_spread_of_two_is_enough_for_welch() -> None:
    contrast = welch_from(90, 1, 5, 80, 0, 5)
    assert contrast.freedom == pytest.approx(4)
    assert contrast.p == pytest.approx(stats.ttest_1samp(90 + np.array([-1, -1, 0, 1, 1]), 80).pvalue, rel=1e-9)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_cover_the_true_difference_in_95_percent_of_simulations(n: int) -> None:
    rng = np.random.default_rng(n)
    shared = rng.normal(size=(2000, n))
    first, second = shared + rng.normal(0.3, 0.5, (2000, n)), shared + rng.normal(0, 0.7, (2000, n))
    intervals = [paired(a, b).interval() or (NAN, NAN) for a, b in zip(first, second, strict=True)]
    assert np.mean([low <= 0.3 <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.02)


def test_holm_is_the_table_worked_by_hand() -> None:
    # .005 * 4, .01 * 3, .03 * 2, .04 * 1, none below the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.6, 0.9]) == pytest.approx([1, 1, 1])
    assert holm([0.02]) == pytest.approx([0.02])
    assert holm([]).shape == (0,)


def test_holm_does_not_count_what_could_not_be_tested() -> None:
    adjusted = holm([NAN, 0.01, NAN, 0.04])
    assert np.isnan(adjusted[[0, 2]]).all()
    assert adjusted[[1, 3]] == pytest.approx([0.02, 0.04])


@given(st.lists(probabilities, min_size=1, max_size=8))
def test_holm_lies_between_the_p_and_bonferroni_and_keeps_the_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert (adjusted >= np.array(ps)).all()
    assert (adjusted <= np.minimum(1, len(ps) * np.array(ps)) + 1e-12).sum() >= 1
    assert (np.diff(adjusted[np.argsort(ps)]) >= 0).all()


@given(st.lists(probabilities, min_size=1, max_size=6))
def test_holm_rejects_what_its_steps_reject(ps: list[float]) -> None:
    rejected = set()
    for step, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        if ps[place] * (len(ps) - step) >= 0.05:
            break
        rejected.add(place)
    assert {place for place, p in enumerate(holm(ps)) if p < 0.05} == rejected
