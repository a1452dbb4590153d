"""The conventions of a dataset, and whether their constants fit the runs."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mtbench.contract import PeerConvention, SingleTaskValues
from mtbench.errors import MtbenchError
from mtbench.report.data.comparison import Comparison

if TYPE_CHECKING:
    from mtbench.plan.chosen import DatasetChoice

__all__ = ["conventions_of", "misfit"]


def conventions_of(comparison: Comparison) -> Mapping[str, PeerConvention]:
    """Return the conventions of a comparison's dataset by name; none where it is not installed."""
    try:
        return _dataset(comparison).dataset_class.conventions
    except MtbenchError:
        return {}


def misfit(comparison: Comparison, constants: SingleTaskValues) -> str:
    """Return why constants say nothing of the runs of a comparison, in a clause; empty if they fit.

    They fit runs of the same tasks with as many classes, of images of the same size, on the same backbone.
    """
    opened = _dataset(comparison)
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


def _dataset(comparison: Comparison) -> "DatasetChoice":
    """Return the dataset of a comparison, and nothing of its methods, which may no longer be installed."""
    from mtbench.plan.chosen import load_dataset  # which imports torch

    spec = comparison.methods[0].runs[0].spec
    return load_dataset(spec.dataset, spec.files)


def _tasks(outputs: Mapping[str, int]) -> str:
    return ", ".join(f"{task} ({size} output{'s' * (size != 1)})" for task, size in outputs.items())


def _size(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))
