"""What a plug-in author reads: the few things that a method, a balancer, a backbone or a dataset is made of."""

from mtbench.contract.backbone import NECK, Backbone, Stage, StageShape
from mtbench.contract.balancer import (
    Balancer,
    Combined,
    GradientBalancer,
    LossWeighting,
    RepresentationBalancer,
    Scalarization,
)
from mtbench.contract.dataset import Batch, Dataset, Inputs, Split
from mtbench.contract.kinds import Classification, Depth, Normals, Regression, Segmentation
from mtbench.contract.network import (
    Alias,
    AllTasksNetwork,
    Losses,
    Network,
    OneTaskNetwork,
    Setup,
    SharedRepresentation,
)
from mtbench.contract.normalisation import BatchNorm, normalise
from mtbench.contract.options import NoOptions, Value, option
from mtbench.contract.protocol import Protocol
from mtbench.contract.randomness import derive, seeded, stream
from mtbench.contract.space import Choices, Range, Simplex
from mtbench.contract.task import Kind, Layout, Metric, Tally, Task

__all__ = [
    "NECK",
    "Alias",
    "AllTasksNetwork",
    "Backbone",
    "Balancer",
    "Batch",
    "BatchNorm",
    "Choices",
    "Classification",
    "Combined",
    "Dataset",
    "Depth",
    "GradientBalancer",
    "Inputs",
    "Kind",
    "Layout",
    "LossWeighting",
    "Losses",
    "Metric",
    "Network",
    "NoOptions",
    "Normals",
    "OneTaskNetwork",
    "Protocol",
    "Range",
    "Regression",
    "RepresentationBalancer",
    "Scalarization",
    "Segmentation",
    "Setup",
    "SharedRepresentation",
    "Simplex",
    "Split",
    "Stage",
    "StageShape",
    "Tally",
    "Task",
    "Value",
    "derive",
    "normalise",
    "option",
    "seeded",
    "stream",
]
