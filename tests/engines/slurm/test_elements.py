"""The runs of each element of an array."""

from hypothesis import given
from hypothesis import strategies as st

from mtbench.engines.slurm.elements import grouped


def group(runs: list[float | None], *, at_a_time: int = 1, limit: int | None = None) -> list[list[float | None]]:
    return grouped(runs, lambda run: run, at_a_time=at_a_time, limit=limit)


def test_short_runs_fill_ten_minutes() -> None:
    assert [len(element) for element in group([100.0] * 20)] == [6, 6, 6, 2]


def test_long_runs_and_runs_of_unknown_time_are_alone() -> None:
    assert group([700.0, 700.0, None, None, 1.0]) == [[700.0], [700.0], [None], [None], [1.0]]


def test_there_are_not_fewer_elements_than_may_run_at_a_time() -> None:
    assert len(group([1.0] * 100, at_a_time=50)) == 50
    assert len(group([1.0] * 10, at_a_time=50)) == 10


def test_an_element_fills_half_of_what_its_time_limit_leaves() -> None:
    assert [len(element) for element in group([50.0] * 8, limit=490)] == [4, 4]


def test_a_limit_that_leaves_no_time_leaves_each_run_alone() -> None:
    assert len(group([1.0] * 5, limit=60)) == 5


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1e4)), max_size=40),
    st.integers(1, 10),
    st.one_of(st.none(), st.integers(1, 2000)),
)
def test_each_run_is_in_one_element_and_their_order_stays(
    runs: list[float | None], at_a_time: int, limit: int | None
) -> None:
    elements = group(runs, at_a_time=at_a_time, limit=limit)
    assert [run for element in elements for run in element] == runs
    assert all(elements)
