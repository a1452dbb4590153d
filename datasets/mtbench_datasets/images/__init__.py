"""Folders of images: decoded once, at the size that is trained on, and read from a memory map ever after."""

from .folder import ImageFolder
from .mapped import Mapped

__all__ = ["ImageFolder", "Mapped"]
