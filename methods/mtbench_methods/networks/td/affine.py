"""The stream as an affine function of the task: for many pairs of an image and a task, most is computed once.

If BU1 is added to a stream without nonlinearities, each map of an image i and a task t, and each lateral z into BU2, is
the map without a task plus a map that depends linearly on the task alone::

    z(i, t) = z(i) + Z e(t)        e(t) the task's column of the embedding

Images then need one stream each and tasks one each, instead of one for each pair. A stream of `Sections` has no such
parts after its first relu, and before that relu only small convolutions.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from .stream import NOTHING, Glance, Stream

__all__ = ["Parts", "parts"]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The two parts of the laterals into BU2, by level: for each image (B, C, H, W), and for each task (T, C, H, W)."""

    of_images: dict[int, Tensor]
    of_tasks: dict[int, Tensor]

    def at(self, images: Tensor | slice, task: Tensor | int) -> dict[int, Tensor]:
        """Return the laterals (n, C, H, W) of some images, by their indices, each with its task or all with one."""
        return {number: maps[images] + self.of_tasks[number][task] for number, maps in self.of_images.items()}


def parts(stream: Stream, embedding: nn.Linear, glance: Glance, images: int) -> Parts:
    """Return the parts of the laterals of an affine stream, see `Stream.is_affine`.

    Args:
        glance: BU1's maps of `images` images, or `NOTHING`.
    """
    columns = embedding.weight.T  # (T, C H W)
    seen = stream.laterals(stream(embedding.bias.expand(len(glance.before[0]) if glance.before else 1, -1), glance))
    alone = stream.laterals(stream(columns, NOTHING))
    biases = stream.laterals(stream(columns.new_zeros(1, columns.shape[1]), NOTHING))
    return Parts(
        of_images={number: maps.expand(images, -1, -1, -1) for number, maps in seen.items()},
        of_tasks={number: maps - biases[number] for number, maps in alone.items()},
    )
