"""The kinds of tasks that come with mtbench. All are exact over batches, and mask undefined targets."""

from mtbench.contract.kinds.classification import Classification
from mtbench.contract.kinds.depth import Depth
from mtbench.contract.kinds.normals import Normals
from mtbench.contract.kinds.regression import Regression
from mtbench.contract.kinds.retrieval import Retrieval
from mtbench.contract.kinds.segmentation import Segmentation

__all__ = ["Classification", "Depth", "Normals", "Regression", "Retrieval", "Segmentation"]
