"""Plug-ins by name: from entry points to classes.

Listing names and summaries imports no plug-in; only the plug-ins that a command names are loaded. Standard library
only.
"""

from mtbench.registry.attributes import OWN, REFERENCE, SCOPES, SINGLE_TASK, exhibits, lacking, summary, with_role
from mtbench.registry.installed import GROUPS, NAME, PluginEntry, entries
from mtbench.registry.named import declared, elsewhere, find, load, reference, role
from mtbench.registry.source import module_path

__all__ = [
    "GROUPS",
    "NAME",
    "OWN",
    "REFERENCE",
    "SCOPES",
    "SINGLE_TASK",
    "PluginEntry",
    "declared",
    "elsewhere",
    "entries",
    "exhibits",
    "find",
    "lacking",
    "load",
    "module_path",
    "reference",
    "role",
    "summary",
    "with_role",
]
