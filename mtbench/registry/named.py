"""Plug-ins by name, and errors that say which names there are."""

import importlib
from collections.abc import Iterator
from pathlib import Path

from mtbench.errors import PluginError, UsageError, did_you_mean
from mtbench.registry.attributes import REFERENCE, SINGLE_TASK, declared_by, with_role
from mtbench.registry.installed import NAME, PluginEntry, entries

__all__ = ["declared", "elsewhere", "find", "load", "reference", "role"]

ROLES = {"method": (REFERENCE, SINGLE_TASK), "balancer": (REFERENCE,)}
"""The roles that plug-ins of a kind may declare."""
SUITES = Path(__file__).parents[1] / "suites"
"""Folder of the suites that come with mtbench."""


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


def role(kind: str, name: str) -> str:
    """Return the role that a plug-in declares, `REFERENCE` or `SINGLE_TASK`; empty for most.

    It is read, without importing the plug-in, from the class attribute `role` in its source, a plain text. A class does
    not inherit a role: a class that is derived from the reference is another method.

    Raises:
        UsageError: there is no plug-in of that name.
        PluginError: the role is unknown, or its kind does not have it.
    """
    entry = find(kind, name)
    declared, allowed = declared_by(entry, "role"), ROLES.get(kind, ())
    if declared not in ("", *allowed):
        raise PluginError(
            f"{kind} '{name}' of {entry.origin} declares the role '{declared}'.",
            mend=did_you_mean(declared, allowed),
            allowed=f"Roles of a {kind}: {', '.join(allowed)}." if allowed else f"A {kind} has no role.",
        )
    return declared


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
    return declared_by(find(kind, name), attribute)


def _installed(known: dict[str, PluginEntry]) -> str:
    return ", ".join(_by_origin(known))


def _by_origin(known: dict[str, PluginEntry]) -> Iterator[str]:
    """Yield the names of each distribution: ``a, b (mtbench 0.1.0)``, ``c (other 0.2)``."""
    origins: dict[str, list[str]] = {}
    for entry in known.values():
        origins.setdefault(entry.origin, []).append(entry.name)
    for origin, names in origins.items():
        yield f"{', '.join(names)} ({origin})"
