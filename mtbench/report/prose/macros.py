r"""Arguments of the macros of ``numbers.tex``, as LaTeX reads them."""

import re

__all__ = ["arguments", "plain_name"]

_OPENING = re.compile(r"\s*\{")


def arguments(text: str, start: int, count: int) -> tuple[list[str], int]:
    r"""Return the arguments in braces that begin at a place of a text, at most `count`, and the place behind them.

    Spaces and ends of lines may stand between arguments. A brace behind a backslash is a letter.

    Example:
        >>> arguments(r"\mtb{mmnist3} {td\{2\}}.", 4, 3)
        (['mmnist3', 'td\\{2\\}'], 23)
    """
    found = list[str]()
    while len(found) < count and (opening := _OPENING.match(text, start)):
        depth, place = 1, opening.end()
        while place < len(text) and depth:
            letter = text[place]
            depth += (letter == "{") - (letter == "}")
            place += 1 + (letter == "\\")
        if depth:
            break
        found.append(text[opening.end() : place - 1])
        start = place
    return found, start


def plain_name(argument: str) -> str:
    r"""Return the name that an argument is: without the backslashes before characters, in one line.

    Example:
        >>> plain_name(r"a\_b  50\%")
        'a_b 50%'
    """
    return " ".join(re.sub(r"\\(.)", r"\1", argument, flags=re.DOTALL).split())
