"""A report for a browser: methods with names of markup, and the scores of their seeds."""

__all__ = ["SCORES", "WAIT", "WRONG"]

WRONG = ("<img src=x onerror=alert(1)>", "a_b & 50%")
WAIT = 10_000  # milliseconds
SCORES = {
    "td": [(90.0, 80.0), (91.0, 81.5), (90.5, 80.25), (91.25, 82.0)],
    "moo": [(88.0, 79.5), (88.5, 80.5), (87.75, 80.0), (89.0, 81.25)],
    WRONG[0]: [(70.0, 85.0), (71.0, 84.0), (72.5, 85.5), (70.25, 84.75)],
    WRONG[1]: [(60.0, 50.0), (61.0, 52.0), (62.0, 51.0), (60.5, 53.0)],
}
