"""Training protocols of dense datasets: the settings of released code.

What such code reports besides (over what errors are averaged, of which epoch, against which single-task values) is no
part of a training protocol. Colors are from 0 to 1 in all of it but Auto-Lambda's, where they are from -1 to 1. All of
it takes one loss of all pixels of a batch, which is ``like=libmtl``.
"""

from mtbench.contract import TrainingProtocol

__all__ = ["CITYSCAPES", "NYUV2"]


def _cagrad(name: str, batch: int, curve: str = "last10") -> TrainingProtocol:
    """Return the protocol of CAGrad's code (Liu et al. 2021), also of Nash-MTL's and FAMO's.

    It uses Adam, and half the learning rate after epoch 100.

    Network: SegNet with MTAN's attention, and for single tasks SegNet. With augmentation, which divides disparities
    too (``like=libmtl``). The mean of the test values of the last ten epochs is reported.
    """
    return TrainingProtocol(
        name=name, epochs=200, batch=batch, lr=1e-4, schedule="step:every=100:factor=.5", curve=curve, seeds=3
    )


def _libmtl(name: str, batch: int) -> TrainingProtocol:
    """Return the protocol of LibMTL's code (Lin and Zhang 2023), ``examples/*/main.py --scheduler step``.

    Network: a dilated ResNet-50, pretrained, with ASPP heads. Without augmentation (``augment=false``). Different
    there: the last batch of an epoch is dropped if it is smaller, 3 of 795 and 31 of 2,975 images; the epoch that is
    best on the test set is reported.
    """
    return TrainingProtocol(
        name=name,
        epochs=200,
        batch=batch,
        lr=1e-4,
        weight_decay=1e-5,
        schedule="step:every=100:factor=.5",
        curve="all",
        seeds=3,
    )


def _auto_lambda(name: str) -> TrainingProtocol:
    """Return the protocol of Auto-Lambda's code (Liu et al. 2022): SGD with momentum and a cosine schedule.

    Network: a dilated ResNet-50 from scratch with heads of DeepLab v3. Different there: with augmentation, images are
    enlarged as a whole before they are cropped, all maps by the nearest pixel; on Cityscapes images have 256 x 512
    pixels, of which squares of 256 are cropped and never enlarged, and there is a third task, the parts of objects. The
    epoch that is best on the test set is reported.
    """
    return TrainingProtocol(
        name=name,
        epochs=200,
        batch=4,
        lr=0.1,
        optimizer="sgd",
        weight_decay=1e-4,
        momentum=0.9,
        schedule="cosine",
        curve="all",
        seeds=3,
    )


def _quick(batch: int) -> TrainingProtocol:
    return TrainingProtocol(name="quick", epochs=2, batch=batch, lr=1e-4, images=100, seeds=2)


NYUV2 = {
    "paper": _cagrad("paper", 2, curve="20"),  # most tables of balancers have its settings
    "quick": _quick(2),
    "cagrad-nyuv2": _cagrad("cagrad-nyuv2", 2),
    "libmtl-nyuv2": _libmtl("libmtl-nyuv2", 8),
    "auto-lambda-nyuv2": _auto_lambda("auto-lambda-nyuv2"),
}
CITYSCAPES = {
    "paper": _cagrad("paper", 8, curve="20"),
    "quick": _quick(8),
    "cagrad-cityscapes": _cagrad("cagrad-cityscapes", 8),
    "libmtl-cityscapes": _libmtl("libmtl-cityscapes", 64),
    "auto-lambda-cityscapes": _auto_lambda("auto-lambda-cityscapes"),
}
