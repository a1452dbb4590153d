"""UT-Zappos50K: retrieval of shoes by category, closure, gender and height of heel."""

from .dataset import Zappos50k
from .mini import ShoesMini

__all__ = ["ShoesMini", "Zappos50k"]
