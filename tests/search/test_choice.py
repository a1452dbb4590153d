"""Fronts, against an independent implementation and the definition."""

import moocore
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mtbench.search.choice import front

NUMBERS = st.integers(0, 5).map(float)
POINTS = st.integers(1, 4).flatmap(
    lambda tasks: st.lists(st.lists(NUMBERS, min_size=tasks, max_size=tasks), min_size=1, max_size=12)
)


@given(POINTS)
def test_the_front_is_what_moocore_finds(points: list[list[float]]) -> None:
    expected = moocore.is_nondominated(np.array(points), maximise=True, keep_weakly=True)
    assert front(points, [True] * len(points[0])) == list(expected)


@given(POINTS)
def test_turning_every_direction_and_sign_changes_nothing(points: list[list[float]]) -> None:
    turned = [[-value for value in point] for point in points]
    higher = [index % 2 == 0 for index in range(len(points[0]))]
    lower = [not is_higher for is_higher in higher]
    assert front(points, higher) == front(turned, lower)
