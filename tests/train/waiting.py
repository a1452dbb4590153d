"""A count of the calls that wait for a GPU, made on a CPU."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

READS = {
    *(Tensor.item, Tensor.tolist, Tensor.numpy, Tensor.cpu, Tensor.__bool__, Tensor.__float__, Tensor.__int__),
    *(Tensor.__index__, Tensor.__contains__, torch.equal, torch.is_nonzero, Tensor.is_nonzero),
}
"""Functions that read a tensor."""
SHAPES = {
    *(torch.nonzero, Tensor.nonzero, torch.argwhere, Tensor.argwhere, torch.unique, Tensor.unique),
    *(torch.unique_consecutive, torch.bincount, Tensor.bincount, torch.masked_select, Tensor.masked_select),
}
"""Functions whose result has a shape that depends on numbers."""
COPIES = {torch.tensor, torch.as_tensor}
"""Functions that copy to a device, if one is given, from memory that the system may page, which waits too."""


class Waits(TorchFunctionMode):
    """Counts the calls that would wait for a GPU if the tensors were there, while `counting`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.counting = False

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        copies = func is Tensor.new_tensor or (func in COPIES and kwargs.get("device") is not None)
        if self.counting and (func in READS | SHAPES or copies or _selects(func, args)):
            self.found.append(getattr(func, "__name__", str(func)))
        return func(*args, **kwargs)


def _selects(func: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Return whether values are selected by a mask."""
    if func not in (Tensor.__getitem__, Tensor.__setitem__):
        return False
    index: Iterable[Any] = args[1] if isinstance(args[1], tuple) else (args[1],)
    reads = func is Tensor.__getitem__ or not isinstance(args[2], int | float)
    return reads and any(isinstance(each, Tensor) and each.dtype in (torch.bool, torch.uint8) for each in index)
