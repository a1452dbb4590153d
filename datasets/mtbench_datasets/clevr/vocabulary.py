"""The words of CLEVR's scenes, in the order in which classes are counted (official code of Levi & Ullman 2021)."""

from collections.abc import Mapping
from typing import Final

__all__ = ["ATTRIBUTES", "COLOR", "MATERIAL", "SHAPE", "SIZE", "WORDS", "code"]

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "color": ("cyan", "blue", "yellow", "purple", "red", "green", "gray", "brown"),
    "material": ("rubber", "metal"),
    "shape": ("sphere", "cube", "cylinder"),
    "size": ("large", "small"),
}
"""The values of each attribute, in the order of their classes."""
ATTRIBUTES: Final = tuple(WORDS)
COLOR, MATERIAL, SHAPE, SIZE = range(4)
"""The columns of the attributes in `Scenes.attributes`."""


def code(word: str) -> tuple[int, int]:
    """Return the column of the attribute that a word is a value of, and the word's class: (0, 4) for ``red``."""
    for column, words in enumerate(WORDS.values()):
        if word in words:
            return column, words.index(word)
    raise KeyError(word)
