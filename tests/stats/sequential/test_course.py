from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mtbench.stats.contrast import Contrast, paired
from mtbench.stats.sequential.course import Course, Hypothesis, follow
from mtbench.stats.sequential.rule import Rule
from tests.stats.sequential.simulated import LOOKS, Draw, judged, normal, resampled

WOBBLE = np.array([0.1, -0.3, 0.2, 0.4, -0.2, 0.0, -0.4, 0.3, -0.1, 0.2, -0.2, 0.1])
LATE = np.concatenate([WOBBLE, WOBBLE[:8]])
RULE = Rule(looks=LOOKS, claims=4)


def claim(direction: str = "better", margin: float | None = None, family: str = "all") -> Hypothesis:
    return Hypothesis(direction=direction, margin=margin, family=family)


def course_of(
    *differences: NDArray[np.float64],
    claims: Sequence[Hypothesis] = (),
    higher: bool = True,
    asked: list[object] | None = None,
) -> list[Course]:
    """Judge claims whose paired differences are these, as many as there are."""

    def contrasts(look: int, waiting: Sequence[int]) -> dict[int, Contrast]:
        if asked is not None:
            asked.append((look, list(waiting)))
        n = LOOKS[look]
        whole = [index for index in waiting if len(differences[index]) >= n]
        return {index: paired(differences[index][:n], np.zeros(n)) for index in whole}

    hypotheses = list(claims) or [claim()] * len(differences)
    return follow(RULE, hypotheses, [higher] * len(hypotheses), contrasts)


def test_a_large_difference_is_decided_early_and_a_small_one_at_the_last_look() -> None:
    asked: list[object] = []
    early, late = course_of(LATE + 2, LATE + 0.2, asked=asked)
    assert [step.word for step in early.steps] == ["undecided", "undecided", "better"]
    assert (early.decided, early.ended, len(late.steps), late.ended) == (True, True, 5, True)
    assert asked == [(0, [0, 1]), (1, [0, 1]), (2, [0, 1]), (3, [1]), (4, [1])]


def test_a_decided_claim_is_no_longer_judged_whatever_later_seeds_are() -> None:
    values = np.concatenate([LATE[:8] + 2, -50 * np.ones(12)])
    (course,) = course_of(values)
    assert course.last is not None
    assert (course.last.word, course.last.contrast.n) == ("better", 8)


def test_the_direction_of_the_metric_turns_better_into_worse() -> None:
    (course,) = course_of(LATE + 2, higher=False)
    assert course.last is not None
    assert course.last.word == "worse"


def test_a_difference_inside_the_margin_is_equivalent_and_decides_either_claim() -> None:
    found = course_of(LATE * 0.2, LATE * 0.2, claims=[claim("equivalent", 1.0), claim("better", 1.0)])
    for course in found:
        assert course.last is not None
        assert (course.last.word, course.decided) == ("equivalent", True)
        assert course.last.narrow is not None
        assert -1 < course.last.narrow[0] < course.last.narrow[1] < 1
        # Next to nothing is spent at the first look, so that the median-unbiased estimate is next to the mean.
        assert len(course.steps) == 2
        assert course.estimate == pytest.approx(course.last.contrast.difference, abs=1e-6)


def test_a_difference_beyond_the_margin_ends_a_claim_of_equivalence_and_one_within_does_not() -> None:
    beyond, there = course_of(LATE + 3, LATE + 0.9, claims=[claim("equivalent", 1.0)] * 2)
    assert beyond.last is not None
    assert there.last is not None
    assert (beyond.last.word, beyond.decided) == ("better by more than the margin", True)
    assert (there.last.word, there.decided, there.ended) == ("better", False, True)


def test_a_claim_that_lacks_runs_is_not_judged_then_nor_later_and_the_others_are() -> None:
    lacking, whole = course_of(LATE[:6] + 0.1, LATE + 0.1)
    assert (len(lacking.steps), lacking.lacking, lacking.ended) == (2, 2, False)
    assert (len(whole.steps), whole.lacking) == (5, None)
    assert lacking.estimate == pytest.approx(float(np.mean(LATE[:5]) + 0.1))


def test_a_claim_that_was_not_judged_counts_in_the_correction() -> None:
    alone = course_of(LATE + 0.75)[0]
    beside = course_of(LATE + 0.75, LATE[:0])[0]
    assert beside.steps[2].adjusted.difference == pytest.approx(2 * alone.steps[2].adjusted.difference)


def test_claims_of_another_family_do_not() -> None:
    alone = course_of(LATE + 0.75)[0]
    beside = course_of(LATE + 0.75, LATE, claims=[claim(), claim(family="other")])[0]
    assert [step.adjusted.difference for step in beside.steps] == [step.adjusted.difference for step in alone.steps]
    assert [step.level for step in beside.steps] == [step.level for step in alone.steps]


def test_a_decided_claim_leaves_its_level_to_the_others_as_in_holms_procedure() -> None:
    small = LATE + 0.55
    crowded = course_of(small, LATE, LATE, LATE)[0]
    released = course_of(small, LATE + 9, LATE + 9, LATE + 9)[0]
    assert released.steps[3].level == pytest.approx(RULE.nominal(3, 0.05))
    assert crowded.steps[3].level == pytest.approx(RULE.nominal(3, 0.0125))


def test_without_a_spread_nothing_is_decided() -> None:
    (course,) = course_of(np.ones(20))
    assert (len(course.steps), course.decided) == (5, False)
    assert {step.word for step in course.steps} == {"undecided"}


NULL = 2000


def test_differences_of_real_seeds_have_heavy_tails() -> None:
    drawn = resampled(np.random.default_rng(0), (100_000,))
    assert stats.kurtosis(drawn) > 3


@pytest.mark.parametrize("draw", [normal, resampled])
@pytest.mark.parametrize("claims", [1, 4])
def test_at_most_six_percent_of_null_grids_have_a_false_positive(draw: Draw, claims: int) -> None:
    grids = judged(draw(np.random.default_rng(20), (NULL, claims, LOOKS[-1])))
    assert sum(grid.positive for grid in grids) / NULL <= 0.06


def test_stopping_at_the_first_seed_with_a_p_below_the_level_has_more_than_a_fifth() -> None:
    values = normal(np.random.default_rng(20), (NULL, LOOKS[-1]))
    hits = np.zeros(NULL, dtype=bool)
    for n in range(3, LOOKS[-1] + 1):
        hits |= np.asarray(stats.ttest_1samp(values[:, :n], 0, axis=1).pvalue) < 0.05
    assert hits.mean() > 0.2


def test_true_differences_are_found_with_fewer_seeds_than_the_last_look_has() -> None:
    grids = list(judged(normal(np.random.default_rng(1), (400, 1, LOOKS[-1])) + 1.0))
    assert np.mean([grid.positive for grid in grids]) > 0.95
    assert np.mean([grid.seeds for grid in grids]) < 15


def test_at_the_margin_equivalence_is_falsely_called_in_at_most_six_percent() -> None:
    grids = judged(normal(np.random.default_rng(2), (1000, 1, LOOKS[-1])) + 1.0, margin=1.0, direction="equivalent")
    words = [step.word for grid in grids for step in grid.courses[0].steps]
    assert words.count("equivalent") / 1000 <= 0.06


def test_the_repeated_interval_contains_the_truth_at_all_looks_together() -> None:
    values = normal(np.random.default_rng(4), (500, LOOKS[-1])) + 0.5
    missed = 0
    for row in values:
        found = [RULE.interval(look, paired(row[:n], np.zeros(n))) for look, n in enumerate(LOOKS)]
        missed += not all(interval is not None and interval[0] < 0.5 < interval[1] for interval in found)
    assert missed / len(values) == pytest.approx(0.05, abs=0.03)
