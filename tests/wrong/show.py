"""Messages of `mtbench check` on plug-ins that are wrong in one way each.

``PYTHONPATH=.:tests/plugins python -m tests.wrong.show`` prints them, and writes them again.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from textwrap import indent

from mtbench.conformance.dataset import opened_checks
from mtbench.conformance.method import method_checks
from mtbench.conformance.subject import made
from mtbench.contract import Balancer, Dataset, Kind, Network
from mtbench_methods.networks.branches import Branches
from mtbench_toys.datasets import ToyOptions
from tests.conformance.candidates import candidate
from tests.wrong import balancers, datasets, networks

__all__ = ["MESSAGES", "messages"]

MESSAGES = Path(__file__).parent / "messages.txt"
NETWORKS: Mapping[type[Network], str] = {
    networks.PlainLinear: "initial weights",
    networks.OwnRandomness: "initial weights",
    networks.AtImport: "initial weights",
    networks.OwnNoise: "resumed",
    networks.ModuleNoise: "same seed",
    networks.Narrow: "",
    networks.Shorter: "",
    networks.OneTask: "",
    networks.OneAuxiliary: "",
    networks.LongPenalty: "",
    networks.Undeclared: "grow",
    networks.Channels: "map",
    networks.Counting: "",
    networks.Widens: "added",
    networks.Restarts: "added",
    networks.Fails: "",
}
"""Words in the name of the check that finds each network; empty for the first check, on which all others rest."""
BALANCERS: Mapping[type[Balancer], str] = {
    balancers.OneFactor: "",
    balancers.PresentAlone: "",
    balancers.NoSum: "",
    balancers.Competes: "absent task",
    balancers.Forgetful: "resumed",
    balancers.MeansAlone: "auxiliary",
    balancers.Idle: "every parameter",
    balancers.OneTable: "step without",
    balancers.Logarithm: "negative",
    balancers.Twice: "buffers",
    balancers.Transposed: "",
    balancers.OwnColumn: "",
    balancers.AllWeights: "",
    balancers.Nothing: "",
}
KINDS: tuple[Kind, ...] = (
    datasets.Broadcasts(),
    datasets.HiddenBroadcast(),
    datasets.Reduced(),
    datasets.Summed(),
    datasets.Misspelt(),
    datasets.MeanOfMeans(),
    datasets.OwnOrder(),
)
DATASETS: Mapping[type[Dataset], str] = {
    datasets.FromOne: "valid",
    datasets.Narrow: "valid",
    datasets.FewClasses: "valid",
    datasets.Unseeded: "same examples",
    datasets.OnePerTask: "splits are",
    datasets.Beyond: "splits are",
}


def messages() -> str:
    """Return the plug-ins, a paragraph each: what is wrong, the check that finds it and what it says."""
    return "\n\n".join(_paragraphs()) + "\n"


def _paragraphs() -> Iterator[str]:
    for network, words in NETWORKS.items():
        yield _paragraph("network", network, method_checks(candidate(network)), words)
    for balancer, words in BALANCERS.items():
        yield _paragraph("balancer", balancer, method_checks(candidate(Branches, balancer)), words)
    for kind in KINDS:
        yield _paragraph("kind", type(kind), opened_checks(partial(datasets.of_kind, kind)), "kinds")
    for dataset, words in DATASETS.items():
        yield _paragraph("dataset", dataset, opened_checks(partial(dataset, ToyOptions(), Path())), words)


def _paragraph(what: str, plugin: type, checks: Mapping[str, Callable[[], None]], words: str) -> str:
    only = [words or next(iter(checks))]
    found = "\n".join(f"not so: {result.check}\n{result.fault}" for result in made(checks, only) if result.fault)
    return f"{what} {plugin.__name__}: {inspect.getdoc(plugin)}\n{indent(found or 'nothing is found', '    ')}"


if __name__ == "__main__":
    text = messages()
    MESSAGES.write_text(text)
    print(text)  # noqa: T201
