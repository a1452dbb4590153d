"""Splits: the examples of a dataset as tensors, from which batches are gathered.

Shapes: M inputs in a split, N examples, T tasks, V inputs per example (M = N and V = 1 unless said otherwise).
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mtbench.contract.data import memory
from mtbench.contract.data.augmentation import Augmentation, draw_motion
from mtbench.contract.data.batch import Batch, Inputs, each_input
from mtbench.contract.data.motion import Motion
from mtbench.contract.tasks.task import Kind, Task
from mtbench.errors import PluginError

__all__ = ["Split"]

WIDE = {torch.uint8: torch.int64, torch.float16: torch.float32}
"""The dtype of targets in a batch, by the narrow dtype that they are stored in."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """A part of a dataset in memory; its inputs, and maps among its targets, may be in memory maps.

    Its device is that of `defined`. A memory map may stay on the CPU if it does not fit; then a batch is gathered
    there, and everything after that is computed on the device.

    Attributes:
        inputs: (M, ...), uint8 images (M, C, H, W) or float tensors; a tensor or a mapping of tensors.
        targets: per task a tensor (N, ...), in the form that the task's kind defines. Large ones may be stored as uint8
            or float16, which are int64 and float32 in a batch.
        defined: (N, T) bool, the mask of defined targets.
        mean: mean per channel of images scaled to [0, 1]; uint8 inputs are normalized with it.
        std: standard deviation per channel of the same images.
        members: (N, V) int64, the indices of the inputs that make up each example; None if example i is input i.
        foreground: a function from rows (B,) and a task's index to float maps (B, H, W) in {0, 1} of the task's object;
            None if the dataset does not have it.
        points: (N, T, 2) float32, a point x, y in pixels per task, such as the place of its object; NaN where
            undefined.
        classes: (M, T) int, the class of each input for each task, -1 where it is unknown; None if examples have labels
            and inputs have none. The upper bound of one embedding for all tasks is computed from it.
        augment: the random motions of its examples in training, in order; empty in every split except ``train``.
        release: for inputs in a memory map, a function that frees the memory of those that were read, and of targets in
            a memory map; called after each batch is gathered, so that memory does not grow with the number of examples.
            None for all other inputs.
        mapped_targets: True if the targets are in memory maps too; only with `release`.
    """

    inputs: Inputs
    targets: tuple[Tensor, ...]
    defined: Tensor
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    members: Tensor | None = None
    foreground: Callable[[Tensor, int], Tensor] | None = None
    points: Tensor | None = None
    classes: Tensor | None = None
    augment: tuple[Augmentation, ...] = ()
    release: Callable[[], None] | None = None
    mapped_targets: bool = False

    def __len__(self) -> int:
        return len(self.defined)

    def first(self, count: int) -> "Split":
        """Return the first `count` examples; all of them if there are fewer."""
        if self.members is not None:
            kept = dataclasses.replace(self, members=self.members[:count])
        elif isinstance(self.inputs, Tensor):
            kept = dataclasses.replace(self, inputs=self.inputs[:count])
        else:
            kept = dataclasses.replace(self, inputs={name: value[:count] for name, value in self.inputs.items()})
        return dataclasses.replace(
            kept,
            targets=tuple(target[:count] for target in self.targets),
            defined=self.defined[:count],
            points=None if self.points is None else self.points[:count],
        )

    def to(self, device: torch.device) -> "Split":
        """Return the same split with its tensors on a device.

        Inputs, and targets, in memory maps stay on the CPU, and are streamed from there, if together they take more
        than half of the free memory of the device.
        """
        placed = self._inputs_on(device)
        if not self.mapped_targets:
            targets = tuple(target.to(device) for target in self.targets)
        elif placed.release is None:
            targets = tuple(
                memory.copied(target, torch.arange(len(self)), device, self.release) for target in self.targets
            )
        else:
            targets = self.targets
        return dataclasses.replace(
            placed,
            targets=targets,
            defined=self.defined.to(device),
            points=None if self.points is None else self.points.to(device),
            mapped_targets=placed.release is not None and self.mapped_targets,
        )

    def _inputs_on(self, device: torch.device) -> "Split":
        """Return the same split with inputs and members on a device, or unchanged if they are not to move."""
        if self.release is None:
            members = None if self.members is None else self.members.to(device)
            return dataclasses.replace(
                self, inputs=each_input(self.inputs, lambda tensor: tensor.to(device)), members=members
            )
        used, members = self._used()
        targets = self.targets if self.mapped_targets else ()
        size = memory.size_of(self.inputs, len(used)) + sum(memory.size_of(target, len(self)) for target in targets)
        if device.type == "cpu" or not memory.fits(size, device):
            return self
        return dataclasses.replace(
            self,
            inputs=each_input(self.inputs, lambda tensor: memory.copied(tensor, used, device, self.release)),
            members=None if members is None else members.to(device),
            classes=None if self.classes is None else self.classes[used],
            release=None,
        )

    def _used(self) -> tuple[Tensor, Tensor | None]:
        """Return the indices of the inputs that belong to any example, and `members` as indices into those."""
        if self.members is None:
            return torch.arange(len(self)), None
        used, members = self.members.unique(return_inverse=True)  # type: ignore[no-untyped-call]
        return used, members

    def augmented(self, tasks: Sequence[Task], generator: torch.Generator) -> "Split":
        """Return the split for one epoch of training; without `augment` the split itself, with nothing drawn.

        One motion per example is drawn here, so that a batch depends neither on the batches before nor on its size, and
        all uses of an example in an epoch are the same: the V inputs of an example move alike, and so does an example
        that is visited several times, as when only a fraction of the data is trained on.

        Args:
            tasks: the tasks of the targets.
            generator: a CPU generator, the only source of randomness.

        Raises:
            PluginError: no input is an image, a tensor (M, C, H, W).
        """
        if not self.augment:
            return self
        inputs = [self.inputs] if isinstance(self.inputs, Tensor) else list(self.inputs.values())
        sizes = [(tensor.shape[2], tensor.shape[3]) for tensor in inputs if tensor.dim() == 4]
        if not sizes:
            raise PluginError(f"inputs of {[tuple(tensor.shape[1:]) for tensor in inputs]} are augmented as images.")
        motion = draw_motion(self.augment, len(self), sizes[0], generator).to(self.defined.device)
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return _Moved(**fields, motion=motion, kinds=tuple(task.kind for task in tasks))

    def batch(self, rows: Tensor, drawn: Tensor | None = None, known_rows: tuple[Tensor, ...] | None = None) -> Batch:
        """Gather and normalize the examples `rows` (B,); with `drawn` (B,) only one task's label of each is used.

        For inputs that stay on the CPU, rows may be there too: copying them from a GPU waits for all of its pending
        work.

        Args:
            known_rows: see `Batch.known_rows`.
        """
        inputs = each_input(self.inputs, lambda tensor: self._shown(tensor, rows))
        targets = tuple(self._target(target, rows) for target in self.targets)
        if self.release is not None:
            self.release()
        places = rows.to(self.defined.device)
        use = self.defined[places].T
        if drawn is not None:
            use = use & (drawn == torch.arange(len(self.targets), device=drawn.device)[:, None])
        return Batch(
            inputs=inputs,
            targets=targets,
            use=use,
            drawn=drawn,
            inputs_per_example=1 if self.members is None else self.members.shape[1],
            rows=places,
            foreground=self.foreground,
            points=None if self.points is None else self.points[places],
            known_rows=known_rows,
        )

    def _shown(self, tensor: Tensor, rows: Tensor) -> Tensor:
        """Return the inputs (B * V, ...) of the examples `rows`, normalized, on the device of the split."""
        rows = rows.to(tensor.device)
        index = rows if self.members is None else self.members[rows].flatten()
        gathered = tensor.index_select(0, index)  # seven times as fast as tensor[index] where rows are long
        return self._normalized(gathered.to(self.defined.device))

    def _target(self, target: Tensor, rows: Tensor) -> Tensor:
        """Return the targets (B, ...) of the examples `rows`, in a wide dtype, on the device of the split."""
        gathered = target.index_select(0, rows.to(target.device)).to(self.defined.device)
        return gathered.to(WIDE.get(gathered.dtype, gathered.dtype))

    def _normalized(self, images: Tensor) -> Tensor:
        """Return images (B, C, H, W) normalized, in channels-last format; inputs that are not uint8 stay unchanged.

        They are converted here, channel by channel: for one or three channels torch's own conversion takes two to five
        times as long on a CPU (torch 2.14).
        """
        if images.dtype != torch.uint8:
            return images
        batch, channels, height, width = images.shape
        laid_out = torch.empty(batch, height, width, channels, device=images.device)
        for channel in range(channels):
            laid_out[..., channel] = images[:, channel]
        std, mean = (values.expand(channels) for values in self._std_and_mean)
        rows = laid_out.view(batch * height, width * channels)
        rows.mul_((1 / (255 * std)).repeat(width)).sub_((mean / std).repeat(width))
        return laid_out.permute(0, 3, 1, 2)

    @cached_property
    def _std_and_mean(self) -> tuple[Tensor, Tensor]:
        """`std` and `mean` on the device, stored there: a copy to a GPU waits for it."""
        device = self.defined.device
        return torch.tensor(self.std, device=device), torch.tensor(self.mean, device=device)


@dataclass(frozen=True, kw_only=True)
class _Moved(Split):
    """A split whose examples are moved as they are gathered.

    Attributes:
        motion: the motion of each example (N,).
        kinds: the kinds of the tasks.
    """

    motion: Motion
    kinds: tuple[Kind, ...]

    def batch(self, rows: Tensor, drawn: Tensor | None = None, known_rows: tuple[Tensor, ...] | None = None) -> Batch:
        moves = any(type(kind).moved is not Kind.moved for kind in self.kinds)
        batch = super().batch(rows, drawn, None if moves else known_rows)
        motion, targets, use = self.motion[rows.to(self.defined.device)], batch.targets, batch.use
        if moves:  # of a map nothing may be left
            targets = tuple(kind.moved(target, motion) for kind, target in zip(self.kinds, targets, strict=True))
            left = [kind.defined(target) for kind, target in zip(self.kinds, targets, strict=True)]
            use = use & torch.stack(left)
        return dataclasses.replace(
            batch,
            targets=targets,
            use=use,
            foreground=None if self.foreground is None else self._moved_foreground,
            points=None if batch.points is None else motion.points(batch.points),
        )

    def _shown(self, tensor: Tensor, rows: Tensor) -> Tensor:
        inputs = super()._shown(tensor, rows)
        if inputs.dim() != 4:
            return inputs
        black = self._normalized(tensor.new_zeros(1, tensor.shape[1], 1, 1, device=inputs.device))
        each = rows.to(inputs.device).repeat_interleave(len(inputs) // len(rows))
        return self.motion[each].images(inputs, black)

    def _moved_foreground(self, rows: Tensor, task: int) -> Tensor:
        assert self.foreground is not None
        return self.motion[rows].maps(self.foreground(rows, task), 0.0)
