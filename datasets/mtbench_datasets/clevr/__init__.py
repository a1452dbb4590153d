"""CLEVR: questions about drawn scenes of spheres, cubes and cylinders, 2 to 1,645 of them, answered from the scenes."""

from .mini import ClevrMini
from .variants import Clevr2, Clevr3, Clevr4, Clevr40, ClevrQuestions

__all__ = ["Clevr2", "Clevr3", "Clevr4", "Clevr40", "ClevrMini", "ClevrQuestions"]
