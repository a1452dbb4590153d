"""Marks behind numbers that are not as they should be, and their meanings."""

__all__ = ["MARKS", "marks_in_math"]

MARKS = {
    "†": ("\\dagger", "a run is stale"),
    "‡": ("\\ddagger", "runs of unlike numerics are averaged or compared"),
    "§": ("\\mathsection", "not above the constant prediction"),
    "¶": ("\\mathparagraph", "the epoch was chosen on the test split"),
    "‖": ("\\Vert", "not converged"),
    "#": ("\\#", "runs are lacking"),
}
"""Marks: their signs in LaTeX's math, and their meanings."""


def marks_in_math(marks: str) -> str:
    """Return the marks of a number as LaTeX prints them in a formula."""
    return "".join(MARKS[mark][0] for mark in marks)
