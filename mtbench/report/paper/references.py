"""Display names of methods, and the entries to cite for them, as their plug-ins declare them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mtbench import registry
from mtbench.plan.bibtex import bibtex_entries
from mtbench.plan.spec import RunSpec
from mtbench.report.data.comparison import Comparison, MethodRuns

__all__ = ["References", "display_names", "references_of"]

_TITLE = re.compile(
    r"(?P<network>[a-z][a-z0-9-]*)(:(?P<options>([^+@]|\+(?![a-z]))*))?"
    r"(\+(?P<balancer>[a-z][a-z0-9-]*)(:(?P<setting>[^@]*))?)?(@(?P<backbone>.*))?"
)
"""A method as on the command line; a balancer stands behind a plus."""


@dataclass(frozen=True, kw_only=True)
class References:
    """The papers to cite for some methods.

    Attributes:
        keys: the keys to cite, by title of the method.
        entries: BibTeX entries by key, sorted.
        faults: errors in the references of plug-ins, which have none here.
    """

    keys: Mapping[str, tuple[str, ...]]
    entries: Mapping[str, str]
    faults: tuple[str, ...] = ()

    @property
    def bibtex(self) -> str:
        """The content of a file of these entries, with a comment on each fault."""
        comments = [f"% Left out: {fault}.\n".replace("@", "(at)") for fault in self.faults]
        return "\n".join([*comments, *(f"{entry}\n" for entry in self.entries.values())])


def display_names(comparison: Comparison) -> dict[str, str]:
    """Return the names of methods in tables of a paper, by title: those of their plug-ins, with options in brackets.

    A method of the reference network is called by its balancer. A title that is not of the form of the command line, as
    the label of a suite, stays; so do the names of two methods that would be called alike.
    """
    names = {method.title: _display(method.title) for method in comparison.methods}
    shown = list(names.values())
    return {title: name if shown.count(name) == 1 else comparison.labels[title] for title, name in names.items()}


def references_of(methods: Iterable[MethodRuns]) -> References:
    """Return the papers to cite for some methods: those of an alias, or of a network and of a balancer.

    Entries of two plug-ins that have one key and unlike texts are kept apart: the later one has the name of its plug-in
    behind its key.
    """
    keys: dict[str, tuple[str, ...]] = {}
    entries: dict[str, str] = {}
    faults: dict[str, None] = {}
    for method in methods:
        cited: dict[str, None] = {}
        for kind, name in _plugins(method):
            try:
                own_entries = bibtex_entries(registry.declared(kind, name, "bibtex"))
            except ValueError as cause:
                faults[f"the references of {name}, for {cause}"] = None
                continue
            for key, entry in own_entries:
                unlike = entries.get(key, entry) != entry
                own = f"{key}-{name}" if unlike else key
                entries[own] = entry.replace(key, own, 1) if unlike else entry
                cited[own] = None
        keys[method.title] = tuple(cited)
    return References(keys=keys, entries=dict(sorted(entries.items())), faults=tuple(faults))


def _display(title: str) -> str:
    found = _TITLE.fullmatch(title)
    if not found:
        return title
    network = _called("method", found["network"], found["options"])
    balancer = _called("balancer", found["balancer"], found["setting"]) if found["balancer"] else ""
    is_reference = not found["options"] and found["network"] in registry.with_role("method", registry.REFERENCE)
    both = balancer if balancer and is_reference else " + ".join(filter(None, (network, balancer)))
    return both + (f" @ {found['backbone']}" if found["backbone"] else "")


def _called(kind: str, name: str, options: str | None) -> str:
    shown = registry.declared(kind, name, "title") if name in registry.entries(kind) else ""
    return f"{shown or name} ({options.replace(':', ', ')})" if options else shown or name


def _plugins(method: MethodRuns) -> list[tuple[str, str]]:
    """Return the kinds and names of the installed plug-ins that a method consists of."""
    spec: RunSpec = method.runs[0].spec
    alias = spec.titles.method.partition("@")[0].partition(":")[0]
    parts = [("method", spec.network.name), ("balancer", spec.balancer.name)]
    if alias in registry.entries("method") and alias != spec.network.name:
        parts = [("method", alias)]
    return [(kind, name) for kind, name in parts if name in registry.entries(kind)]
