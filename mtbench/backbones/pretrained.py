"""Weights from torchvision's files, for backbones with the same layers."""

import io
import re
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from mtbench.contract import Backbone, File
from mtbench.errors import UsageError

__all__ = ["start_from"]


def start_from(backbone: Backbone, file: File, model: str, *, width: float) -> None:
    """Load the weights of a torchvision ResNet in place; its classifier is left out.

    The backbone has the stages ``stem``, a convolution and its normalization, and ``layer1`` to ``layer4``, of blocks
    with a relu between them; modules within blocks have torchvision's names.

    Args:
        model: the network's name, e.g. ``ResNet-18``.
        width: factor on the number of channels; the file fits only if it is 1.

    Raises:
        UsageError: the file holds something else, or the backbone has another shape.
        DataError: see `File.read`.
    """
    if width != 1:
        raise UsageError(f"{file.subject} is for width=1, and width is {width:g}.")
    if backbone.input_shape[0] != 3:
        raise UsageError(
            f"{file.subject} is for images of 3 channels, and this dataset's have {backbone.input_shape[0]}."
        )
    allowed = f"Allowed: the state dict of torchvision's {_constructor(model)}, as a .pth or a .safetensors file."
    found = {name: value for name, value in _read(file, allowed).items() if not name.startswith("fc.")}
    state = backbone.state_dict()
    own = {_torchvisions_name(name): name for name in state}
    wanted = {name: state[ours] for name, ours in own.items()}
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}  # old files have none
    amiss = [f"{name} is missing" for name in sorted(wanted.keys() - counters - found.keys())]
    amiss += [f"{name} is not of a {model}" for name in sorted(found.keys() - wanted.keys())]
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
        raise UsageError(f"{file.subject} is '{file.path}', which does not fit: {amiss[0]}{more}.", allowed=allowed)
    if not next(backbone.parameters()).is_meta:  # there it is only checked; torch warns of each value not kept
        backbone.load_state_dict({own[name]: value for name, value in found.items()}, strict=False)


def _constructor(model: str) -> str:
    """Return ``resnet18`` for ``ResNet-18``."""
    return model.replace("-", "").lower()


def _torchvisions_name(name: str) -> str:
    """Return torchvision's name of ``stages.stem.pre.1.weight`` or ``stages.layer2.pre.2.conv1.weight``."""
    name = re.sub(r"^stages\.stem\.pre\.(\d)", lambda match: ("conv1", "bn1")[int(match[1])], name)
    return re.sub(r"^stages\.(layer\d)\.pre\.(\d+)", lambda match: f"{match[1]}.{int(match[2]) // 2}", name)


def _read(file: File, allowed: str) -> Mapping[str, Tensor]:
    """Return the state dict in a file, whose content determines its format: its name does not matter."""
    data, given = file.read(), f"{file.subject} is '{file.path}'"
    content: Any
    try:
        if data[8:9] == b"{":  # a safetensors file begins with a length of 8 bytes and a JSON object
            content = safetensors.torch.load(data)
        else:
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as cause:  # damaged files fail in many ways
        why = str(cause).partition("\n")[0].partition(". ")[0]  # torch writes paragraphs
        raise UsageError(f"{given}, which cannot be read ({type(cause).__name__}: {why}).", allowed=allowed) from cause
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UsageError(f"{given}, which is no state dict.", allowed=allowed)
    return content
