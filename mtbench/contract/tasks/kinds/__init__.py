"""The kinds of tasks that come with mtbench. All are exact over batches, and mask undefined targets."""

from mtbench.contract.tasks.kinds.classification import Classification
from mtbench.contract.tasks.kinds.depth import Depth
from mtbench.contract.tasks.kinds.normals import Normals
from mtbench.contract.tasks.kinds.regression import Regression
from mtbench.contract.tasks.kinds.retrieval import Retrieval
from mtbench.contract.tasks.kinds.segmentation import Segmentation

__all__ = ["Classification", "Depth", "Normals", "Regression", "Retrieval", "Segmentation"]
