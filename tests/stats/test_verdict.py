from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.special import stdtrit

from mtbench.stats.contrast import Contrast, paired, welch
from mtbench.stats.power import runs_needed, runs_to_equivalence
from mtbench.stats.verdict import Adjusted, Verdict, Word, adjust, judge

NAN = float("nan")
WIDE, NARROW = float(stdtrit(4, 0.975)), float(stdtrit(4, 0.95))


def of_five(difference: float, error: float) -> Contrast:
    """Five pairs with a given difference and standard error."""
    return Contrast(
        matched=True,
        n=5,
        runs=(5, 5),
        difference=difference,
        std=error * 5**0.5,
        error=error,
        freedom=4.0,
        p=float(2 * stats.t.sf(abs(difference) / error, 4)),
        sign_flip=None,
        least=0.0625,
        detectable=None,
        correlation=None,
        welch=NAN,
    )


def alone(contrast: Contrast, *, margin: float | None = None, higher_is_better: bool = True) -> Verdict:
    """Return the verdict on a comparison that stands by itself, so that nothing is corrected."""
    (adjusted,) = adjust([contrast], [margin])
    return judge(contrast, margin=margin, adjusted=adjusted, higher_is_better=higher_is_better)


def corrected(contrast: Contrast, p: float, *, margin: float | None = None, higher_is_better: bool = True) -> Verdict:
    """Return the verdict where correction has left each p at the one given."""
    adjusted = Adjusted(difference=p, beyond=p, equivalence=p)
    return judge(contrast, margin=margin, adjusted=adjusted, higher_is_better=higher_is_better)


def words_of(contrasts: list[Contrast], margin: float | None) -> list[Word]:
    """Return the words of comparisons that are shown together."""
    adjusted = adjust(contrasts, [margin] * len(contrasts))
    return [
        judge(contrast, margin=margin, adjusted=each, higher_is_better=True).word
        for contrast, each in zip(contrasts, adjusted, strict=True)
    ]


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (1.1, 3.0, "better by more than the margin"),
        (0.1, 3.0, "better"),
        (-0.1, 3.0, "undecided"),
        (-0.9, 0.9, "equivalent"),
        (-3.0, 0.1, "undecided"),
        (-3.0, -0.1, "worse"),
        (-3.0, -1.1, "worse by more than the margin"),
    ],
)
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_intervals_have_the_words_that_are_defined(low: float, high: float, word: Word, higher_is_better: bool) -> None:
    """Intervals are of goodness: turned where lower is better."""
    sign = 1 if higher_is_better else -1
    contrast = of_five(sign * (low + high) / 2, (high - low) / 2 / WIDE)
    assert alone(contrast, margin=1.0, higher_is_better=higher_is_better).word == word


def test_an_interval_that_touches_zero_is_undecided() -> None:
    contrast = of_five(WIDE * 0.5, 0.5)
    assert (contrast.interval() or (NAN, NAN))[0] == 0.0
    assert corrected(contrast, 0.01).word == "undecided"
    assert corrected(contrast, 0.01, higher_is_better=False).word == "undecided"


def test_an_interval_that_touches_the_margin_is_not_beyond_it() -> None:
    contrast = of_five(5.0, 1.0)
    low = (contrast.interval() or (NAN, NAN))[0]
    assert corrected(contrast, 0.01, margin=low).word == "better"
    less = float(np.nextafter(low, 0))
    assert corrected(contrast, 0.01, margin=less).word == "better by more than the margin"
    assert corrected(contrast, 0.01, margin=low, higher_is_better=False).word == "worse"
    assert corrected(contrast, 0.01, margin=less, higher_is_better=False).word == "worse by more than the margin"


def test_an_interval_that_touches_the_margin_is_not_equivalent() -> None:
    contrast = of_five(0.0, 1.0)
    high = (contrast.interval(0.9) or (NAN, NAN))[1]
    assert high == pytest.approx(NARROW)
    assert corrected(contrast, 0.01, margin=high).word == "undecided"
    more = float(np.nextafter(high, 9))
    assert corrected(contrast, 0.01, margin=more).word == "equivalent"


def test_a_corrected_p_of_5_percent_decides_nothing() -> None:
    contrast = of_five(2.0, 0.5)
    assert corrected(contrast, 0.05).word == "undecided"
    assert corrected(contrast, float(np.nextafter(0.05, 0))).word == "better"
    assert corrected(contrast, NAN).word == "undecided"


def test_a_difference_that_is_sure_but_does_not_matter_is_equivalent() -> None:
    contrast = of_five(0.2, 0.02)
    verdict = alone(contrast, margin=0.5)
    assert verdict.word == "equivalent"
    assert verdict.sentence == (
        "equivalent: difference +0.200, 90 % interval +0.157 to +0.243 within a margin of 0.5, "
        "p < 0.0001 after Holm's correction; "
        "it is there all the same, p = 0.00056 after Holm's correction"
    )
    assert alone(contrast).word == "better"


def test_without_a_margin_nothing_is_equivalent() -> None:
    assert corrected(of_five(0.0, 1e-9), 1).word == "undecided"


def test_a_margin_is_above_zero() -> None:
    with pytest.raises(ValueError, match="above 0"):
        adjust([of_five(1, 1), of_five(1, 1)], [None, 0.0])


def test_what_is_decided_needs_no_plan() -> None:
    verdict = corrected(of_five(1.23, 0.2), 0.012, higher_is_better=False)
    assert verdict.runs is None
    assert verdict.sentence == (
        "worse: difference +1.23, 95 % interval +0.67 to +1.79, p = 0.012 after Holm's correction"
    )


def test_a_p_that_would_print_as_zero_is_said_to_be_small() -> None:
    sentence = corrected(of_five(100, 0.2), 3e-9, margin=0.5).sentence
    assert sentence == (
        "better by more than the margin: difference +100.00, 95 % interval +99.44 to +100.56, margin 0.5 "
        "(a difference within it: p < 0.0001), p < 0.0001 after Holm's correction"
    )


def test_what_is_undecided_has_the_plan_that_would_show_the_difference() -> None:
    contrast = of_five(1.0, 0.5)
    verdict = alone(contrast)
    assert verdict.runs == runs_needed(1.0, 0.5 * 5**0.5)
    assert verdict.sentence == (
        "undecided: difference +1.0, 95 % interval -0.4 to +2.4, p = 0.12 after Holm's correction; "
        "if +1.0 is true, 12 new pairs are needed (80 % power)"
    )


def test_a_plan_bears_the_correction_that_the_comparison_bore() -> None:
    contrast = of_five(1.0, 0.5)
    verdict = corrected(contrast, 4 * contrast.p)
    assert verdict.runs == runs_needed(1.0, 0.5 * 5**0.5, level=0.05 / 4)


def test_the_smaller_plan_is_told_be_it_for_equivalence() -> None:
    contrast = of_five(0.1, 0.5)
    verdict = alone(contrast, margin=1.0)
    assert verdict.runs == runs_to_equivalence(0.1, 0.5 * 5**0.5, margin=1.0)


def test_no_plan_shows_a_difference_of_nothing() -> None:
    verdict = corrected(of_five(0.0, 0.5), 1)
    assert verdict.runs is None
    assert verdict.sentence.endswith("no plan of up to 1000 new pairs has 80 % power")


@pytest.mark.parametrize(
    ("contrast", "sentence"),
    [
        (paired([3], [1]), "undecided: difference +2 in 1 pair, too few to know their spread"),
        (welch([3], [1, 1.5]), "undecided: difference +1.75 in 1 and 2 runs, too few to know their spread"),
        (paired([], []), "undecided: nothing to compare"),
        (
            paired([1, 2], [1, 2]),
            "undecided: difference +0 in 2 pairs, which do not vary, so that chance is unmeasured",
        ),
    ],
)
def test_without_a_spread_all_is_undecided_and_says_why(contrast: Contrast, sentence: str) -> None:
    verdict = alone(contrast, margin=5.0)
    assert (verdict.word, verdict.sentence, verdict.runs) == ("undecided", sentence, None)


def test_unpaired_runs_are_planned_for_each() -> None:
    contrast = welch([1.0, 2.0, 4.0], [0.5, 1.5, 3.0, 2.0])
    assert alone(contrast).sentence.endswith("new runs of each are needed (80 % power)")


def test_wider_margins_lose_no_equivalence() -> None:
    contrast = of_five(0.3, 0.2)
    words = [alone(contrast, margin=margin).word for margin in np.linspace(0.01, 2, 50)]
    assert "undecided" in words
    assert not any(first == "equivalent" and second != "equivalent" for first, second in pairwise(words))


def test_the_p_of_equivalence_is_that_of_the_less_sure_side() -> None:
    contrast = paired([90.1, 89.7, 90.4, 90.2, 89.9], [90.0, 89.9, 90.1, 90.3, 89.6])
    values = np.array([90.1, 89.7, 90.4, 90.2, 89.9]) - [90.0, 89.9, 90.1, 90.3, 89.6]
    sides = (stats.ttest_1samp(values, -0.5, alternative="greater"), stats.ttest_1samp(values, 0.5, alternative="less"))
    (found,) = adjust([contrast], [0.5])
    assert found.equivalence == pytest.approx(max(side.pvalue for side in sides))
    assert found.difference == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert found.beyond == 1.0


def test_the_p_of_a_difference_beyond_the_margin_counts_both_directions() -> None:
    values = np.array([2.0, 2.4, 1.7, 2.2])
    for sign in (1, -1):
        (found,) = adjust([paired(sign * values, np.zeros(4))], [1.0])
        assert found.beyond == pytest.approx(2 * stats.ttest_1samp(values, 1.0, alternative="greater").pvalue)


def test_each_hypothesis_is_corrected_over_the_comparisons_that_could_be_called() -> None:
    """Three comparisons, one without a margin and one without a spread."""
    first, second, alike = of_five(0.1, 0.2), of_five(0.3, 0.2), paired([1, 2], [1, 2])
    plain, other = (adjust([contrast], [1.0])[0] for contrast in (first, second))
    found = adjust([first, second, alike], [1.0, None, 1.0])
    assert found[0].equivalence == pytest.approx(plain.equivalence)
    assert found[0].difference == pytest.approx(max(plain.difference, 2 * other.difference))
    assert np.isnan([found[1].equivalence, found[1].beyond, found[2].equivalence, found[2].difference]).all()


def test_what_is_equivalent_alone_may_be_undecided_among_many() -> None:
    contrast = of_five(0.0, 0.3)
    assert alone(contrast, margin=1.0).word == "equivalent"
    adjusted = adjust([contrast] * 20, [1.0] * 20)[0]
    verdict = judge(contrast, margin=1.0, adjusted=adjusted, higher_is_better=True)
    assert adjusted.equivalence == pytest.approx(20 * stats.t.sf(1 / 0.3, 4))
    assert verdict.word == "undecided"
    assert verdict.runs == runs_to_equivalence(0.0, 0.3 * 5**0.5, margin=1.0, level=0.05 / 20)
    assert verdict.sentence.startswith(
        "undecided: difference +0.00, 95 % interval -0.83 to +0.83, p = 1 after Holm's correction; "
        "90 % interval -0.64 to +0.64 within a margin of 1, but p = 0.29 after Holm's correction; if +0.00 is true, "
    )


def test_what_is_better_by_more_than_the_margin_alone_may_be_only_better_among_many() -> None:
    contrast = of_five(5.0, 0.5)
    assert alone(contrast, margin=3.0).word == "better by more than the margin"
    adjusted = adjust([contrast] * 4, [3.0] * 4)[0]
    assert judge(contrast, margin=3.0, adjusted=adjusted, higher_is_better=True).word == "better"
    assert judge(contrast, margin=3.0, adjusted=adjusted, higher_is_better=False).word == "worse"


def test_of_equal_methods_a_family_has_a_winner_or_loser_in_5_percent_of_simulations() -> None:
    """Four methods that are a fifth in truth, each compared with it over five seeds."""
    draws = np.random.default_rng(0).normal(size=(800, 5, 5))
    wrong = 0
    for reference, *others in draws:
        words = words_of([paired(other, reference) for other in others], None)
        wrong += any(word != "undecided" for word in words)
    assert 0.01 < wrong / len(draws) < 0.05 + 3 * (0.05 * 0.95 / len(draws)) ** 0.5


def test_methods_as_far_apart_as_the_margin_are_called_equivalent_in_5_percent_of_simulations() -> None:
    draws = np.random.default_rng(1).normal(loc=1.0, size=(1500, 10))
    contrasts = [paired(values, np.zeros(10)) for values in draws]
    found = [alone(c, margin=1.0).word == "equivalent" for c in contrasts]
    assert np.mean(found) == pytest.approx(0.05, abs=0.02)


def test_of_20_true_and_20_false_claims_of_equivalence_any_false_one_holds_in_5_percent_of_simulations() -> None:
    """20 differences of 0 and 20 as large as the margin, over ten seeds each; by itself each false one holds in 5 %."""
    families, margin = 400, 1.0
    truth = np.repeat([0.0, margin], 20)
    draws = np.random.default_rng(2).normal(loc=truth[:, None], scale=0.5, size=(families, 40, 10))
    wrong, wrong_alone, right = 0, 0, 0
    for family in draws:
        contrasts = [paired(values, np.zeros(10)) for values in family]
        words = words_of(contrasts, margin)
        wrong += "equivalent" in words[20:]
        right += words[:20].count("equivalent")
        wrong_alone += any(alone(contrast, margin=margin).word == "equivalent" for contrast in contrasts[20:])
    noise = 3 * (0.05 * 0.95 / families) ** 0.5
    assert 0 < wrong / families < 0.05 + noise
    assert wrong_alone / families > 0.5
    assert right / (20 * families) > 0.9
