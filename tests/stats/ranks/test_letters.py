from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mtbench.stats.ranks.letters import letters


def different(size: int, pairs: set[tuple[int, int]]) -> np.ndarray:
    matrix = np.zeros((size, size), dtype=bool)
    for first, second in pairs:
        matrix[first, second] = matrix[second, first] = True
    return matrix


def test_letters_of_a_published_example_are_the_fewest_that_an_exhaustive_search_finds() -> None:
    # Piepho (2004), example 3: of eight treatments, 1 differs from 7 and 8, 2 from 4 and 5, and 3 from 5.
    matrix = different(8, {(0, 6), (0, 7), (1, 3), (1, 4), (2, 4)})
    found = letters(matrix, range(8))
    sets = {frozenset(at for at, each in enumerate(found) if name in each) for name in set("".join(found))}
    alike = [
        frozenset(some)
        for size in range(1, 9)
        for some in combinations(range(8), size)
        if not any(matrix[pair] for pair in combinations(some, 2))
    ]
    largest = [some for some in alike if not any(some < other for other in alike)]
    assert sets <= {*largest}
    pairs = {frozenset(pair) for pair in combinations(range(8), 2) if not matrix[pair]}
    covering = (
        size
        for size in range(1, len(largest) + 1)
        if any(all(any(pair <= one for one in some) for pair in pairs) for some in combinations(largest, size))
    )
    assert len(sets) == next(covering) > 3


def test_being_alike_is_not_transitive() -> None:
    assert letters(different(3, {(0, 2)}), [0, 1, 2]) == ("a", "ab", "b")
    assert letters(different(3, {(0, 2)}), [2, 1, 0]) == ("b", "ab", "a")
    assert letters(different(3, set()), [0, 1, 2]) == ("a", "a", "a")
    assert letters(different(3, {(0, 1), (0, 2), (1, 2)}), [1, 0, 2]) == ("b", "a", "c")


def test_methods_that_are_not_compared_have_no_letter() -> None:
    assert letters(different(3, {(0, 2)}), [2, 0]) == ("b", "", "a")
    assert letters(different(2, set()), []) == ("", "")


def test_beyond_z_letters_are_written_with_spaces() -> None:
    size = 30
    found = letters(different(size, set(combinations(range(size), 2))), range(size))
    assert (found[25], found[26], found[29]) == ("z", "aa", "ad")
    neighbors = {pair for pair in combinations(range(size), 2) if pair[1] - pair[0] > 1}
    assert letters(different(size, neighbors), range(size))[26] == "z aa"


@given(
    st.integers(1, 9).flatmap(
        lambda size: st.tuples(
            st.permutations(range(size)), st.sets(st.sampled_from([*combinations(range(size), 2)] or [(0, 0)]))
        )
    )
)
def test_two_methods_share_a_letter_if_and_only_if_they_do_not_differ(
    drawn: tuple[list[int], set[tuple[int, int]]],
) -> None:
    order, pairs = drawn
    matrix = different(len(order), {pair for pair in pairs if pair[0] != pair[1]})
    found = letters(matrix, order)
    for first, second in combinations(range(len(order)), 2):
        assert bool(set(found[first]) & set(found[second])) != matrix[first, second]
    assert all(found)
    for name in {*"".join(found)}:  # no letter can be left out
        rest = [set(each) - {name} for each in found]
        pairs_left = [
            rest[one] & rest[other] for one, other in combinations(range(len(order)), 2) if not matrix[one, other]
        ]
        assert not all(rest) or not all(pairs_left)
