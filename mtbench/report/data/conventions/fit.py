"""The conventions of a dataset, and whether their constants fit the runs."""

from collections import Counter
from collections.abc import Mapping

from mtbench.contract import PeerConvention, SingleTaskValues
from mtbench.errors import MtbenchError
from mtbench.report.data.comparison import Comparison

__all__ = ["conventions_of", "misfit"]


def conventions_of(dataset: str) -> Mapping[str, PeerConvention]:
    """Return the conventions of a dataset by name; none where it is not installed."""
    from mtbench.plan.parse import parse_dataset  # which imports torch

    try:
        return parse_dataset(dataset).dataset_class.conventions
    except MtbenchError:
        return {}


def misfit(comparison: Comparison, constants: SingleTaskValues) -> str:
    """Return why constants say nothing of the runs of a comparison, in a clause; empty if they fit.

    They fit runs of the same tasks with as many classes, of images of the same size, on the same backbone.
    """
    from mtbench.plan.parse import parse_dataset

    opened = parse_dataset(comparison.dataset)
    outputs = {task.name: task.kind.output_size for task in opened.tasks()}
    if outputs != dict(constants.outputs):
        return f"they are of {_tasks(constants.outputs)}, and the runs are of {_tasks(outputs)}"
    size = opened.dataset_class.input_shape[-2:]
    if size != constants.size:
        return f"they are of images of {_size(constants.size)}, and the runs of {_size(size)}"
    backbones = Counter(str(method.runs[0].spec.backbone) for method in comparison.methods)
    if constants.backbone not in backbones:
        return f"they are of networks on {constants.backbone}, and the runs are on {', '.join(sorted(backbones))}"
    return ""


def _tasks(outputs: Mapping[str, int]) -> str:
    return ", ".join(f"{task} ({size} output{'s' * (size != 1)})" for task, size in outputs.items())


def _size(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
