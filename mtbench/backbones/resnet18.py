"""ResNet-18, the backbone of the CUB-200 comparisons."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import safetensors.torch
import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, BatchNorm, Conformance, File, Stage, option
from mtbench.errors import UsageError

__all__ = ["ResNet18"]

WIDTHS = (64, 128, 256, 512)
WHAT_FITS = "the state dict of torchvision's resnet18, as a .pth or a .safetensors file."


@dataclass(frozen=True, kw_only=True)
class ResNet18Options:
    width: float = option(1.0, "factor on the number of channels", low=0.02, high=8)
    weights: File | None = option(
        None, "a file of torchvision's ImageNet weights for ResNet-18 (.pth or .safetensors) to start from"
    )


class ResNet18(Backbone):
    """ResNet-18 of He et al. (2016), from scratch or from ImageNet weights; 11,176,512 parameters.

    ::

        x (B, 3, 224, 224)
        stem     conv 7 x 7, stride 2, BatchNorm    (B, 64, 112, 112)    relu, max pool 3 x 3, stride 2 -> 56
        layer1   2 residual blocks                  (B, 64, 56, 56)      relu
        layer2   2 residual blocks, stride 2        (B, 128, 28, 28)     relu
        layer3   2 residual blocks, stride 2        (B, 256, 14, 14)     relu
        layer4   2 residual blocks, stride 2        (B, 512, 7, 7)       relu
        neck     mean over places                   (B, 512)             the representation z
        head     512 -> outputs

    A layer's map before its last nonlinearity is the sum that ends its second block. Inputs of any size will do.
    Initial weights are He's normal ones for the convolutions, with the fan of their outputs, as in torchvision.
    """

    Options = ResNet18Options
    conformance = Conformance(tiny={"width": 0.125})
    paper = "He et al., Deep Residual Learning for Image Recognition, CVPR 2016"

    def __init__(self, options: ResNet18Options, input_shape: tuple[int, ...]) -> None:
        widths = [max(1, round(width * options.width)) for width in WIDTHS]
        inputs = widths[0]
        stem = nn.Sequential(nn.Conv2d(input_shape[0], inputs, 7, stride=2, padding=3, bias=False), BatchNorm(inputs))
        stages = {"stem": Stage(stem, nn.Sequential(nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)))}
        for number, width in enumerate(widths, start=1):
            first = Residual(inputs, width, stride=1 if number == 1 else 2)
            stages[f"layer{number}"] = Stage(nn.Sequential(first, nn.ReLU(), Residual(width, width)), nn.ReLU())
            inputs = width
        super().__init__(stages, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), input_shape)
        self.features = inputs
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if options.weights is not None:
            self._start_from(options.weights, options, input_shape)

    def head(self, output_size: int) -> nn.Module:
        return nn.Linear(self.features, output_size)

    def _start_from(self, file: File, options: ResNet18Options, input_shape: tuple[int, ...]) -> None:
        """Take the weights of a torchvision ResNet-18; its classifier is left out.

        Raises:
            UsageError: the file holds something else, or this backbone has another shape.
            DataError: see `File.read`.
        """
        if options.width != 1:
            raise UsageError(f"{file.subject} is for width=1, and width is {options.width:g}.")
        if input_shape[0] != 3:
            raise UsageError(f"{file.subject} is for images of 3 channels, and this dataset's have {input_shape[0]}.")
        found = {name: value for name, value in _read(file).items() if not name.startswith("fc.")}
        state = self.state_dict()
        own = {_torchvisions_name(name): name for name in state}
        wanted = {name: state[ours] for name, ours in own.items()}
        counters = {name for name in wanted if name.endswith("num_batches_tracked")}  # old files have none
        amiss = [f"{name} is missing" for name in sorted(wanted.keys() - counters - found.keys())]
        amiss += [f"{name} is not of a ResNet-18" for name in sorted(found.keys() - wanted.keys())]
        amiss += [
            f"{name} has shape {tuple(found[name].shape)}, not {tuple(value.shape)}"
            for name, value in wanted.items()
            if name in found and found[name].shape != value.shape
        ]
        amiss += [
            f"{name} has values that are not finite numbers"
            for name in sorted((wanted.keys() - counters) & found.keys())
            if not (found[name].is_floating_point() and bool(found[name].isfinite().all()))
        ]
        if amiss:
            more = f", and {len(amiss) - 1} more" if len(amiss) > 1 else ""
            raise UsageError(
                f"{file.subject} is '{file.path}', which does not fit: {amiss[0]}{more}.",
                allowed="Allowed: " + WHAT_FITS,
            )
        if not next(self.parameters()).is_meta:  # there it is checked alone; torch warns of each value that is not kept
            self.load_state_dict({own[name]: value for name, value in found.items()}, strict=False)


class Residual(nn.Module):
    """A residual block without its last relu: x + BN(conv(relu(BN(conv x)))), x projected where its shape changes.

    The modules are named as torchvision names them.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = BatchNorm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(outputs)
        self.downsample = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.downsample.append(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False))
            self.downsample.append(BatchNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        return cast(Tensor, self.bn2(self.conv2(y)) + self.downsample(x))


def _torchvisions_name(name: str) -> str:
    """Return what torchvision calls ``stages.stem.pre.1.weight`` and ``stages.layer2.pre.2.conv1.weight``."""
    name = re.sub(r"^stages\.stem\.pre\.(\d)", lambda match: ("conv1", "bn1")[int(match[1])], name)
    return re.sub(r"^stages\.(layer\d)\.pre\.(\d)", lambda match: f"{match[1]}.{int(match[2]) // 2}", name)


def _read(file: File) -> Mapping[str, Tensor]:
    """The state dict in a file, whose content tells its format: under any name it gives the same weights."""
    data, given = file.read(), f"{file.subject} is '{file.path}'"
    content: Any
    try:
        if data[8:9] == b"{":  # a safetensors file begins with a length of 8 bytes and a JSON object
            content = safetensors.torch.load(data)
        else:
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as cause:  # damaged files fail in many ways
        why = str(cause).partition("\n")[0].partition(". ")[0]  # torch writes paragraphs
        raise UsageError(
            f"{given}, which cannot be read ({type(cause).__name__}: {why}).", allowed="Allowed: " + WHAT_FITS
        ) from cause
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UsageError(f"{given}, which is no state dict.", allowed="Allowed: " + WHAT_FITS)
    return content
