"""The contract for plug-ins: the classes that a method, a balancer, a backbone or a dataset is made of."""

from importlib import import_module
from typing import TYPE_CHECKING

from mtbench.contract.convention import Batches, PeerConvention, SingleTaskValues
from mtbench.contract.files import File
from mtbench.contract.metric import Metric
from mtbench.contract.options import NoOptions, Value, option
from mtbench.contract.plain import is_plain, plain_form
from mtbench.contract.protocol import TrainingProtocol
from mtbench.contract.space import Choices, Range, Simplex

if TYPE_CHECKING:
    from mtbench.contract.augmentation import Augmentation, Flip, ScaleCrop, Shift
    from mtbench.contract.backbone import NECK, Backbone, Stage, StageShape
    from mtbench.contract.balancer import (
        Balancer,
        Combined,
        GradientBalancer,
        LossWeighting,
        RepresentationBalancer,
        Scalarization,
    )
    from mtbench.contract.conformance import Conformance
    from mtbench.contract.dataset import Dataset
    from mtbench.contract.kinds import Classification, Depth, Normals, Regression, Retrieval, Segmentation
    from mtbench.contract.losses import Losses
    from mtbench.contract.motion import Motion
    from mtbench.contract.network import Alias, AllTasksNetwork, Network, OneTaskNetwork, SharedRepresentation
    from mtbench.contract.normalization import BatchNorm, normalize
    from mtbench.contract.randomness import derive, reseed, seeded, stream
    from mtbench.contract.setup import Setup
    from mtbench.contract.split import Batch, Inputs, Split
    from mtbench.contract.task import Kind, Layout, Tally, Task

__all__ = [
    "NECK",
    "Alias",
    "AllTasksNetwork",
    "Augmentation",
    "Backbone",
    "Balancer",
    "Batch",
    "BatchNorm",
    "Batches",
    "Choices",
    "Classification",
    "Combined",
    "Conformance",
    "Dataset",
    "Depth",
    "File",
    "Flip",
    "GradientBalancer",
    "Inputs",
    "Kind",
    "Layout",
    "LossWeighting",
    "Losses",
    "Metric",
    "Motion",
    "Network",
    "NoOptions",
    "Normals",
    "OneTaskNetwork",
    "PeerConvention",
    "Range",
    "Regression",
    "RepresentationBalancer",
    "Retrieval",
    "Scalarization",
    "ScaleCrop",
    "Segmentation",
    "Setup",
    "SharedRepresentation",
    "Shift",
    "Simplex",
    "SingleTaskValues",
    "Split",
    "Stage",
    "StageShape",
    "Tally",
    "Task",
    "TrainingProtocol",
    "Value",
    "derive",
    "is_plain",
    "normalize",
    "option",
    "plain_form",
    "reseed",
    "seeded",
    "stream",
]

_ON_DEMAND = (
    "augmentation",
    "backbone",
    "balancer",
    "conformance",
    "dataset",
    "kinds",
    "losses",
    "motion",
    "network",
    "normalization",
    "randomness",
    "setup",
    "split",
    "task",
)
"""Modules of this package that import torch. That takes seconds, which a report of finished runs does not need."""


def __getattr__(name: str) -> object:
    """Import all modules of `_ON_DEMAND` when a name of one of them is first requested."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    for module in map(import_module, (f"{__name__}.{each}" for each in _ON_DEMAND)):
        globals().update((public, getattr(module, public)) for public in module.__all__ if public in __all__)
    found: object = globals()[name]
    return found
