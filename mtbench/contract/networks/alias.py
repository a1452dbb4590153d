"""Second names for compositions of a network and a balancer."""

from typing import ClassVar

__all__ = ["Alias"]


class Alias:
    """A second name for a composition, e.g. ``moo`` for ``branches+mgda-ub``; its docstring describes it.

    Attributes:
        stands_for: the composition.
        is_title: True if tables and folders show the composition under this name.
        paper: the paper that proposes it.
        title: its name in tables for papers, e.g. ``Nash-MTL``; empty for the name on the command line. A plain text,
            which is read without importing anything, or a constant of the module; not inherited.
        bibtex: the BibTeX entries of the papers to cite for it, read likewise; empty for none.
    """

    stands_for: ClassVar[str]
    is_title: ClassVar[bool] = True
    paper: ClassVar[str] = ""
    title: ClassVar[str] = ""
    bibtex: ClassVar[str] = ""
