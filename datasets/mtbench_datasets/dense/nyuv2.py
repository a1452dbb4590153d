"""NYUv2 as preprocessed for MTAN."""

from pathlib import Path
from typing import ClassVar

from .. import conventions
from .dataset import Dense
from .layout import Layout
from .protocols import NYUV2
from .reading import Folder

__all__ = ["Nyuv2"]

LAYOUT = Layout(title="NYUv2", size=(288, 384), counts={"train": 795, "val": 654}, classes=13)


class Nyuv2(Dense):
    """NYUv2 with 3 tasks of each pixel: one of 13 classes, depth in meters, and the normal of the surface.

    The preprocessed files of Liu et al. (2019), which most papers use: 795 + 654 images of 288 x 384.
    """

    protocols: ClassVar = NYUV2
    conventions: ClassVar = conventions.NYUV2
    default_backbone = "segnet"
    input_shape = (3, *LAYOUT.size)
    name = "nyuv2"
    source = "nyuv2"
    help = (
        "The preprocessed NYUv2 of Liu et al. (2019) is to be had from the page of their code, MTAN; `mtbench data "
        "link nyuv2 FOLDER` says where it lies."
    )
    paper = (
        "Silberman et al., Indoor Segmentation and Support Inference from RGBD Images, ECCV 2012; files: Liu et al., "
        "End-to-End Multi-Task Learning with Attention, CVPR 2019"
    )

    @property
    def layout(self) -> Layout:
        return LAYOUT

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        Folder(path=folder, layout=LAYOUT, help=cls.help).check()
