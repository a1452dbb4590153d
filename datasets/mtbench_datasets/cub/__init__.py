"""CUB-200-2011: the colors of twelve parts of birds, with a point for each visible part."""

from .dataset import Cub200
from .mini import BirdsMini

__all__ = ["BirdsMini", "Cub200"]
