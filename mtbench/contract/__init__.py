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
from mtbench.contract.files import File
from mtbench.contract.network import (
    Alias,
    AllTasksNetwork,
    Losses,
    Network,
    OneTaskNetwork,
    Setup,
    SharedRepresentation,
)
from mtbench.contract.normalization import BatchNorm, normalize
from mtbench.contract.options import NoOptions, Value, option
from mtbench.contract.protocol import TrainingProtocol
from mtbench.contract.randomness import derive, seeded, stream
from mtbench.contract.space import Choices, Range, Simplex
from mtbench.contract.task import Classification, Kind, Metric, Task

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
    "File",
    "GradientBalancer",
    "Inputs",
    "Kind",
    "LossWeighting",
    "Losses",
    "Metric",
    "Network",
    "NoOptions",
    "OneTaskNetwork",
    "Range",
    "RepresentationBalancer",
    "Scalarization",
    "Setup",
    "SharedRepresentation",
    "Simplex",
    "Split",
    "Stage",
    "StageShape",
    "Task",
    "TrainingProtocol",
    "Value",
    "derive",
    "normalize",
    "option",
    "seeded",
    "stream",
]
