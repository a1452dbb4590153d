"""The golden values: losses, test results and final weights of short trainings, which hold the arithmetic as it is.

The one rule: `NUMERICS` is raised if and only if a golden value moves by more than 1e-6 relative on one machine;
elsewhere golden values hold to 1e-4. `update` is that rule, and ``golden.json`` says which machine its values are from.

After a change that moves values on purpose, raise `NUMERICS` in ``mtbench/store/identity/fingerprint.py``. After a new
network, balancer or case, leave it. Then this command writes ``golden.json``, or says why the rule forbids it::

    PYTHONPATH=.:tests/plugins python tests/train/golden.py
"""

import dataclasses
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from mtbench import registry
from mtbench.contract import Alias, Balancer, Network
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import default_balancer, parse_dataset
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.fingerprint import NUMERICS
from mtbench.train.machine.device import deterministic
from mtbench.train.machine.numerics import numerics
from mtbench.train.trained import Trained
from tests.train.runs import CPU, run

__all__ = [
    "CASES",
    "FILE",
    "Case",
    "Golden",
    "Machine",
    "Refused",
    "flat",
    "is_metric",
    "moved",
    "of_mtbench",
    "read",
    "render",
    "shipped",
    "this_machine",
    "update",
    "values",
]

FILE = Path(__file__).with_name("golden.json")
SAME, ELSEWHERE = 1e-6, 1e-4
"""Relative tolerances on the machine that the values are from, and on any other."""

WORLDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "lenet": ("toy-all", {}),
    "resnet18:width=.125": ("toy-three", {"optimizer": "sgd", "lr": ".0005", "batch": "48"}),
}
"""Backbones that every network and balancer is trained on, with the dataset and the settings of each: two tasks with
every label, and three tasks with a fifth of the labels undefined. Adam divides small gradients by their size; behind
batch normalization it turns their rounding into steps as long as any, so that values would hold on one machine alone.
"""
CANCELING = ("branches+gradvac", "branches+pcgrad")
"""Methods whose gradients nearly cancel in some weights of LeNet: Adam makes long steps of rounding as well, so that
losses differed by 7e-4 between AVX-512 and AVX2."""
SETTINGS = {"epochs": "3", "batch": "16", "images": "48"}
"""Nine steps. Three epochs, because DWA gives every task the same weight in the first two."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A training that has golden values.

    Attributes:
        settings: the settings of the training protocol that differ from `SETTINGS`.
    """

    dataset: str
    method: str
    backbone: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the name of the case, e.g. ``toy-all/td@lenet,optimizer=sgd``."""
        settings = "".join(f",{name}={value}" for name, value in self.settings.items())
        return f"{self.dataset}/{self.method}@{self.backbone}{settings}"

    def spec(self) -> RunSpec:
        """Return the run to train."""
        method, settings = f"{self.method}@{self.backbone}", {**SETTINGS, **self.settings}
        return plan(Request(methods=[method], datasets=[self.dataset], settings=settings, seeds=[0]))[0]


def shipped(dataset: str) -> list[str]:
    """Return every network that ships and is for the tasks, with its default balancer, and `branches` with every
    balancer that ships.

    An alias is listed as the pair that it stands for, and a default balancer is not named.

    Args:
        dataset: a dataset whose tasks networks are for, and for whose tasks a balancer without usable defaults gives
            example options.
    """
    tasks = parse_dataset(dataset).open(Path()).tasks
    defaults: dict[str, str] = {}
    found = []
    for name in of_mtbench("method"):
        plugin = registry.load("method", name)
        if issubclass(plugin, Alias):
            found.append(plugin.stands_for)
        else:
            assert issubclass(plugin, Network)
            if plugin.kinds and not all(isinstance(task.kind, plugin.kinds) for task in tasks):
                continue
            defaults[name] = default_balancer(plugin)
            found.append(f"{name}+{defaults[name]}")
    for name in of_mtbench("balancer"):
        balancer = registry.load("balancer", name)
        assert issubclass(balancer, Balancer)
        example = balancer.conformance.example(tasks)
        found.append(":".join([f"branches+{name}", *(f"{option}={value}" for option, value in example.items())]))
    networks = {f"{name}+{balancer}": name for name, balancer in defaults.items()}
    return sorted({networks.get(method, method) for method in found})


def of_mtbench(kind: str) -> list[str]:
    """Return the names of the plug-ins of a kind that ship with mtbench."""
    return [name for name, entry in registry.entries(kind).items() if entry.distribution == "mtbench"]


def _cases() -> Iterator[Case]:
    for backbone, (dataset, settings) in WORLDS.items():
        for method in shipped(dataset):
            own = {"optimizer": "sgd"} if method in CANCELING else {}
            yield Case(dataset=dataset, method=method, backbone=backbone, settings={**own, **settings})
    # Options that change what is computed.
    for method in (
        "branches+cagrad:c=.9",
        "branches+mgda:normalise=loss+",
        "chmod:stages=all",
        "chmod:relu-mask=true",
        "chmod:variant=projection",
        "cross-stitch:units=layer",
        "superposition:context=complex",
        "td:bu1-loss=.5",
        "td:image=false:gate=tanh:upsample=nearest",
        "td:spatial=false",
        "td:td=mul:bu2=mul:channels=4",
    ):
        yield Case(dataset="toy-all", method=method, backbone="lenet")
    # Unequal losses: only there does the mean of the gradients conflict with one of them.
    for balancer in ("uniform", "dualproj", "gradvac", "pcgrad", "upgrad"):
        yield Case(dataset="toy-three:scale=1/5/1", method=f"branches+{balancer}", backbone="lenet")
    # Networks with balancers that are not their own.
    for method in ("chmod+famo", "mtan+dwa", "mtan+mgda", "single+uncertainty", "td+pcgrad"):
        yield Case(dataset="toy-three", method=method, backbone="lenet")
    # Settings of the training protocol. DWA needs more epochs to differ from uniform weights by more than rounding.
    for method, settings in (
        ("branches", {"epochs": "6"}),
        ("branches+dwa", {"epochs": "6"}),
        ("branches", {"tasks-per-image": "one"}),
        ("td", {"tasks-per-image": "all"}),
        ("td", {"optimizer": "sgd"}),
        ("mtan", {"optimizer": "sgd", "clip": "1"}),
        ("branches+mgda", {"gradient-scale": "matched"}),
        ("branches+pcgrad", {"gradient-scale": "sum"}),
        ("chmod", {"schedule": "exponential"}),
        ("chmod", {"adds": "own"}),
        ("branches", {"adds": "all"}),
        ("single", {"clip": ".1"}),
        ("progressive", {"clip": ".1"}),
        ("branches", {"clip": "shared:.1"}),
    ):
        yield Case(dataset="toy-all", method=method, backbone="lenet", settings=settings)
    # Batches of few labels, from which some task is often absent: what is its own stays.
    for method in ("branches+uncertainty", "chmod", "film", "td", "tensormod"):
        yield Case(dataset="toy-partial", method=method, backbone="lenet", settings={"batch": "3"})
    # A task that is rare, and other kinds of tasks.
    for dataset, backbone in (
        ("toy-partial", "lenet"),
        ("toy-numbers", "lenet"),
        ("toy-triplets", "lenet"),
        ("toy-maps", "toy-conv"),
        ("toy-surfaces", "toy-conv"),
    ):
        for method in ("branches", "td", "mtan"):
            yield Case(dataset=dataset, method=method, backbone=backbone)
    # Embeddings, with a head on the backbone's z and, of the size that z has, without.
    for method in ("fsn", "ib:size=5", "csn", "csn:masks=prepared", "only-mask"):
        yield Case(dataset="toy-retrieval", method=method, backbone="lenet")
    for method in ("branches", "single", "fsn", "csn:masks=learned", "chmod:first=4", "only-mask:first=4", "td"):
        backbone = "retrieval:width=.125:embedding=8:decay=.9"
        # With faster steps a relative change of 1e-7 in a weight grew to 60 % of a loss: no value held elsewhere.
        # In batches of 16, normalized, it grew to .2 %.
        slow = {"optimizer": "sgd", "lr": "1e-5", "batch": "48"}
        yield Case(dataset="toy-retrieval", method=method, backbone=backbone, settings=slow)
    # Other backbones.
    for backbone in ("vgg11:width=.125", "lenet-dropout"):
        for method in ("branches+mgda-ub", "chmod", "td"):
            yield Case(dataset="toy-all", method=method, backbone=backbone)
    yield Case(dataset="toy-all", method="branches", backbone="mlp")


CASES = {str(case): case for case in _cases()}
"""Everything that has golden values, by name."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Everything that "one machine" means: where it is equal, a training gives the same values.

    Attributes:
        capability: the instruction sets of torch and of oneDNN.
        processor: its name with family, model, stepping and cache, since virtual machines hide the name of the model.
    """

    torch: str
    capability: str
    processor: str
    threads: int


@dataclass(frozen=True, kw_only=True)
class Golden:
    """The content of ``golden.json``.

    Attributes:
        numerics: the `NUMERICS` that the values were computed under.
        cases: the values of each case, as `values` returns them.
    """

    numerics: int
    machine: Machine
    cases: Mapping[str, Any]

    def tolerance(self, machine: Machine) -> float:
        """Return the relative tolerance of the values on a machine."""
        return SAME if machine == self.machine else ELSEWHERE

    def moved(self, cases: Mapping[str, Any], machine: Machine) -> dict[str, float]:
        """Return the values that moved by more than the tolerance, as `moved` does.

        On another machine metrics are left out: most count images, and one image of 48 is 2 %.
        """
        far = moved(self.cases, cases, self.tolerance(machine))
        if machine != self.machine:
            far = {name: distance for name, distance in far.items() if not is_metric(name)}
        return far


class Refused(Exception):
    """The golden values and `NUMERICS` do not go together; the text says what to do."""


def update(kept: Golden, made: Golden) -> Golden:
    """Return the golden values to write, given those in the file and those computed now.

    On the machine of the file, values that did not move keep the digits of the file, so that they cannot drift.

    Raises:
        Refused: a value moved by more than the tolerance and `NUMERICS` was not raised, or the reverse.
    """
    far = kept.moved(made.cases, made.machine)
    tolerance = f"{kept.tolerance(made.machine):g} relative"
    if made.numerics < kept.numerics:
        raise Refused(f"NUMERICS is {made.numerics} and was {kept.numerics}: it is never lowered.")
    if made.numerics == kept.numerics and far:
        first, *others = far
        raise Refused(
            f"{first} and {len(others)} other values moved by more than {tolerance}. If that is intended, raise "
            f"NUMERICS to {kept.numerics + 1}."
        )
    if made.numerics > kept.numerics and not far:
        raise Refused(f"NUMERICS was raised, and no value moved by more than {tolerance}. Set it to {kept.numerics}.")
    if made.numerics > kept.numerics or made.machine != kept.machine:
        return made
    cases = {name: _settled(kept.cases.get(name), value) for name, value in made.cases.items()}
    return dataclasses.replace(made, cases=cases)


def _settled(kept: Any, made: Any) -> Any:
    same_names = kept is not None and flat(kept).keys() == flat(made).keys()
    return kept if same_names else made


def moved(kept: Any, made: Any, tolerance: float) -> dict[str, float]:
    """Return the values that differ by more than a relative tolerance, with their relative differences, by name.

    A value that is on one side only did not move; one that is undefined (None) on one side only moved infinitely.
    """
    old, new = flat(kept), flat(made)
    distances = {name: _distance(old[name], new[name]) for name in old if name in new}
    return {name: distance for name, distance in distances.items() if distance > tolerance}


def is_metric(name: str) -> bool:
    """Return True for the joined keys of a metric, and False for those of a loss or of a sum over weights."""
    return " test " in f" {name} " and not name.endswith(" loss")


def _distance(kept: float | None, made: float | None) -> float:
    if kept == made:
        return 0.0
    if kept is None or made is None:
        return math.inf
    return abs(kept - made) / max(abs(kept), abs(made))


def flat(node: Any, name: str = "") -> dict[str, float | None]:
    """Return the numbers in nested dictionaries and lists by their joined keys, e.g. ``losses of upper 2``."""
    if isinstance(node, Mapping):
        inner = node.items()
    elif isinstance(node, list):
        inner = dict(enumerate(node, start=1)).items()
    else:
        return {name: node}
    return {key: value for part, child in inner for key, value in flat(child, f"{name} {part}".strip()).items()}


def values(trained: Trained) -> dict[str, Any]:
    """Return the values of a training that are golden; undefined ones, such as the loss of an absent task, are None.

    ``train``: the training losses of each task at the points of the curve. ``test``: the loss and the metrics of each
    task at the end. ``weights``: the sum of the magnitudes and the norm of all weights and buffers in float64.
    """
    tasks = [task.name for task in trained.tasks]
    weights = torch.cat([value.double().flatten() for value in trained.model.values()])
    test = trained.results["test"]
    return {
        "train": {task: [_defined(point.train_losses[task]) for point in trained.curve] for task in tasks},
        "test": {
            task: {
                "loss": _defined(test[task].loss),
                **{name: _defined(value) for name, value in test[task].metrics.items()},
            }
            for task in tasks
        },
        "weights": {"magnitudes": float(weights.abs().sum()), "norm": float(weights.norm())},
    }


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value


def this_machine() -> Machine:
    """Return what this process computes with, once set up as every training sets it up."""
    deterministic(CPU, "float32")
    here = numerics(CPU)
    return Machine(
        torch=here.libraries["torch"],
        capability=f"{here.torch_instructions}, {here.onednn_instructions}",
        processor=_processor(here.processor),
        threads=here.threads,
    )


def _processor(name: str) -> str:
    """Return the name of a processor with everything that Linux tells of its make."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return name
    pairs = [line.partition(":") for line in reversed(lines)]  # the first processor's are the last to be put in
    told = {key.strip(): value.strip() for key, _, value in pairs}
    parts = (f"{key} {told[key]}" for key in ("cpu family", "model", "stepping", "cache size") if key in told)
    return ", ".join([name, *parts])


def read() -> Golden:
    """Return the content of ``golden.json``."""
    content = json.loads(FILE.read_text())
    return Golden(numerics=content["numerics"], machine=Machine(**content["machine"]), cases=content["cases"])


def render(golden: Golden) -> str:
    """Return the text of ``golden.json``: three lines for each case, so that a diff shows what moved."""
    cases = [
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"   {json.dumps(part)}: {json.dumps(value, allow_nan=False)}" for part, value in case.items())
        + "\n  }"
        for name, case in golden.cases.items()
    ]
    machine = json.dumps(dataclasses.asdict(golden.machine))
    inner = ",\n".join(cases)
    return f'{{\n "numerics": {golden.numerics},\n "machine": {machine},\n "cases": {{\n{inner}\n }}\n}}\n'


def main() -> None:
    """Compute every value and write ``golden.json``, if the rule allows it."""
    made = Golden(
        numerics=NUMERICS,
        machine=this_machine(),
        cases={name: values(run(case.spec())) for name, case in CASES.items()},
    )
    if FILE.exists():
        kept = read()
        try:
            made = update(kept, made)
        except Refused as refusal:
            sys.exit(f"golden.json is left as it was: {refusal}")
        old, new = flat(kept.cases), flat(made.cases)
        changed = sum(old[name] != new[name] for name in old if name in new)
        sys.stdout.write(f"{changed} values changed, {len(new.keys() - old)} added, {len(old.keys() - new)} removed\n")
    FILE.write_text(render(made))
    sys.stdout.write(f"{len(made.cases)} cases in {FILE}\n")


if __name__ == "__main__":
    main()
