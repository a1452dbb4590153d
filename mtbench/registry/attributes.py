"""Roles, scopes and summaries of plug-ins, read from their sources: no plug-in is imported."""

import importlib.util
from functools import cache

from mtbench.registry.installed import PluginEntry, entries
from mtbench.registry.source import docstring, inherited_literal, module_path, own_literal

__all__ = ["OWN", "REFERENCE", "SCOPES", "SINGLE_TASK", "declared_by", "exhibits", "lacking", "summary", "with_role"]

REFERENCE = "reference"
"""The role of the one network, and of the one balancer, that others are combined with and compared to."""
SINGLE_TASK = "single-task baseline"
"""The role of networks that train each task as it would be trained alone."""
SCOPES = ("report", "suite", "request")
"""The reports that an exhibit may be shown in: all, those of suites, and those of suites that ask for it by name."""
OWN = "mtbench"
"""The distribution whose plug-ins come first."""


def summary(entry: PluginEntry) -> str:
    """Return the first line of the plug-in's docstring, read from its source without importing it."""
    path = module_path(entry.module)
    if path is None:
        return "(broken: its source is not found; `mtbench doctor` shows details)"
    try:
        text = docstring(path, entry.attribute)
    except (OSError, SyntaxError, ValueError) as cause:
        return f"(broken: {type(cause).__name__}; `mtbench doctor` shows details)"
    return text.partition("\n")[0]


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
        extra, modules = (inherited_literal(path, entry.attribute, name) for name in ("extra", "extra_modules"))
    except (OSError, SyntaxError, ValueError):
        return ""
    if not isinstance(extra, str) or not isinstance(modules, tuple | list):
        return ""
    there = all(importlib.util.find_spec(str(module).partition(".")[0]) for module in modules)
    return "" if there else extra


def with_role(kind: str, role: str) -> list[str]:
    """Return the names of the installed plug-ins that declare a role, those of mtbench first, then sorted."""
    found = [entry for entry in entries(kind).values() if declared_by(entry, "role") == role]
    return [entry.name for entry in sorted(found, key=lambda entry: (entry.distribution != OWN, entry.name))]


def exhibits(scope: str) -> list[str]:
    """Return the names of the installed exhibits of a scope (see `SCOPES`), sorted.

    Read, without importing it, from the class attribute `scope` in the source, a plain text; by default ``report``.
    """
    return [name for name, entry in entries("exhibit").items() if declared_by(entry, "scope", SCOPES[0]) == scope]


@cache
def declared_by(entry: PluginEntry, attribute: str, default: str = "") -> str:
    """Return the plain text that a class itself sets an attribute to; the default if there is none."""
    path = module_path(entry.module)
    declared = None if path is None else own_literal(path, entry.attribute, attribute)
    return declared if isinstance(declared, str) else default
