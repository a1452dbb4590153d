"""Options of methods, balancers, backbones and datasets: frozen data classes that can be read from a command line.

    @dataclass(frozen=True, kw_only=True)
    class Options:
        gate: str = option("sigmoid", "nonlinearity of a gated lateral", choices=("sigmoid", "tanh"))

A field is a bool, an int, a float, a str, a tuple of floats or strs (written with slashes: ``weights=.3/.7``), or a
file (`File | None`, whose default is None; see `mtbench.contract.options.files`).
Only values that differ from a default are stored, so that a new option leaves the identity of old runs unchanged.
"""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from mtbench.contract.options.space import Choices, Range, Simplex, Space, parse_space
from mtbench.contract.options.values import Value, parse_value, render_value
from mtbench.errors import UsageError, did_you_mean

__all__ = [
    *("NoOptions", "current_names", "differences", "identity_name", "option", "parse_options"),
    "weights_option",
]


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
        high: the largest value allowed; a whole number without one has that of `mtbench.contract.options.limits`.
        search: the space that ``mtbench search`` tries by default, in the plain values that
            `mtbench.contract.options.space` lists; None: the option keeps its value.
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


def weights_option(cls: type[Any]) -> str:
    """Return the name of the option that takes a weight for each task; empty if there is none."""
    fields = dataclasses.fields(cls)
    return next((field.name for field in fields if isinstance(field.metadata.get("search"), Simplex)), "")


def identity_name(field: "dataclasses.Field[Any]") -> str:
    """Return the name of a field in the identity of a run: its first name."""
    return field.metadata.get("formerly") or field.name


def differences(options: Any) -> dict[str, Value]:
    """Return the options that differ from their defaults, by `identity_name`, sorted."""
    fields = sorted(dataclasses.fields(options), key=identity_name)
    return {identity_name(f): getattr(options, f.name) for f in fields if getattr(options, f.name) != f.default}


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
