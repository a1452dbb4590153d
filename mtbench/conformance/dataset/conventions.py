"""The check of the conventions that a dataset declares."""

from mtbench.conformance.fault import Fault
from mtbench.contract import Dataset

__all__ = ["conventions_fit"]


def conventions_fit(dataset: Dataset) -> None:
    """Check that conventions name protocols, and that those of constants name tasks and metrics, that there are.

    Constants may be of other tasks than the dataset has by its options, but of a task that it has they give the metrics
    that Δm is taken of.
    """
    kinds = {task.name: task.kind for task in dataset.tasks}
    known = {metric.name for kind in kinds.values() for metric in kind.metrics}
    for name, convention in dataset.conventions.items():
        for protocol in convention.protocols:
            if protocol not in dataset.protocols:
                raise Fault(f"its convention '{name}' goes with protocol '{protocol}', which it has not.")
        for metric in convention.together:
            if metric not in known:
                raise Fault(f"its convention '{name}' has '{metric}' `together`, which is a metric of no task.")
        values = convention.constants.values if convention.constants else {}
        for task in sorted(values.keys() & kinds.keys()):
            kind = kinds[task]
            wanted = [metric.name for metric in kind.metrics if metric.in_delta or metric is kind.metrics[0]]
            wanted = wanted[:1] if convention.average == "main" else wanted
            if list(values[task]) != wanted:
                raise Fault(
                    f"the constants of its convention '{name}' for task '{task}' are of {', '.join(values[task])}, and "
                    f"should be of {', '.join(wanted)}, in this order."
                )
