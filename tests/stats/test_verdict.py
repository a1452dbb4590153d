from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.special import stdtrit

from mtbench.stats.contrast import Contrast, holm, paired, welch
from mtbench.stats.power import runs_needed, runs_to_equivalence
from mtbench.stats.verdict import Word, judge

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
    assert judge(contrast, margin=1.0, adjusted=contrast.p, higher_is_better=higher_is_better).word == word


def test_an_interval_that_touches_zero_is_undecided() -> None:
    contrast = of_five(WIDE * 0.5, 0.5)
    assert (contrast.interval() or (NAN, NAN))[0] == 0.0
    assert judge(contrast, margin=None, adjusted=0.01, higher_is_better=True).word == "undecided"
    assert judge(contrast, margin=None, adjusted=0.01, higher_is_better=False).word == "undecided"


def test_an_interval_that_touches_the_margin_is_not_beyond_it() -> None:
    contrast = of_five(5.0, 1.0)
    low = (contrast.interval() or (NAN, NAN))[0]
    assert judge(contrast, margin=low, adjusted=0.01, higher_is_better=True).word == "better"
    less = float(np.nextafter(low, 0))
    assert judge(contrast, margin=less, adjusted=0.01, higher_is_better=True).word == "better by more than the margin"
    assert judge(contrast, margin=low, adjusted=0.01, higher_is_better=False).word == "worse"
    assert judge(contrast, margin=less, adjusted=0.01, higher_is_better=False).word == "worse by more than the margin"


def test_an_interval_that_touches_the_margin_is_not_equivalent() -> None:
    contrast = of_five(0.0, 1.0)
    high = (contrast.interval(0.9) or (NAN, NAN))[1]
    assert high == pytest.approx(NARROW)
    assert judge(contrast, margin=high, adjusted=1, higher_is_better=True).word == "undecided"
    more = float(np.nextafter(high, 9))
    assert judge(contrast, margin=more, adjusted=1, higher_is_better=True).word == "equivalent"


def test_a_corrected_p_of_5_percent_decides_nothing() -> None:
    contrast = of_five(2.0, 0.5)
    assert judge(contrast, margin=None, adjusted=0.05, higher_is_better=True).word == "undecided"
    assert judge(contrast, margin=None, adjusted=float(np.nextafter(0.05, 0)), higher_is_better=True).word == "better"
    assert judge(contrast, margin=None, adjusted=NAN, higher_is_better=True).word == "undecided"


def test_a_difference_that_is_sure_but_does_not_matter_is_equivalent() -> None:
    contrast = of_five(0.2, 0.02)
    verdict = judge(contrast, margin=0.5, adjusted=contrast.p, higher_is_better=True)
    assert verdict.word == "equivalent"
    assert verdict.sentence == (
        "equivalent: difference +0.200, 90 % interval +0.157 to +0.243 within a margin of 0.5; "
        "it is there all the same, p = 0.00056 after Holm's correction"
    )
    assert judge(contrast, margin=None, adjusted=contrast.p, higher_is_better=True).word == "better"


def test_without_a_margin_nothing_is_equivalent() -> None:
    assert judge(of_five(0.0, 1e-9), margin=None, adjusted=1, higher_is_better=True).word == "undecided"


def test_a_margin_is_above_zero() -> None:
    with pytest.raises(ValueError, match="above 0"):
        judge(of_five(1, 1), margin=0.0, adjusted=1, higher_is_better=True)


def test_what_is_decided_needs_no_plan() -> None:
    verdict = judge(of_five(1.23, 0.2), margin=None, adjusted=0.012, higher_is_better=False)
    assert verdict.runs is None
    assert verdict.sentence == (
        "worse: difference +1.23, 95 % interval +0.67 to +1.79, p = 0.012 after Holm's correction"
    )


def test_a_p_that_would_print_as_zero_is_said_to_be_small() -> None:
    sentence = judge(of_five(100, 0.2), margin=0.5, adjusted=3e-9, higher_is_better=True).sentence
    assert sentence == (
        "better by more than the margin: difference +100.00, 95 % interval +99.44 to +100.56, margin 0.5, "
        "p < 0.0001 after Holm's correction"
    )


def test_what_is_undecided_has_the_plan_that_would_show_the_difference() -> None:
    contrast = of_five(1.0, 0.5)
    verdict = judge(contrast, margin=None, adjusted=contrast.p, higher_is_better=True)
    assert verdict.runs == runs_needed(1.0, 0.5 * 5**0.5)
    assert verdict.sentence == (
        "undecided: difference +1.0, 95 % interval -0.4 to +2.4, p = 0.12 after Holm's correction; "
        "if +1.0 is true, 12 new pairs would tell (80 % power)"
    )


def test_a_plan_bears_the_correction_that_the_comparison_bore() -> None:
    contrast = of_five(1.0, 0.5)
    verdict = judge(contrast, margin=None, adjusted=4 * contrast.p, higher_is_better=True)
    assert verdict.runs == runs_needed(1.0, 0.5 * 5**0.5, level=0.05 / 4)


def test_the_smaller_plan_is_told_be_it_for_equivalence() -> None:
    contrast = of_five(0.1, 0.5)
    verdict = judge(contrast, margin=1.0, adjusted=contrast.p, higher_is_better=True)
    assert verdict.runs == runs_to_equivalence(0.1, 0.5 * 5**0.5, margin=1.0)


def test_no_plan_shows_a_difference_of_nothing() -> None:
    verdict = judge(of_five(0.0, 0.5), margin=None, adjusted=1, higher_is_better=True)
    assert verdict.runs is None
    assert verdict.sentence.endswith("no plan of up to 1000 new pairs would tell")


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
    verdict = judge(contrast, margin=5.0, adjusted=contrast.p, higher_is_better=True)
    assert (verdict.word, verdict.sentence, verdict.runs) == ("undecided", sentence, None)


def test_unpaired_runs_are_planned_for_each() -> None:
    contrast = welch([1.0, 2.0, 4.0], [0.5, 1.5, 3.0, 2.0])
    assert judge(contrast, margin=None, adjusted=contrast.p, higher_is_better=True).sentence.endswith(
        "new runs of each would tell (80 % power)"
    )


def test_wider_margins_lose_no_equivalence() -> None:
    contrast = of_five(0.3, 0.2)
    words = [
        judge(contrast, margin=margin, adjusted=contrast.p, higher_is_better=True).word
        for margin in np.linspace(0.01, 2, 50)
    ]
    assert "undecided" in words
    assert not any(first == "equivalent" and second != "equivalent" for first, second in pairwise(words))


def test_of_equal_methods_a_family_has_a_winner_or_loser_in_5_percent_of_simulations() -> None:
    """Four methods that are a fifth in truth, each compared with it over five seeds."""
    draws = np.random.default_rng(0).normal(size=(800, 5, 5))
    wrong = 0
    for reference, *others in draws:
        contrasts = [paired(other, reference) for other in others]
        adjusted = holm([contrast.p for contrast in contrasts])
        words = [
            judge(contrast, margin=None, adjusted=p, higher_is_better=True).word
            for contrast, p in zip(contrasts, adjusted, strict=True)
        ]
        wrong += any(word != "undecided" for word in words)
    assert 0.01 < wrong / len(draws) < 0.05 + 3 * (0.05 * 0.95 / len(draws)) ** 0.5


def test_methods_as_far_apart_as_the_margin_are_called_equivalent_in_5_percent_of_simulations() -> None:
    draws = np.random.default_rng(1).normal(loc=1.0, size=(1500, 10))
    contrasts = [paired(values, np.zeros(10)) for values in draws]
    found = [judge(c, margin=1.0, adjusted=c.p, higher_is_better=True).word == "equivalent" for c in contrasts]
    assert np.mean(found) == pytest.approx(0.05, abs=0.02)
