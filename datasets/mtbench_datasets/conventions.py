"""Conventions of published code for its numbers on dense tasks: everything but the training.

Read from the code of CAGrad (Cranial-XIX/CAGrad, dc3d481), Nash-MTL (AvivNavon/nash-mtl, cce1840), FAMO
(Cranial-XIX/FAMO, 0a6ad06), LibMTL (median-research-group/LibMTL, 4336804) and Auto-Lambda (lorenmt/auto-lambda,
bdba636). Everywhere mIoU and pixel accuracy are of one confusion matrix. Published are fractions; here they are in %,
with as many digits.
"""

from collections.abc import Mapping

from mtbench.contract import Batches, PeerConvention, SingleTaskValues

__all__ = ["CITYSCAPES", "DENSE", "NYUV2"]

TOGETHER = ("miou", "pixel-accuracy")
CAGRAD_NYUV2 = SingleTaskValues(
    source='the constants "from CAGrad" in Nash-MTL, nyuv2/utils.py, whose runs and seeds are not known',
    backbone="segnet",
    outputs={"segmentation": 13, "depth": 1, "normals": 3},
    size=(288, 384),
    values={
        "segmentation": {"miou": "38.30", "pixel-accuracy": "63.76"},
        "depth": {"absolute-error": "0.6754", "relative-error": "0.2780"},
        "normals": {
            "mean-angle": "25.01",
            "median-angle": "19.21",
            "within-11.25": "30.14",
            "within-22.5": "57.20",
            "within-30": "69.15",
        },
    },
)
CAGRAD_CITYSCAPES = SingleTaskValues(
    source='the constants "from CAGrad" in FAMO, cityscapes/utils.py, whose runs and seeds are not known',
    backbone="segnet",
    outputs={"segmentation": 7, "depth": 1},
    size=(128, 256),
    values={
        "segmentation": {"miou": "74.01", "pixel-accuracy": "93.16"},
        "depth": {"absolute-error": "0.0125", "relative-error": "27.77"},
    },
)
AUTO_LAMBDA_NYUV2 = SingleTaskValues(
    source="Auto-Lambda, utils.py, single-task networks at their own best epochs on the test set",
    backbone="deeplab",
    outputs={"segmentation": 13, "depth": 1, "normals": 3},
    size=(288, 384),
    values={
        "segmentation": {"miou": "43.37"},
        "depth": {"absolute-error": "0.5224"},
        "normals": {"mean-angle": "22.40"},
    },
)


def _conventions(
    of: str, batch: int, constants: SingleTaskValues | None, main_constants: SingleTaskValues | None, note: str = ""
) -> Mapping[str, PeerConvention]:
    """Return the conventions for one dataset.

    Args:
        of: the end of the names of the training protocols; empty where there are none.
        batch: test images in a batch of CAGrad's code.
        constants: single-task values of CAGrad's code; `main_constants` are those of Auto-Lambda's.
        note: a note on Auto-Lambda's constants.
    """

    def protocols(code: str) -> tuple[str, ...]:
        return (f"{code}-{of}",) if of else ()

    return {
        "cagrad": PeerConvention(
            source="CAGrad, Nash-MTL, FAMO, FairGrad and others with their code",
            protocols=protocols("cagrad"),
            epoch="last10",
            batches=Batches(size=batch),
            together=TOGETHER,
            average="metric",
            sign="drop",
            base="constants",
            constants=constants,
            clip="Nash-MTL's code clips the shared gradient to norm 1 for Nash-MTL alone, FAMO's and what is made from "
            "it for every method; parameters of tasks are never clipped.",
            note="The mean of the last ten epochs is taken by hand after the runs.",
        ),
        "libmtl": PeerConvention(
            source="LibMTL, and code made from it",
            protocols=protocols("libmtl"),
            epoch="own-start",
            average="task",
            sign="gain",
            base="own-start",
            clip="LibMTL clips for Nash-MTL alone.",
            note="Each run chooses its epoch with its own weights on the metrics: a bad first epoch makes a large "
            "divisor.",
        ),
        "auto-lambda": PeerConvention(
            source="Auto-Lambda",
            protocols=protocols("auto-lambda"),
            epoch="test",
            batches=Batches(size=4, by_examples=True),
            together=TOGETHER,
            average="main",
            sign="gain",
            base="constants",
            constants=main_constants,
            clip="Nothing is clipped.",
            note=note,
        ),
    }


NYUV2 = _conventions("nyuv2", 2, CAGRAD_NYUV2, AUTO_LAMBDA_NYUV2)
CITYSCAPES = _conventions(
    "cityscapes",
    8,
    CAGRAD_CITYSCAPES,
    None,
    "Auto-Lambda's own constants are of three tasks, 19 classes and 256 x 512 pixels.",
)
DENSE = _conventions("", 2, None, None)
"""For other dense tasks with the kinds of NYUv2, of which no values are published."""
