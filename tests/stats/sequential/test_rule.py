import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mtbench.stats.contrast import paired
from mtbench.stats.sequential.rule import Rule

RULE = Rule(looks=(3, 5, 8, 12, 20), claims=4)


def test_a_single_look_is_the_ordinary_t_test() -> None:
    rule, contrast = Rule(looks=(6,)), paired([1.2, 0.3, 0.8, 1.9, 0.4, 1.1], np.zeros(6))
    interval, expected = rule.interval(0, contrast), contrast.interval()
    assert interval is not None
    assert interval == pytest.approx(expected)
    assert rule.sequential(0, contrast.p) == pytest.approx(contrast.p, rel=0.01)


@pytest.mark.parametrize("look", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_sequential_p_is_the_corrected_level_exactly_where_the_test_begins_to_reject(look: int, count: int) -> None:
    level = 0.05 / count
    nominal = RULE.nominal(look, level)
    assert RULE.sequential(look, nominal) == pytest.approx(level, rel=1e-12)
    assert RULE.sequential(look, nominal * 1.0001) > level > RULE.sequential(look, nominal * 0.9999)


@settings(deadline=None, max_examples=40)
@given(look=st.integers(0, 4), level=st.floats(1e-7, 0.95))
def test_between_those_levels_it_is_right_to_one_percent(look: int, level: float) -> None:
    nominal = RULE.nominal(look, level)
    assume(nominal > 0)
    assert RULE.sequential(look, nominal) == pytest.approx(level, rel=0.01)


def test_without_a_p_there_is_no_evidence() -> None:
    assert RULE.sequential(2, math.nan) == 1
    assert RULE.sequential(2, 1.0) == 1
    assert RULE.interval(0, paired([1.0, 1.0, 1.0], np.zeros(3))) is None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-2, 3), min_size=8, max_size=8), st.integers(0, 3))
def test_the_repeated_interval_excludes_zero_where_the_sequential_p_is_below_the_level(
    values: list[float], look: int
) -> None:
    contrast = paired(values, np.zeros(8))
    interval = RULE.interval(look, contrast)
    assume(interval is not None and abs(RULE.sequential(look, contrast.p) - 0.05) > 1e-9)
    assert interval is not None
    assert (not interval[0] <= 0 <= interval[1]) == (RULE.sequential(look, contrast.p) < 0.05)


@pytest.mark.parametrize("looks", [(), (1, 5), (5, 3), (3, 3, 5)])
def test_looks_ascend_from_two_seeds(looks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="looks are ascending numbers of seeds from 2"):
        Rule(looks=looks)
