"""Files altered at random: bytes, values in JSON and values in TOML. Equal draws make equal files."""

import copy
import json
import random
import re
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from typing import Any

__all__ = ["mutate_bytes", "mutate_json", "mutate_text", "mutate_value"]

DEEP = 3_000
"""Levels of the deepest value: more than Python's parser of JSON takes."""
ODD_NUMBERS = (0, -1, 1, 2, 0.5, -0.0, 1e-300, 1e308, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 10**25, 10**400)
ODD_TEXTS = (
    *("", "..", "../x", "/", "a/b", "nan", "none", "true", "0", "x" * 5_000, "\x00", "\x1b[31m", "\u202e", "é\u0301"),
    *("🙂", "\ud800", "[bold]", "[/]", "%s", "{0}", "\\", "a\nb", "td", "uniform", "1e999", "-1", "constant", "λ"),
)


def mutate_bytes(data: bytes, draw: random.Random, other: bytes) -> tuple[str, bytes]:
    """Return a file with something wrong, and in a word what it is.

    Args:
        other: another file, to take its place.
    """
    size = max(len(data), 1)
    at, until = sorted((draw.randrange(size), draw.randrange(size)))
    until = min(until, at + 200)
    ways: dict[str, Callable[[], bytes]] = {
        "bit": lambda: data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :] if data else b"\x01",
        "byte": lambda: data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :],
        "truncation": lambda: data[:at],
        "head": lambda: data[at:],
        "duplication": lambda: data[:until] + data[at:],
        "deletion": lambda: data[:at] + data[until:],
        "insertion": lambda: data[:at] + draw.randbytes(draw.randrange(1, 40)) + data[at:],
        "twice": lambda: data + data,
        "zeros": lambda: data[:at] + bytes(until - at) + data[until:],
        "empty": lambda: b"",
        "garbage": lambda: draw.randbytes(draw.randrange(1, 400)),
        "swap": lambda: other,
    }
    how = draw.choice(list(ways))
    return how, ways[how]()


def mutate_json(text: str, draw: random.Random) -> tuple[str, str]:
    """Return a JSON text with another value or structure, and in a word what was done; it may not be JSON any more."""
    if draw.random() < 0.15:
        return _mutate_keys(text, draw)
    how, value = mutate_value(json.loads(text), draw)
    written = json.dumps(value, indent=draw.choice([None, 1]))
    if how == "deep":
        nested = "[" * DEEP + "]" * DEEP if draw.random() < 0.5 else '{"a":' * DEEP + "1" + "}" * DEEP
        written = written.replace('"deep"', nested)
    return how, written


def mutate_value(value: Any, draw: random.Random) -> tuple[str, Any]:
    """Return a value of lists, mappings and plain values in which one part is another, and in a word what was done.

    ``"deep"`` stands for a value of many levels.
    """
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return "other", draw.choice(ODD_NUMBERS)
    holder, key = draw.choice(places)
    old = holder[key]
    ways: dict[str, Callable[[], Any]] = {
        "number": lambda: draw.choice(ODD_NUMBERS),
        "infinity": lambda: draw.choice([float("inf"), float("-inf"), float("nan")]),
        "text": lambda: draw.choice(ODD_TEXTS),
        "type": lambda: draw.choice([None, True, False, [], {}, [1], {"a": 1}, "text", 3]),
        "list": lambda: [old],
        "near": lambda: _near(old, draw),
        "deep": lambda: "deep",
        "part": lambda: copy.deepcopy(_part(value, draw)),
    }
    how = draw.choice([*ways, "gone", "more", "near", "number"])
    if how == "gone":
        del holder[key]
    elif how == "more":
        new = copy.deepcopy(_part(value, draw))
        holder.insert(0, new) if isinstance(holder, list) else holder.update({draw.choice(ODD_TEXTS): new})
    else:
        holder[key] = ways[how]()
    return how, value


def mutate_text(text: str, draw: random.Random) -> tuple[str, str]:
    """Return a text like TOML in which a line is another, and in a word what was done."""
    lines = text.splitlines()
    at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    key, equals, _ = lines[at].partition("=")
    values = (
        *(
            "0",
            "-1",
            "1e400",
            "nan",
            "inf",
            "10" * 200,
            "9" * 5_000,
            "true",
            '""',
            '"x"',
            "[]",
            "{}",
            "[1, 2]",
            "1e-300",
        ),
        *("[" * DEEP + "]" * DEEP, "{a=" * 200 + "1" + "}" * 200, '"' + "x" * 5_000 + '"', "1979-05-27", '"\\u0000"'),
        *('"🙂"', "2147483648", "9223372036854775808", '["toy-all", 3]', '"../x"', '["toy-all", "toy-all"]', "[[1]]"),
        *('"td"', '["td", "td"]', '["all"]', '"mean"', '"welch"', '"nsga2"', "100000000", '{ epochs = "1e3" }', "0x"),
    )
    keys = ("title", "epochs", "seeds", "margin", "x", "set", "vary", "space", "n", "family", "figures", "labels", "lr")
    ways: dict[str, Callable[[], list[str]]] = {
        "value": lambda: [f"{key}={draw.choice(values)}" if equals else f"x = {draw.choice(values)}"],
        "key": lambda: [f"{draw.choice(keys)} ={lines[at].partition('=')[2]}" if equals else f"[{draw.choice(keys)}]"],
        "more": lambda: [lines[at], f"{draw.choice(keys)} = {draw.choice(values)}"],
        "gone": lambda: [],
        "twice": lambda: [lines[at], lines[at]],
        "swap": lambda: [lines[other]],
    }
    how = draw.choice([*ways, "value", "more"])
    return how, "\n".join([*lines[:at], *ways[how](), *lines[at + 1 :]]) + "\n"


def _mutate_keys(text: str, draw: random.Random) -> tuple[str, str]:
    """Write a key twice, with another value before or after, or a word in the place of a number."""
    found = list(re.finditer(r'"\w+": (?=[^\[{])[^,\n}\]]+', text))
    if not found:
        return "twice", text + text
    pair = draw.choice(found)
    name = pair[0].partition(":")[0]
    if draw.random() < 0.3:
        return "word", text[: pair.start()] + f"{name}: {draw.choice(['Infinity', 'NaN', '1e999', 'tru'])}" + text[
            pair.end() :
        ]
    other = f"{name}: {draw.choice(['0', '1e9', 'null', '[]'])}"
    both = f"{other}, {pair[0]}" if draw.random() < 0.5 else f"{pair[0]}, {other}"
    return "key twice", text[: pair.start()] + both + text[pair.end() :]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every holder and key of a value."""
    keys = list(value) if isinstance(value, MutableMapping) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], MutableMapping | MutableSequence):
            yield from _places(value[key])


def _part(value: Any, draw: random.Random) -> Any:
    holder, key = draw.choice(list(_places(value)))
    return holder[key]


def _near(old: Any, draw: random.Random) -> Any:
    """Return a value of the same type that is another."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int | float):
        return draw.choice([old + 1, old - 1, -old, old * 1.0001, old * 1_000])
    if isinstance(old, str):
        return draw.choice([old + "x", old[:-1], old.upper(), f" {old}", "0" + old[1:], old + old])
    if isinstance(old, list):
        return draw.choice([old[::-1], old + old, old[:-1]])
    if isinstance(old, dict):
        return dict(zip(old, [*list(old.values())[1:], *list(old.values())[:1]], strict=True))
    return 0
