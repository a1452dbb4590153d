"""Resources that a claim holds equal, as far as they follow from the plan, and diagnostics that its quantity needs."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from mtbench.errors import MtbenchError, did_you_mean
from mtbench.plan.certificate.budgets import Pass, pass_of
from mtbench.plan.grid import Request, plan
from mtbench.plan.pairing import EXAMPLES
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite.claims.claim import AcrossClaim, AnyClaim, SettingsClaim
from mtbench.plan.suite.claims.held import are_equal
from mtbench.plan.suite.claims.quantity import QUANTITIES
from mtbench.plan.suite.names import listed_settings
from mtbench.plan.suite.planned import meant
from mtbench.plan.suite.settings import rendered
from mtbench.plan.suite.suite import Suite
from mtbench.plan.toml_lines import Fault, Lines

__all__ = ["Passes", "resource_misfits"]

Path: TypeAlias = tuple[str | int, ...]


class Passes:
    """The forward passes of the methods of a suite: each is counted once, which takes a tenth of a second."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Pass] = {}

    def of(self, spec: RunSpec) -> Pass:
        """Return the passes of a run."""
        parts = spec.dataset, spec.network, spec.balancer, spec.backbone, spec.protocol.tasks_per_image
        key = tuple(map(str, parts))
        if key not in self._known:
            self._known[key] = pass_of(spec)
        return self._known[key]


def resource_misfits(suite: Suite, claim: AnyClaim, path: Path, lines: Lines, passes: Passes) -> Iterator[Fault]:
    """Yield a fault for each resource that a claim holds equal and that its runs cannot have equal, and for a quantity
    that they do not measure.

    Nothing is said of runs on several datasets: their numbers of examples are known only from files.

    Args:
        path: the place of the claim in the file.
        passes: those that were counted for other claims of the suite.
    """
    yield from _quantity_misfits(claim, path, lines)
    if not (claim.equal or claim.quantity):
        return
    try:
        runs = _planned(suite, claim)
        yield from _undiagnosed(claim, runs, path, lines)
        if claim.equal and len({str(spec.dataset) for spec in runs.values()}) == 1:
            yield from _unequal(claim, runs, path, lines, passes)
    except MtbenchError:
        return  # reported where the grid names it


def _quantity_misfits(claim: AnyClaim, path: Path, lines: Lines) -> Iterator[Fault]:
    if not claim.quantity:
        return
    line = lines.find((*path, "quantity"))
    if claim.quantity not in QUANTITIES:
        mend = did_you_mean(claim.quantity, QUANTITIES)
        text = f"'quantity' is '{claim.quantity}', which is none. {mend} Allowed: {', '.join(QUANTITIES)}."
        yield Fault(line=line, text=text.replace("  ", " "))
    elif isinstance(claim, AcrossClaim):
        text = "'quantity' is of a run, and a claim across datasets is about the metric of a task. Leave it out."
        yield Fault(line=line, text=text)
    elif QUANTITIES[claim.quantity].is_of_contrast and isinstance(claim, SettingsClaim):
        text = f"'quantity' is '{claim.quantity}', which two methods have under the same settings. Write 'contrast'."
        yield Fault(line=line, text=text)
    elif not claim.is_plain:
        text = "'quantity' is of a run, and 'metric' or 'tasks' is of its tasks. Leave one of the two out."
        yield Fault(line=line, text=text)


def _planned(suite: Suite, claim: AnyClaim) -> dict[str, RunSpec]:
    """Return a run of each side of a claim, by its name; none before the grid has it."""
    found = {}
    for dataset, settings in claim.where:
        variation = dict(meant(suite, dataset, settings))
        for method in claim.methods:
            request = Request(
                methods=[method],
                datasets=[dataset],
                protocol=suite.base,
                settings={**rendered(suite.settings), **variation},
                seeds=[0],
            )
            several = isinstance(claim, SettingsClaim)
            name = f"'{method}'" + f" with {listed_settings(settings)}" * several
            found[name if not isinstance(claim, AcrossClaim) else f"{name} on '{dataset}'"] = plan(request)[0]
    return found


def _undiagnosed(claim: AnyClaim, runs: Mapping[str, RunSpec], path: Path, lines: Lines) -> Iterator[Fault]:
    needed = QUANTITIES[claim.quantity].diagnostics if claim.quantity in QUANTITIES else ""
    lacking = [name for name, spec in runs.items() if needed and needed not in spec.protocol.diagnostics]
    if lacking:
        yield Fault(
            line=lines.find((*path, "quantity")),
            text=f"'quantity' is '{claim.quantity}', which the runs of {lacking[0]} do not measure. "
            f"Write diagnostics = [\"{needed}\"] in [protocol], or in the 'set' of the [[grid]].",
        )


def _unequal(claim: AnyClaim, runs: Mapping[str, RunSpec], path: Path, lines: Lines, passes: Passes) -> Iterator[Fault]:
    (first, spec), *others = runs.items()
    for resource in dict.fromkeys(claim.equal):
        for other, their in others:
            if why := _differ(resource, (first, spec), (other, their), passes):
                text = f"'equal' has '{resource}', which {first} and {other} do not have equal: {why}. Leave it out."
                yield Fault(line=lines.find((*path, "equal"), resource), text=text)
                break


def _differ(resource: str, first: tuple[str, RunSpec], second: tuple[str, RunSpec], passes: Passes) -> str:
    """Return in a clause what makes a resource of two named runs on one dataset unequal; empty if nothing does."""
    (one, spec), (other, their) = first, second
    names = {"steps": ("epochs", "batch"), "label-uses": ("epochs",), "training-macs": ()}[resource]
    for name in (*names, *EXAMPLES, "adds"):
        if getattr(spec.protocol, name) != getattr(their.protocol, name):
            return f"'{name}' differs"
    if resource == "steps":
        return ""
    ours, its = passes.of(spec), passes.of(their)
    if resource == "label-uses":
        single, several = (one, other) if ours.draws_one else (other, one)
        said = f"{single} uses one label of each example, and {several} all (setting 'tasks_per_image')"
        return said if ours.draws_one != its.draws_one else ""
    counts = [spec.protocol.epochs * ours.per_example, their.protocol.epochs * its.per_example]
    said = f"{counts[0]:,} and {counts[1]:,} multiply-accumulates for each training example"
    return "" if are_equal(resource, counts) else said
