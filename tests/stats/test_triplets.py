from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from mtbench.stats.resample import accuracy_difference
from mtbench.stats.triplets import triplet_difference


def triples(rng: np.random.Generator, images: int, count: int) -> NDArray[np.int64]:
    """Return triplets of three different images each."""
    return rng.random((count, images)).argsort(axis=1)[:, :3]


def answers(rng: np.random.Generator, members: NDArray[np.int64], gap: float = 0.0) -> NDArray[np.bool_]:
    """Return two methods, each with images of its own that are easy or hard in each of the three places; the first is
    better by `gap` in the score that decides."""
    ease = rng.normal(scale=0.6, size=(2, 3, members.max() + 1))
    score = sum(ease[:, place, members[:, place]] for place in range(3))
    right: NDArray[np.bool_] = rng.normal(size=(2, len(members))) < score + np.array([[gap], [0.0]])
    return right


def test_intervals_over_images_cover_where_those_over_triplets_do_not() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(120):
        members = triples(rng, 60, 600)
        first, second = answers(rng, members)  # alike in truth
        over_images = triplet_difference(first, second, members, rng, resamples=300).interval
        over_triplets = accuracy_difference(first, second, rng, resamples=300).interval
        covered.append([low <= 0 <= high for low, high in (over_images, over_triplets)])
    images, triplets = np.mean(covered, axis=0)
    assert 0.89 < images < 0.99
    assert triplets < 0.75


def test_the_variance_over_images_counts_each_pair_with_a_common_image_once() -> None:
    """Against all pairs in turn; some triplets have an image twice, and some the same three images."""
    rng = np.random.default_rng(1)
    members = rng.integers(60, size=(150, 3))
    members[10] = members[11][::-1]
    gains = rng.integers(-1, 2, size=150).astype(float)
    tasks = np.arange(150) % 2
    rest = gains - np.array([gains[tasks == task].mean() for task in (0, 1)])[tasks]
    common = np.array([[not set(one).isdisjoint(other) for other in members] for one in members])
    expected = (rest @ common @ rest) / (~common).mean() / 150**2
    found = triplet_difference(gains, 0 * gains, members, rng, tasks=tasks, resamples=20_000)
    assert (found.std / 100) ** 2 == pytest.approx(expected, rel=0.04)
    assert found.difference == pytest.approx(100 * gains.mean())
    assert found.images == len(np.unique(members))


@pytest.mark.parametrize("runs", [1, 4])
def test_without_a_common_image_it_is_the_ordinary_bootstrap(runs: int) -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random((2, runs, 300)) < 0.6
    members = np.arange(900).reshape(300, 3)
    images = triplet_difference(first, second, members, rng, resamples=20_000)
    triplets = accuracy_difference(first, second, rng, resamples=20_000)
    assert images.difference == pytest.approx(triplets.difference)
    assert images.std == pytest.approx(triplets.std, rel=0.03)
    assert images.interval == pytest.approx(triplets.interval, abs=0.15 * triplets.std)


def test_of_every_triplet_of_few_images_the_spread_is_the_standard_error_over_images() -> None:
    """Answers that depend on the anchor alone, in all triplets of ten images."""
    rng = np.random.default_rng(3)
    members = np.array([triple for triple in product(range(10), repeat=3) if len(set(triple)) == 3])
    ease = rng.normal(size=10)
    gains = ease[members[:, 0]]
    found = triplet_difference(gains, 0 * gains, members, rng, resamples=20_000)
    assert found.std / 100 == pytest.approx(ease.std(ddof=1) / np.sqrt(10), rel=0.03)


def test_gains_that_differ_between_tasks_alone_are_no_chance() -> None:
    members = triples(np.random.default_rng(4), 40, 200)
    tasks = np.arange(200) % 2
    found = triplet_difference(tasks, 0 * tasks, members, np.random.default_rng(0), tasks=tasks)
    assert found.difference == 50
    assert found.std == pytest.approx(0, abs=1e-4)


def test_images_that_belong_to_other_triplets_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, 3\)"):
        triplet_difference(np.ones((2, 5)), np.ones((2, 5)), np.ones((4, 3)), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"\(S, N\)"):
        triplet_difference(np.ones((2, 5)), np.ones((2, 6)), np.ones((5, 3)), np.random.default_rng(0))
