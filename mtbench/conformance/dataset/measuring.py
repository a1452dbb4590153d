"""Checks of a dataset with the network of reference."""

import math
from pathlib import Path

import torch

from mtbench import registry
from mtbench.conformance.dataset.least_loss import declares_signs
from mtbench.conformance.fault import Fault
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.evaluate import measure
from mtbench.train.machine.device import deterministic

__all__ = ["can_be_learned", "measures_as_declared"]


def measures_as_declared(name: str, root: Path) -> None:
    """Check that predictions have the declared dtype, and metrics the declared names and one value for any batches.

    A loss is negative only where that is declared.
    """
    run = _reference(name, root)
    declares_signs(run)
    split = run.splits["test"].first(64)
    found = measure(run.network, split, keep=True)
    for index, task in enumerate(run.tasks):
        kind, result, whose = task.kind, found.results[task.name], f"the kind of task '{task.name}'"
        declared = [metric.name for metric in kind.metrics]
        if list(result.metrics) != declared:
            raise Fault(f"{whose} declares the metrics {declared}, and returns {[*result.metrics]}.")
        if task.name in found.not_stored or not result.count:
            continue
        predictions, defined = found.predictions[task.name], split.defined[:, index]
        if predictions.dtype != kind.stored_as or len(predictions) != len(split):
            raise Fault(
                f"{whose} predicts {predictions.dtype} {tuple(predictions.shape)} for {len(split)} "
                f"examples, and declares {kind.stored_as}."
            )
        tally = kind.tally()
        for part in torch.split(defined.nonzero().squeeze(1), 23):
            tally.add(predictions[part], split.targets[index][part])
        for metric, value in tally.score().items():
            whole = result.metrics[metric]
            if not math.isclose(value, whole, rel_tol=1e-6, abs_tol=1e-9) and not math.isnan(value):
                raise Fault(
                    f"metric '{metric}' of task '{task.name}' is {whole:.6g} for examples in one batch and "
                    f"{value:.6g} for the same in several."
                )


def can_be_learned(name: str, root: Path) -> None:
    run = _reference(name, root)
    split = run.splits["train"]
    batch = split.batch(torch.arange(min(64, len(split))))
    optimizer, means = torch.optim.Adam(run.network.parameters(), lr=1e-3), []
    for _ in range(30):
        optimizer.zero_grad()
        means.append(float(run.balancer.backward(run.network, batch).totals.detach().sum()))
        optimizer.step()
    if not means[-1] < means[0]:
        raise Fault(f"in 30 steps on one batch the summed losses go from {means[0]:.4g} to {means[-1]:.4g}.")


def _reference(name: str, root: Path) -> Assembly:
    """Assemble the network of reference, on the backbone of the dataset."""
    deterministic(torch.device("cpu"), "float32")
    method = registry.reference("method")
    spec = plan(Request(methods=[method], datasets=[name], protocol="quick", settings={}, seeds=[0]))[0]
    return assemble(spec, root=root, device=torch.device("cpu"))
