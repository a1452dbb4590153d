"""Options of methods, balancers, backbones and datasets: frozen data classes that can be read from a command line.

    @dataclass(frozen=True, kw_only=True)
    class Options:
        gate: str = option("sigmoid", "nonlinearity of a gated lateral", choices=("sigmoid", "tanh"))

A field is a bool, an int, a float, a str, a tuple of floats or strs (written with slashes: ``weights=.3/.7``), or a
file (`File | None`, whose default is None; see `mtbench.contract.files`).
Only values that differ from a default are stored, so that a new option leaves the identity of old runs unchanged.
"""

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args, get_type_hints

from mtbench.contract.files import File, find_file
from mtbench.contract.limits import LIMITS, in_words, shown
from mtbench.contract.space import Choices, Range, Simplex, Space, parse_space
from mtbench.errors import UsageError, did_you_mean

__all__ = [
    "FILE",
    "NoOptions",
    "Value",
    "current_names",
    "differences",
    "identity_name",
    "option",
    "parse_options",
    "parse_value",
    "render_value",
]

_Plain: TypeAlias = bool | int | float | str | tuple[float, ...] | tuple[str, ...]
Value: TypeAlias = _Plain | File | None

FILE = File | None
"""The type of a field that is a file; None, written ``none``, if there is none."""


@dataclass(frozen=True, kw_only=True)
class NoOptions:
    """The options of a plug-in without options."""


def option(
    default: Value,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    search: Any = None,
    formerly: str = "",
) -> Any:
    """Return a field of an options class.

    Args:
        default: the value of the option unless given.
        help: a short description of its effect, for ``mtbench info``.
        choices: the only values allowed, if given.
        low: the smallest value allowed, if given.
        high: the largest value allowed; a whole number without one has that of `mtbench.contract.limits`.
        search: the space that ``mtbench search`` tries by default, in the plain values that `mtbench.contract.space`
            lists; None: the option keeps its value.
        formerly: the name of the option before it was renamed, which is still accepted. The identity of a run keeps
            that name, so that a run made before the renaming is the same run.

    Raises:
        ValueError: the space to be searched is invalid, or does not fit the option.
    """
    space = _declared(default, choices, low, high, search)
    metadata = {"help": help, "choices": choices, "low": low, "high": high, "search": space, "formerly": formerly}
    return dataclasses.field(default=default, metadata=metadata)


def parse_options(
    cls: type[Any],
    given: Mapping[str, str | Value],
    *,
    owner: str,
    others: Collection[str] = (),
    paths: Mapping[str, str] | None = None,
) -> Any:
    """Return an instance of the options class from texts or values.

    Args:
        given: the given texts or values, by option name.
        owner: the owner of the options, for the error, e.g. ``method 'td'``.
        others: names of options that the owner has elsewhere, for the error.
        paths: paths of the files that are given by their hash, by hash.

    Raises:
        UsageError: there is no such option, or the value does not fit it.
    """
    hints = get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    renamed = current_names(cls)
    values: dict[str, Value] = {}
    for given_name, value in given.items():
        name = renamed.get(given_name, given_name)
        if name in values:
            raise UsageError(f"{owner} is given option '{name}' twice, once by its former name '{given_name}'.")
        if name not in fields:
            known = [*fields, *sorted(others)]
            raise UsageError(
                f"{owner} has no option '{name}'.",
                mend=did_you_mean(name, known),
                allowed=f"Its options: {', '.join(known)}." if known else "It has no options.",
            )
        field = fields[name]
        values[name] = parse_value(
            value,
            hints[name],
            subject=f"option '{name}' of {owner}",
            choices=field.metadata.get("choices", ()),
            low=field.metadata.get("low"),
            high=field.metadata.get("high"),
            paths=paths,
        )
    return cls(**values)


def current_names(cls: type[Any]) -> dict[str, str]:
    """Return the current name of each renamed field of a data class, by its former name."""
    fields = dataclasses.fields(cls)
    return {field.metadata["formerly"]: field.name for field in fields if field.metadata.get("formerly")}


def identity_name(field: "dataclasses.Field[Any]") -> str:
    """Return the name of a field in the identity of a run: its first name."""
    return field.metadata.get("formerly") or field.name


def differences(options: Any) -> dict[str, Value]:
    """Return the options that differ from their defaults, by `identity_name`, sorted."""
    fields = sorted(dataclasses.fields(options), key=identity_name)
    return {identity_name(f): getattr(options, f.name) for f in fields if getattr(options, f.name) != f.default}


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
            raise UsageError(
                f"{subject} is {shown(render_value(value))}.", allowed=f"Allowed: {in_words(low, high)}."
            )
    return value


def _declared(
    default: Value, choices: tuple[str, ...], low: float | None, high: float | None, search: Any
) -> Space | None:
    """Return the space that an option declares, completed: ``choices`` becomes the allowed values."""
    space = parse_space(search)
    if default is None and space is not None:
        raise ValueError(f"search={search!r} does not fit an option that is a file")
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    if isinstance(space, Range):
        outside = (low is not None and space.low < low) or (high is not None and space.high > high)
        if not is_number or outside:
            raise ValueError(f"search={search!r} does not fit an option whose default is {default!r}")
    elif isinstance(space, Simplex) != isinstance(default, tuple) and space is not None:
        raise ValueError(f"search={search!r} does not fit an option whose default is {default!r}")
    elif isinstance(space, Choices):
        every = choices or (("false", "true") if isinstance(default, bool) else ())
        if not (space.values or every):
            raise ValueError("search='choices' does not say what, for an option without choices")
        bounds: dict[str, Any] = {"choices": choices, "low": low, "high": high}
        values = [parse_value(v, type(default), subject="search", **bounds) for v in space.values or every]
        space = Choices(values=tuple(map(render_value, values)))
    return space


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
