"""Plug-ins by name: from entry points to classes.

The built-ins use the same entry points as third-party packages. Listing names and summaries imports no plug-in; only
the plug-ins that a command names are loaded. Standard library only.
"""

import ast
import importlib
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from types import MappingProxyType

from mtbench.errors import PluginError, UsageError, did_you_mean

__all__ = [
    *("GROUPS", "NAME", "REFERENCE", "SCOPES", "SINGLE_TASK", "PluginEntry", "declared", "elsewhere", "entries"),
    *("exhibits", "find", "lacking", "load", "module_path", "reference", "role", "summary", "with_role"),
]

GROUPS = {
    "method": "mtbench.methods",
    "balancer": "mtbench.balancers",
    "dataset": "mtbench.datasets",
    "backbone": "mtbench.backbones",
    "exhibit": "mtbench.exhibits",
    "engine": "mtbench.engines",
    "tracker": "mtbench.trackers",
}
NAME = re.compile(r"[a-z][a-z0-9-]*")
"""The form of every plug-in's name."""
REFERENCE = "reference"
"""The role of the one network, and of the one balancer, that others are combined with and compared to."""
SINGLE_TASK = "single-task baseline"
"""The role of networks that train each task as it would be trained alone."""
ROLES = {"method": (REFERENCE, SINGLE_TASK), "balancer": (REFERENCE,)}
"""The roles that plug-ins of a kind may declare."""
SCOPES = ("report", "suite", "request")
"""The reports that an exhibit may be shown in: all, those of suites, and those of suites that ask for it by name."""
SUITES = Path(__file__).parent / "suites"
"""Folder of the suites that come with mtbench."""
OWN = "mtbench"
"""The distribution whose plug-ins come first."""


@dataclass(frozen=True, kw_only=True, order=True)
class PluginEntry:
    """A name that a distribution offers: ``td = mtbench_methods.networks.td.network:TopDown`` of mtbench 0.1.0."""

    kind: str
    name: str
    value: str
    distribution: str
    version: str

    @property
    def module(self) -> str:
        return self.value.partition(":")[0]

    @property
    def attribute(self) -> str:
        return self.value.partition(":")[2]

    @property
    def origin(self) -> str:
        return f"{self.distribution} {self.version}"


@cache
def entries(kind: str) -> dict[str, PluginEntry]:
    """Return every installed plug-in of a kind, one of `GROUPS`, by name, sorted.

    Raises:
        PluginError: two distributions offer one name, or a name is not of the form [a-z][a-z0-9-]*.
    """
    found: dict[str, PluginEntry] = {}
    for point in sorted(set(entry_points(group=GROUPS[kind])), key=lambda p: (p.name, p.value)):
        assert point.dist is not None  # entry points found by metadata always have one
        distribution, version = _name_and_version(point.dist)
        entry = PluginEntry(kind=kind, name=point.name, value=point.value, distribution=distribution, version=version)
        if not NAME.fullmatch(entry.name):
            raise PluginError(
                f"{entry.origin} registers the {kind} name '{entry.name}'.",
                mend="Rename it in that package's entry points.",
                allowed="A name is lower-case letters, digits and '-', beginning with a letter.",
            )
        other = found.get(entry.name)
        if other is not None and (other.value, other.distribution) != (entry.value, entry.distribution):
            raise PluginError(
                f"two distributions offer the {kind} '{entry.name}': {other.origin} ({other.value}) "
                f"and {entry.origin} ({entry.value}).",
                mend="Uninstall one of them.",
            )
        found[entry.name] = entry
    return found


@cache
def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    # Each of them parses the whole metadata, of which the README is a part, so this is done once per distribution.
    metadata = distribution.metadata
    return metadata["Name"], metadata["Version"]


def find(kind: str, name: str) -> PluginEntry:
    """Return the plug-in of that name.

    Raises:
        UsageError: there is no plug-in of that name; the text suggests the nearest name and lists the installed ones.
    """
    known = entries(kind)
    if name not in known:
        other = elsewhere(name, instead_of=kind)
        raise UsageError(
            f"there is no {kind} '{name}'." if other else f"{kind} '{name}' is not installed.",
            mend=other or did_you_mean(name, known),
            allowed=f"Installed: {_installed(known)}.",
        )
    return known[name]


def elsewhere(name: str, *, instead_of: str) -> str:
    """Return a sentence on the option that takes a name, if the name is of another kind; else an empty text.

    Args:
        name: the name that was given.
        instead_of: the kind that it was taken for: one of `GROUPS`, or ``suite``.
    """
    options = {
        "method": f"--methods {name}",
        "balancer": "--methods NETWORK+" + name,
        "dataset": f"--dataset {name}",
        "backbone": f"--backbone {name}",
    }
    for kind, option in options.items():
        if kind != instead_of and name in entries(kind):
            return f"'{name}' is a {kind}: {option.replace('NETWORK', _example_network())}."
    if instead_of != "suite" and NAME.fullmatch(name) and (SUITES / f"{name}.toml").is_file():
        return f"'{name}' is a suite: --suite {name}."
    return ""


def _example_network() -> str:
    """Return a network that every balancer can be combined with."""
    names = with_role("method", REFERENCE)
    return names[0] if names else "NETWORK"


def load(kind: str, name: str) -> type:
    """Import the plug-in of that name and return its class.

    Raises:
        UsageError: nothing of that name is installed.
        PluginError: it cannot be imported; the text names the distribution and the cause.
    """
    entry = find(kind, name)
    try:
        plugin = getattr(importlib.import_module(entry.module), entry.attribute)
    except (Exception, SystemExit) as cause:  # a module may be a script that ends itself
        raise PluginError(
            f"{kind} '{name}' of {entry.origin} cannot be loaded: {type(cause).__name__}: {cause}.",
            mend="`mtbench doctor` lists broken plug-ins; reinstalling the package often helps.",
            where=f"Entry point: {entry.value}.",
        ) from cause
    if not isinstance(plugin, type):
        raise PluginError(f"{kind} '{name}' of {entry.origin} is not a class.", where=f"Entry point: {entry.value}.")
    return plugin


def module_path(module: str) -> Path | None:
    """Return the source file of a module, found without importing it or any package above it."""
    root, *inner = module.split(".")
    spec = importlib.util.find_spec(root)
    if spec is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin else None
    for folder in spec.submodule_search_locations or ():
        stem = Path(folder, *inner)
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None


def summary(entry: PluginEntry) -> str:
    """Return the first line of the plug-in's docstring, read from its source without importing it."""
    path = module_path(entry.module)
    if path is None:
        return "(broken: its source is not found; `mtbench doctor` shows details)"
    try:
        lines = _lineage(path, entry.attribute)
    except (OSError, SyntaxError, ValueError) as cause:
        return f"(broken: {type(cause).__name__}; `mtbench doctor` shows details)"
    return (ast.get_docstring(lines[0]) or "").partition("\n")[0] if lines else ""


def lacking(entry: PluginEntry) -> str:
    """Return the missing optional dependency of a plug-in in pip's notation; empty if it has all dependencies.

    It is read, without importing the plug-in, from two class attributes in its source: `extra`, e.g. ``mine[solver]``,
    is missing if any of `extra_modules` is not found. Both are plain literals of the class, or of a base class in the
    same file. For a module such as ``a.b`` only the package a is searched, since a search for b would import a.
    """
    path = module_path(entry.module)
    if path is None:
        return ""
    try:
        lineage = _lineage(path, entry.attribute)
    except (OSError, SyntaxError, ValueError):
        return ""
    extra, modules = _literal(lineage, "extra"), _literal(lineage, "extra_modules")
    if not isinstance(extra, str) or not isinstance(modules, tuple | list):
        return ""
    there = all(importlib.util.find_spec(str(module).partition(".")[0]) for module in modules)
    return "" if there else extra


def role(kind: str, name: str) -> str:
    """Return the role that a plug-in declares, `REFERENCE` or `SINGLE_TASK`; empty for most.

    It is read, without importing the plug-in, from the class attribute `role` in its source, a plain text. A class does
    not inherit a role: a class that is derived from the reference is another method.

    Raises:
        UsageError: there is no plug-in of that name.
        PluginError: the role is unknown, or its kind does not have it.
    """
    entry = find(kind, name)
    declared, allowed = _declared_role(entry), ROLES.get(kind, ())
    if declared not in ("", *allowed):
        raise PluginError(
            f"{kind} '{name}' of {entry.origin} declares the role '{declared}'.",
            mend=did_you_mean(declared, allowed),
            allowed=f"Roles of a {kind}: {', '.join(allowed)}." if allowed else f"A {kind} has no role.",
        )
    return declared


def with_role(kind: str, role: str) -> list[str]:
    """Return the names of the installed plug-ins that declare a role, those of mtbench first, then sorted."""
    found = [entry for entry in entries(kind).values() if _declared_role(entry) == role]
    return [entry.name for entry in sorted(found, key=lambda entry: (entry.distribution != OWN, entry.name))]


def exhibits(scope: str) -> list[str]:
    """Return the names of the installed exhibits of a scope (see `SCOPES`), sorted.

    Read, without importing it, from the class attribute `scope` in the source, a plain text; by default ``report``.
    """
    return [name for name, entry in entries("exhibit").items() if _declared(entry, "scope", SCOPES[0]) == scope]


def reference(kind: str) -> str:
    """Return the name of the network ('method') or balancer that has the role `REFERENCE`.

    There must be exactly one: the id of a run that names no balancer depends on it. A package that declares the role
    beside mtbench would silently turn later runs into other runs.

    Raises:
        PluginError: several plug-ins declare that role, or none does.
    """
    names = with_role(kind, REFERENCE)
    if len(names) > 1:
        claims = " and ".join(f"'{name}' of {find(kind, name).origin}" for name in names)
        raise PluginError(
            f"{len(names)} plug-ins of kind {kind} declare the role '{REFERENCE}': {claims}.",
            mend=f"Take `role` out of '{names[-1]}', or uninstall its package.",
        )
    if not names:
        raise PluginError(f"no {kind} declares the role '{REFERENCE}'.", mend="Reinstall mtbench.")
    return names[0]


def declared(kind: str, name: str, attribute: str) -> str:
    """Return the plain text that a plug-in's class itself sets an attribute to, read from its source; else empty.

    The text stands in the class, or is a constant of the module that the class names.

    Raises:
        UsageError: there is no plug-in of that name.
    """
    return _declared(find(kind, name), attribute, "")


def _declared_role(entry: PluginEntry) -> str:
    return _declared(entry, "role", "")


@cache
def _declared(entry: PluginEntry, attribute: str, default: str) -> str:
    """Return the plain text that a class itself sets an attribute to; the default if there is none."""
    path = module_path(entry.module)
    declared = None if path is None else _own_literal(path, entry.attribute, attribute)
    return declared if isinstance(declared, str) else default


@cache
def _own_literal(path: Path, name: str, attribute: str) -> object:
    """Return the plain literal that a class itself assigns to an attribute; None if there is none or no source."""
    try:
        if attribute.encode() not in (source := path.read_bytes()):
            return None
        return _literal(_lineage(path, name)[:1], attribute, _constants(source))
    except (OSError, SyntaxError, ValueError):
        return None


def _lineage(path: Path, name: str) -> list[ast.ClassDef]:
    """Return the class of that name in a source file, followed by its base classes in the file, nearest first."""
    classes = {node.name: node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.ClassDef)}
    found = [classes[name]] if name in classes else []
    for node in found:
        bases = [classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
        found += [base for base in bases if base not in found]
    return found


def _constants(source: bytes) -> dict[str, ast.expr]:
    """Return the expressions that a module assigns to plain names, by name."""
    return {
        target.id: statement.value
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _literal(
    lineage: list[ast.ClassDef], attribute: str, constants: Mapping[str, ast.expr] = MappingProxyType({})
) -> object:
    """Return the plain literal that a class, or its nearest base class, assigns to that attribute; else None.

    Args:
        lineage: the class and its base classes, nearest first.
        attribute: the name of the attribute.
        constants: values of names that may stand in place of a literal.
    """
    for node in lineage:
        for statement in node.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            if any(isinstance(target, ast.Name) and target.id == attribute for target in targets):
                value = statement.value  # type: ignore[attr-defined]
                try:
                    return ast.literal_eval(constants.get(value.id, value) if isinstance(value, ast.Name) else value)
                except ValueError:
                    return None
    return None


def _installed(known: dict[str, PluginEntry]) -> str:
    return ", ".join(_by_origin(known))


def _by_origin(known: dict[str, PluginEntry]) -> Iterator[str]:
    """Yield the names of each distribution: ``a, b (mtbench 0.1.0)``, ``c (other 0.2)``."""
    origins: dict[str, list[str]] = {}
    for entry in known.values():
        origins.setdefault(entry.origin, []).append(entry.name)
    for origin, names in origins.items():
        yield f"{', '.join(names)} ({origin})"
