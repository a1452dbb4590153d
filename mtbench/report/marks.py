"""Marks behind numbers and names that are not as they should be, and their meanings."""

__all__ = ["CHOSEN", "CONSTANT", "GAINING", "GROWN", "LACKING", "MARKS", "STALE", "UNLIKE", "marks_in_math"]

STALE = "†"
"""Behind a method some of whose runs are stale."""
UNLIKE = "‡"
"""Behind a method, or a comparison, of runs of unlike numerics."""
CONSTANT = "§"
"""Behind a number that is not above that of the constant prediction."""
CHOSEN = "¶"
"""Behind a method whose epoch was chosen on the test split."""
GAINING = "‖"
"""Behind a method that still gained in the last tenth of training."""
GROWN = "△"
"""Behind a method, or a claim, some of whose seeds were added after a look at others, or beyond the declared number."""
LACKING = "#"
"""Behind a number of fewer runs than were planned, where the table has no column of their number."""

MARKS = {
    STALE: ("\\dagger", "a run is stale"),
    UNLIKE: ("\\ddagger", "runs of unlike numerics are averaged or compared"),
    CONSTANT: ("\\mathsection", "not above the constant prediction"),
    CHOSEN: ("\\mathparagraph", "the epoch was chosen on the test split"),
    GAINING: ("\\Vert", "not converged"),
    LACKING: ("\\#", "runs are lacking"),
    GROWN: ("\\triangle", "n grew after a look"),
}
"""Marks: their signs in LaTeX's math, and their meanings."""


def marks_in_math(shown: str) -> str:
    """Return the marks of a number as LaTeX prints them in a formula."""
    return "".join(MARKS[mark][0] for mark in shown)
