"""The check of the conventions that a dataset declares."""

from mtbench.conformance.fault import Fault
from mtbench.contract import Dataset

__all__ = ["conventions_fit"]


def conventions_fit(dataset: Dataset) -> None:
    """Check that conventions name existing training protocols, tasks and metrics.

    Constants may be of other tasks than the dataset has with its options, but for a task that it has they contain the
    metrics of Δm.
    """
    kinds = {task.name: task.kind for task in dataset.tasks}
    known = {metric.name for kind in kinds.values() for metric in kind.metrics}
    for name, convention in dataset.conventions.items():
        for protocol in convention.protocols:
            if protocol not in dataset.protocols:
                raise Fault(f"its convention '{name}' belongs to training protocol '{protocol}', which it lacks.")
        for metric in convention.together:
            if metric not in known:
                raise Fault(f"its convention '{name}' names '{metric}' in `together`, which is a metric of no task.")
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
