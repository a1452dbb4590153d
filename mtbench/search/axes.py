"""Axes of a search: settings of the training protocol and options of a method, by name, each with its space."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from mtbench.contract import Choices, Range, Simplex, TrainingProtocol
from mtbench.contract.options import FILE, identity_name, parse_value, render_value
from mtbench.contract.options.space import Space, parse_space, render_space
from mtbench.contract.protocol.optimizers import OPTIMIZERS, SETTINGS
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.chosen import MethodChoice
from mtbench.plan.suite.parts import DECLARED, OPTIONS

__all__ = ["Axis", "Coordinate", "axes_of", "default_axes", "describe", "known_axes", "unknown"]

EQUAL = ("adds", "curve", "diagnostics", "epochs", "fraction", "images", "name", "seeds", "select", "validation")
"""Settings of a training protocol that cannot be searched: every trial has the same budget, data and measurement."""
BOUNDS = ("choices", "low", "high")
"""Entries of an option that restrict its values."""


@dataclass(frozen=True, kw_only=True)
class Coordinate:
    """One of the numbers or choices that a sampler proposes.

    Attributes:
        space: a `Range`, or `Choices`.
        whole: True for whole numbers only.
    """

    name: str
    space: Range | Choices
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One setting or option that is searched.

    Attributes:
        name: name as after ``--space``: the option's, or ``plugin.option`` if the bare name is another's.
        part: ``protocol``, ``network`` or ``balancer``.
        option: the name of the field there.
        kind: the type of its values.
        default: the default value; empty weights mean equal ones.
        space: the space of its values.
        tasks: the names of the dataset's tasks, for weights.
        bounds: the arguments of `parse_value`: ``choices``, ``low``, ``high``.
    """

    name: str
    part: str
    option: str
    kind: Any
    default: Any
    space: Space | None
    tasks: tuple[str, ...]
    bounds: Mapping[str, Any]

    def coordinates(self) -> list[Coordinate]:
        """Return the coordinates that a sampler proposes: a number or choice, or T - 1 log ratios for T weights."""
        if isinstance(self.space, Simplex):
            bound = self.space.bound
            return [
                Coordinate(name=f"{self.name}.{task}", space=Range(low=-bound, high=bound)) for task in self.tasks[:-1]
            ]
        assert self.space is not None
        return [Coordinate(name=self.name, space=self.space, whole=self.kind is int)]

    def text(self, point: Mapping[str, float | str]) -> str:
        """Return the value, as on the command line, from a value for each coordinate; numbers to six digits."""
        values = [point[coordinate.name] for coordinate in self.coordinates()]
        if isinstance(self.space, Simplex):
            return render_value(tuple(round(weight, 6) for weight in Simplex.weights([float(x) for x in values])))
        if isinstance(self.space, Choices):
            return str(values[0])
        return str(int(values[0])) if self.kind is int else render_value(float(f"{float(values[0]):.6g}"))

    def default_text(self) -> str:
        """Return the default, as on the command line."""
        if isinstance(self.space, Simplex) and not self.default:
            return self.text({coordinate.name: 0.0 for coordinate in self.coordinates()})
        return render_value(self.default)

    def default_point(self) -> dict[str, float | str] | None:
        """Return the default as a value for each coordinate; None if it lies outside the space."""
        names = [coordinate.name for coordinate in self.coordinates()]
        if isinstance(self.space, Choices):
            text = self.default_text()
            return {names[0]: text} if text in self.space.values else None
        if isinstance(self.space, Simplex):
            if self.default and min(self.default) <= 0:
                return None
            values = Simplex.log_ratios(self.default) if self.default else (0.0,) * len(names)
            return dict(zip(names, values, strict=True)) if max(map(abs, values)) <= self.space.bound else None
        assert isinstance(self.space, Range)
        return {names[0]: self.default} if self.space.low <= self.default <= self.space.high else None

    def parse(self, text: str) -> "Axis | None":
        """Return this axis with the given space, or None if it is to be left out.

        Raises:
            UsageError: the text is no space, or one that does not fit.
        """
        if text in ("", "none"):
            return None
        try:
            return dataclasses.replace(self, space=self._read(text))
        except ValueError as cause:
            raise UsageError(f"--space {self.name} is '{text}': {cause}.") from cause

    def _read(self, text: str) -> Space:
        subject, is_number = f"--space {self.name}", self.kind in (int, float)
        if self.kind == FILE:
            raise UsageError(
                f"{subject} is '{text}', and an option that is a file is not searched.",
                mend="Give the file with the method, and search each method on its own.",
            )
        word, _, ratio = text.partition(":")
        if word == "simplex" and self.kind == tuple[float, ...]:
            return Simplex() if not ratio else Simplex(ratio=parse_value(ratio, float, subject=subject))
        if ".." in text and is_number:
            low, _, rest = text.partition("..")
            high, _, log = rest.partition(":")
            if log not in ("", "log"):
                raise UsageError(f"{subject} is '{text}'.", allowed="A range is low..high, or low..high:log.")
            ends = [parse_value(end, self.kind, subject=subject, **self.bounds) for end in (low, high)]
            return Range(low=ends[0], high=ends[1], log=bool(log))
        if self.kind not in (bool, int, float, str) or ".." in text or word == "simplex":
            raise UsageError(f"{subject} is '{text}'.", allowed=self._allowed())
        if text == "choices":
            every = self.bounds["choices"] or (("false", "true") if self.kind is bool else ())
            if not every:
                raise UsageError(f"{subject} is 'choices', and any value is allowed there.", allowed=self._allowed())
            return Choices(values=every)
        values = [parse_value(part, self.kind, subject=subject, **self.bounds) for part in text.split("/")]
        return Choices(values=tuple(map(render_value, values)))

    def _allowed(self) -> str:
        if self.kind == tuple[float, ...]:
            return "Weights of the tasks are searched as simplex, or as simplex:RATIO."
        ranges = "low..high, low..high:log, or " if self.kind in (int, float) else ""
        return f"Allowed: {ranges}values with slashes, such as a/b/c; none leaves it unchanged."


def known_axes(method: MethodChoice, protocol: TrainingProtocol, tasks: Sequence[str]) -> dict[str, Axis]:
    """Return every axis that can be searched, by name; an axis that declares no space has none.

    The training protocol's optimizer defines the spaces of its settings; settings that it does not use cannot be
    searched. A bare name is the training protocol's, else the network's, else the balancer's; ``plugin.option`` names
    any of the latter.
    """
    found: dict[str, Axis] = {}
    parts = (
        ("protocol", "protocol", protocol),
        ("network", method.network_choice.name, method.network_options),
        ("balancer", method.balancer_choice.name, method.balancer_options),
    )
    optimizer = OPTIMIZERS[protocol.optimizer]
    left_out = {*EQUAL, *SETTINGS} - set(optimizer.uses)
    for part, owner, options in parts:
        hints = get_type_hints(type(options))
        for field in dataclasses.fields(options):
            is_protocols = part == "protocol"
            if is_protocols and field.name in left_out:
                continue
            name = field.name if field.name not in found else f"{owner}.{field.name}"
            found[name] = Axis(
                name=name,
                part=part,
                option=identity_name(field),
                kind=hints[field.name],
                default=getattr(options, field.name),
                space=parse_space(optimizer.search.get(field.name)) if is_protocols else field.metadata.get("search"),
                tasks=tuple(tasks),
                bounds={key: field.metadata.get(key, () if key == "choices" else None) for key in BOUNDS},
            )
    return found


def default_axes(method: MethodChoice, protocol: TrainingProtocol, tasks: Sequence[str]) -> list[Axis]:
    """Return the axes that are searched by default.

    These are the weights of the tasks alone, if the method takes any: the search is then for a trade-off, at one
    learning rate. Otherwise they are all axes that the training protocol and the method's options declare, except
    options that were given with the method.
    """
    declared = _declared(method, known_axes(method, protocol, tasks))
    return [axis for axis in declared if isinstance(axis.space, Simplex)] or declared


def axes_of(
    method: MethodChoice, protocol: TrainingProtocol, tasks: Sequence[str], space: Mapping[str, str]
) -> tuple[list[Axis], set[str]]:
    """Return the axes that are searched with these spaces, by name, and the names that the method knows.

    If any name has values, only the named axes are searched; if names are only left out, the default ones without them.
    The name `OPTIONS` stands for all options of the method that declare a space and are not named themselves.

    Raises:
        UsageError: a text is no space.
    """
    known, axes, used, left_out = known_axes(method, protocol, tasks), list[Axis](), set[str](), set[str]()
    for name, text in space.items():
        if name == OPTIONS:
            _check_options(text)
            used.add(name)
            continue
        axis = _find(known, name, method)
        if axis is None:
            continue
        used.add(name)
        parsed = axis.parse(text)
        if parsed is None:
            left_out.add(axis.name)
        elif parsed.coordinates():
            axes.append(_canonical(parsed, protocol))
    if space.get(OPTIONS) == DECLARED:
        named = {*left_out, *(axis.name for axis in axes)}
        options = [axis for axis in _declared(method, known) if axis.part != "protocol" and axis.name not in named]
        return [*axes, *options], used
    if any(text not in ("", "none") for text in space.values()):
        return axes, used
    return [axis for axis in default_axes(method, protocol, tasks) if axis.name not in left_out], used


def unknown(name: str, known: Sequence[str]) -> UsageError:
    """Return the error for a name that none of the methods knows."""
    return UsageError(
        f"--space names '{name}', which is neither a setting of the training protocol that can be searched nor an "
        "option of a given method.",
        mend=did_you_mean(name, known),
        allowed=f"Searchable: {', '.join(known)}.",
    )


def describe(axes: Sequence[Axis]) -> dict[str, str]:
    """Return the spaces by name, as on the command line."""
    return {axis.name: render_space(axis.space) for axis in axes if axis.space is not None}


def _declared(method: MethodChoice, known: Mapping[str, Axis]) -> list[Axis]:
    """Return the axes that declare a space, except options that were given with the method."""
    given = {"protocol": {}, "network": method.network_choice.options, "balancer": method.balancer_choice.options}
    return [
        axis
        for axis in known.values()
        if axis.space is not None and axis.option not in given[axis.part] and axis.coordinates()
    ]


def _check_options(text: str) -> None:
    """Check the text of `OPTIONS`.

    Raises:
        UsageError: it is another than `DECLARED`.
    """
    if text != DECLARED:
        raise UsageError(
            f"--space {OPTIONS} is '{text}'.",
            mend="Leave it out, or name the options themselves.",
            allowed=f"Allowed: {DECLARED}, for all options of a method that declare a space.",
        )


def _canonical(axis: Axis, protocol: TrainingProtocol) -> Axis:
    """Return the axis with each value in its canonical text, if the training protocol accepts it.

    Raises:
        UsageError: the training protocol does not accept one of the values.
    """
    if axis.part != "protocol" or not isinstance(axis.space, Choices):
        return axis
    values = [getattr(protocol.changed(**{axis.name: value}), axis.name) for value in axis.space.values]
    return dataclasses.replace(axis, space=Choices(values=tuple(map(render_value, values))))


def _find(known: Mapping[str, Axis], name: str, method: MethodChoice) -> Axis | None:
    for full, axis in known.items():
        if name.replace("-", "_") in _spellings(full, axis, method):
            return axis
    return None


def _spellings(full: str, axis: Axis, method: MethodChoice) -> Iterator[str]:
    """Yield the ways to write an axis, with '_' for '-'."""
    owners = {
        "protocol": "protocol",
        "network": method.network_choice.name,
        "balancer": method.balancer_choice.name,
    }
    bare = [full, axis.option] if "." not in full else []
    owned = [f"{owners[axis.part]}.{name}" for name in bare or [axis.option]]
    yield from (name.replace("-", "_") for name in (full, *bare, *owned))
