"""Values of options and settings: parsed from text, checked, and rendered as text that is parsed back."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias, get_args

from mtbench.contract.options.files import File, find_file
from mtbench.contract.options.limits import LIMITS, in_words, shown
from mtbench.errors import UsageError, did_you_mean

__all__ = ["FILE", "Value", "parse_value", "render_value"]

_Plain: TypeAlias = bool | int | float | str | tuple[float, ...] | tuple[str, ...]
Value: TypeAlias = _Plain | File | None
"""The value of an option: a bool, a number, a text, a tuple of numbers or of texts, a file, or None for no file."""

FILE = File | None
"""The type of a field that is a file; None, written ``none``, if there is none."""


def render_value(value: Value) -> str:
    """Return the text that `parse_value` reads back as `value`; for a file its hash."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, tuple):
        return "/".join(render_value(part) for part in value)
    return str(value)


def parse_value(
    given: str | Value,
    kind: Any,
    *,
    subject: str,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    paths: Mapping[str, str] | None = None,
) -> Any:
    """Parse one value and check that it is allowed.

    `kind` is its type: bool, int, float, str, a tuple of float or str, or `FILE`.

    `paths` are those of `parse_options`.

    Raises:
        UsageError: the value is not allowed; `subject` names the setting that it was given for.
    """
    if kind == FILE:
        return _read_file(given, subject, paths or {})
    if kind is int and high is None:
        high = LIMITS["option"]
    value = _read(render_value(given) if given is None or isinstance(given, File) else given, kind, subject)
    parts = value if isinstance(value, tuple) else (value,)
    for part in parts:
        if choices and part not in choices:
            raise UsageError(
                f"{subject} is '{shown(render_value(value))}'.",
                mend=did_you_mean(str(part), choices),
                allowed=f"Allowed: {', '.join(choices)}.",
            )
        if isinstance(part, str):
            continue
        if math.isinf(part):
            raise UsageError(f"{subject} is {shown(render_value(value))}.", allowed="Allowed: a finite number.")
        if part != part or (low is not None and part < low) or (high is not None and part > high):
            raise UsageError(f"{subject} is {shown(render_value(value))}.", allowed=f"Allowed: {in_words(low, high)}.")
    return value


def _read_file(given: str | Value, subject: str, paths: Mapping[str, str]) -> File | None:
    if given is None or given in ("", "none"):
        return None
    return given if isinstance(given, File) else find_file(str(given), subject=subject, paths=paths)


def _read(given: _Plain, kind: Any, subject: str) -> _Plain:
    members = get_args(kind)
    if members:
        parts = given.split("/") if isinstance(given, str) else given
        if not isinstance(parts, tuple | list):
            parts = (parts,)
        return tuple(_read(part, members[0], subject) for part in parts if part != "")  # type: ignore[return-value]
    if not isinstance(given, str):
        given = render_value(given)
    try:
        if kind is bool:
            return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}[given.lower()]
        return kind(given)  # type: ignore[no-any-return]
    except (ValueError, KeyError):
        words = {bool: "true or false", int: "a whole number", float: "a number"}
        raise UsageError(f"{subject} is '{shown(given)}'.", allowed=f"Allowed: {words[kind]}.") from None
