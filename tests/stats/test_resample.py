import numpy as np
import pytest
from numpy.typing import NDArray

from mtbench.stats.resample import accuracy_difference


def answers(
    rng: np.random.Generator, runs: int, images: int, gap: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return images of unlike difficulty, seeds of unlike luck; the first method is right more often by `gap` in
    truth."""
    base = rng.uniform(0.3, 0.7, size=images) + rng.uniform(-0.05, 0.05, size=(runs, 1))
    own = rng.uniform(-0.05, 0.05, size=(2, runs, 1))
    first, second = rng.random((2, runs, images)) < np.stack([base + own[0] + gap, base + own[1]])
    return first, second


@pytest.mark.parametrize(("runs", "images"), [(1, 400), (3, 200), (20, 50)])
def test_the_spread_is_that_of_drawing_rows_and_columns(runs: int, images: int) -> None:
    # The variance of the resampled mean, worked out: column means / N, row means / S, what is left / (S N).
    rng = np.random.default_rng(runs)
    first, second = answers(rng, runs, images, 0.1)
    gains = 100.0 * (first.astype(float) - second)
    columns, rows = gains.mean(axis=0), gains.mean(axis=1)
    left = gains - columns - rows[:, None] + gains.mean()
    expected = columns.var() / images + rows.var() / runs + (left**2).mean() / (runs * images)
    resampled = accuracy_difference(first, second, rng, resamples=20_000)
    assert resampled.std**2 == pytest.approx(expected, rel=0.05)
    assert resampled.difference == pytest.approx(gains.mean())
    assert (resampled.runs, resampled.images) == (runs, images)


def test_the_interval_holds_the_share_asked_for_of_a_normal_spread() -> None:
    rng = np.random.default_rng(5)
    first, second = answers(rng, 10, 500, 0.05)
    resampled = accuracy_difference(first, second, rng, resamples=20_000, confidence=0.9)
    low, high = resampled.interval
    assert (high - low) / 2 == pytest.approx(1.645 * resampled.std, rel=0.04)
    assert (low + high) / 2 == pytest.approx(resampled.difference, abs=0.1 * resampled.std)


def test_intervals_cover_the_true_difference_with_ten_runs() -> None:
    rng = np.random.default_rng(6)
    covered = []
    for _ in range(200):
        low, high = accuracy_difference(*answers(rng, 10, 300, 0.04), rng, resamples=400).interval
        covered.append(low <= 4.0 <= high)
    # Chance within each run and image is counted up to three times: it covers more than the nominal 95 %.
    assert np.mean(covered) > 0.93


def test_one_run_is_resampled_over_images_alone() -> None:
    # 60 images that only the first answers, 40 that only the second does: a binomial fraction.
    first = np.arange(100) < 60
    resampled = accuracy_difference(first, ~first, np.random.default_rng(0), resamples=20_000)
    assert resampled.difference == pytest.approx(20)
    assert resampled.std == pytest.approx(200 * np.sqrt(0.6 * 0.4 / 100), rel=0.03)


def test_equal_answers_differ_by_exactly_nothing() -> None:
    first, _ = answers(np.random.default_rng(0), 3, 100, 0)
    resampled = accuracy_difference(first, first, np.random.default_rng(0))
    assert (resampled.difference, resampled.std, resampled.interval) == (0, 0, (0, 0))


def test_the_same_generator_gives_the_same_interval_however_it_is_cut() -> None:
    first, second = answers(np.random.default_rng(0), 4, 1000, 0.02)
    once, again, other = (accuracy_difference(first, second, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert once == again
    assert once.interval != other.interval


def test_unlike_images_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match=r"\(S, N\)"):
        accuracy_difference(np.ones((2, 5)), np.ones((2, 6)), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"\(S, N\)"):
        accuracy_difference(np.ones((2, 0)), np.ones((2, 0)), np.random.default_rng(0))
