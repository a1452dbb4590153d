"""Second names for compositions of a network and a balancer."""

from typing import ClassVar

__all__ = ["Alias"]


class Alias:
    """A second name for a composition, e.g. ``moo`` for ``branches+mgda-ub``; its docstring describes it.

    Attributes:
        stands_for: the composition.
        is_title: True if tables and folders show the composition under this name.
        paper: the paper that proposes it.
    """

    stands_for: ClassVar[str]
    is_title: ClassVar[bool] = True
    paper: ClassVar[str] = ""
