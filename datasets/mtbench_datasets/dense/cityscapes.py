"""Cityscapes as preprocessed for MTAN."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mtbench.contract import option

from .. import conventions
from .dataset import Dense, DenseOptions
from .layout import Layout
from .protocols import CITYSCAPES
from .reading import Folder

__all__ = ["Cityscapes", "CityscapesOptions"]

SIZE = (128, 256)


@dataclass(frozen=True, kw_only=True)
class CityscapesOptions(DenseOptions):
    classes: str = option("7", "classes of a pixel: 7 groups, or 19", choices=("7", "19"))


class Cityscapes(Dense):
    """Cityscapes with 2 tasks of each pixel: one of 7 or 19 classes, and the disparity, larger for nearer things.

    The preprocessed files of Liu et al. (2019), which most papers use: 2,975 + 500 images of 128 x 256. Labels are in
    ``label_7`` and ``label_19``, or in ``label``; `mtbench data prepare` says which was read.
    """

    Options = CityscapesOptions
    protocols: ClassVar = CITYSCAPES
    conventions: ClassVar = conventions.CITYSCAPES
    default_backbone = "segnet"
    input_shape = (3, *SIZE)
    name = "cityscapes"
    source = "cityscapes"
    help = (
        "The preprocessed Cityscapes of Liu et al. (2019) is to be had from the page of their code, MTAN; `mtbench "
        "data link cityscapes FOLDER` says where it lies."
    )
    inverse = True
    paper = (
        "Cordts et al., The Cityscapes Dataset, CVPR 2016; files: Liu et al., End-to-End Multi-Task Learning with "
        "Attention, CVPR 2019"
    )

    @property
    def layout(self) -> Layout:
        return _layout(int(self.options.classes), f"label_{self.options.classes}", "label")

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        Folder(path=folder, layout=_layout(19, "label_7", "label_19", "label"), help=cls.help).check()


def _layout(classes: int, *labels: str) -> Layout:
    counts = {"train": 2975, "val": 500}
    return Layout(title="Cityscapes", size=SIZE, counts=counts, classes=classes, labels=labels, normals=False)
