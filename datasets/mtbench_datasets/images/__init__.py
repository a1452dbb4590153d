"""Folders of images: decoded once, at the size that is trained on, and read from a memory map ever after."""

from .cache import FolderCache
from .folder import ImageFolder
from .mapped import Mapped

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "FolderCache", "ImageFolder", "Mapped"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's images per channel, scaled to [0, 1]."""
