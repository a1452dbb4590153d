"""CelebA: attributes of faces, to be predicted from an image, or by which images are retrieved."""

from .dataset import Celeba
from .mini import FacesMini, FacesMiniLabels
from .retrieval import Celeba7, Celeba20, Celeba40

__all__ = ["Celeba", "Celeba7", "Celeba20", "Celeba40", "FacesMini", "FacesMiniLabels"]
