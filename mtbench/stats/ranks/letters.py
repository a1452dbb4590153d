"""Letters: two methods have one in common if and only if they are not significantly different.

That methods are not significantly different is not transitive: the first may differ from the third, while the second
differs from neither. So there are no groups, and a method may have several letters (a compact letter display: Piepho,
An algorithm for a letter-based representation of all-pairwise comparisons, J. Computational and Graphical Statistics
13, 2004).

Each letter is a set of methods none of which differ. Piepho's way to the sets, by splitting those that contain a pair
that differs, may take 2^(M/2) of them. Here each pair that shares no letter yet is extended to a set that no further
method fits into, which takes as many letters at most as there are pairs, and in practice as few (Gramm et al.,
Algorithms for compact letter displays, Computational Statistics and Data Analysis 52, 2007, who show that the fewest
letters are NP-hard to find).
"""

from collections.abc import Iterator, Sequence
from itertools import count, product
from string import ascii_lowercase

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["letters"]


def letters(different: ArrayLike, order: Sequence[int]) -> tuple[str, ...]:
    """Return the letters of each method.

    Args:
        different: (M, M) True where two methods are significantly different; symmetric.
        order: the methods that get letters, the best first, which has the letter a. Every other has none.

    Returns:
        (M,) texts such as ``ab``; of more than 26 letters, with spaces between letters such as ``z`` and ``aa``.
    """
    matrix = np.asarray(different, dtype=bool)
    places = {method: place for place, method in enumerate(order)}
    sets = sorted(_needed(_covering(~matrix, order)), key=lambda one: sorted(places[each] for each in one))
    between = " " if len(sets) > len(ascii_lowercase) else ""
    named = list(zip(_names(), sets, strict=False))
    return tuple(between.join(name for name, one in named if each in one) for each in range(len(matrix)))


def _covering(alike: NDArray[np.bool_], order: Sequence[int]) -> list[frozenset[int]]:
    """Return sets of methods that are all alike, such that every two that are alike are in one."""
    sets = list[frozenset[int]]()
    for place, first in enumerate(order):
        for second in reversed(order[place:]):  # the farthest first: what lies between fits into its set
            if alike[first, second] and not any({first, second} <= one for one in sets):
                sets.append(_extended({first, second}, alike, order))
    return sets


def _extended(pair: set[int], alike: NDArray[np.bool_], order: Sequence[int]) -> frozenset[int]:
    members = list(pair)
    for each in order:
        if each not in pair and alike[each, members].all():
            members.append(each)
    return frozenset(members)


def _needed(sets: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Return the sets without those of which every pair is in another."""
    kept = list(sets)
    for one in sorted(sets, key=len):
        others = [other for other in kept if other != one]
        if all(any({first, second} <= other for other in others) for first, second in product(one, one)):
            kept = others
    return kept


def _names() -> Iterator[str]:
    """Return a, b, ..., z, aa, ab, ..."""
    return map("".join, (each for length in count(1) for each in product(ascii_lowercase, repeat=length)))
