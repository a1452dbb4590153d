"""The contract for plug-ins: the classes that a method, a balancer, a backbone or a dataset is made of."""

from importlib import import_module
from typing import TYPE_CHECKING

from mtbench.contract.data.convention import Batches, PeerConvention, SingleTaskValues
from mtbench.contract.networks.plain import is_plain, plain_form
from mtbench.contract.options import NoOptions, Value, option
from mtbench.contract.options.files import File
from mtbench.contract.options.space import Choices, Range, Simplex
from mtbench.contract.protocol import TrainingProtocol
from mtbench.contract.tasks.metric import Metric

if TYPE_CHECKING:
    from mtbench.contract.balancers.balancer import Balancer
    from mtbench.contract.balancers.gradient import Combined, GradientBalancer
    from mtbench.contract.balancers.losses import Losses
    from mtbench.contract.balancers.representation import RepresentationBalancer
    from mtbench.contract.balancers.scalarization import LossWeighting, Scalarization
    from mtbench.contract.conformance import Conformance
    from mtbench.contract.data.augmentation import Augmentation, Flip, ScaleCrop, Shift
    from mtbench.contract.data.batch import Batch, Inputs
    from mtbench.contract.data.dataset import Dataset
    from mtbench.contract.data.motion import Motion
    from mtbench.contract.data.split import Split
    from mtbench.contract.networks.alias import Alias
    from mtbench.contract.networks.all_tasks import AllTasksNetwork, SharedRepresentation
    from mtbench.contract.networks.backbone import NECK, Backbone, Stage, StageShape
    from mtbench.contract.networks.network import Network
    from mtbench.contract.networks.normalization import BatchNorm, normalize
    from mtbench.contract.networks.one_task import OneTaskNetwork
    from mtbench.contract.networks.setup import Setup
    from mtbench.contract.randomness import derive, reseed, seeded, stream
    from mtbench.contract.tasks.kinds import Classification, Depth, Normals, Regression, Retrieval, Segmentation
    from mtbench.contract.tasks.task import Kind, Layout, Tally, Task

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
    "balancers.balancer",
    "balancers.gradient",
    "balancers.losses",
    "balancers.representation",
    "balancers.scalarization",
    "conformance",
    "data.augmentation",
    "data.batch",
    "data.dataset",
    "data.motion",
    "data.split",
    "networks.alias",
    "networks.all_tasks",
    "networks.backbone",
    "networks.network",
    "networks.normalization",
    "networks.one_task",
    "networks.setup",
    "randomness",
    "tasks.kinds",
    "tasks.task",
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
