"""Motions of examples: the place in its image that each pixel of a moved image comes from.

Shapes: n examples of H x W pixels, C channels, T tasks. Pixel centers are whole numbers, y counts down, x to the right;
everything that comes with an image has its size.
"""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.errors import PluginError

__all__ = ["Motion"]


@dataclass(frozen=True, kw_only=True)
class Motion:
    """A motion per example along the two axes: pixel i of the moved image shows the place ``start + i * step``.

    Attributes:
        size: (H, W), before and after.
        start: (n, 2) float32, y and x of the place that the first pixel shows.
        step: (n, 2) float32, distance of the places that neighboring pixels show: 1 without resizing, below 1 if the
            image is enlarged, negative if it is mirrored.
        enlarged: (n,) float32, the factor that objects are enlarged by.
        exact: True if each place is the center of a pixel, so that nothing is interpolated.
    """

    size: tuple[int, int]
    start: Tensor
    step: Tensor
    enlarged: Tensor
    exact: bool = True

    @staticmethod
    def none(count: int, size: tuple[int, int]) -> "Motion":
        """Return the motion that leaves `count` examples unchanged; a template for others."""
        return Motion(size=size, start=torch.zeros(count, 2), step=torch.ones(count, 2), enlarged=torch.ones(count))

    def __getitem__(self, rows: Tensor) -> "Motion":
        """Return the motion of the examples `rows` (B,)."""
        return dataclasses.replace(self, start=self.start[rows], step=self.step[rows], enlarged=self.enlarged[rows])

    def to(self, device: torch.device) -> "Motion":
        """Return the same motion with its tensors on a device."""
        return dataclasses.replace(
            self, start=self.start.to(device), step=self.step.to(device), enlarged=self.enlarged.to(device)
        )

    def then(self, other: "Motion") -> "Motion":
        """Return this motion followed by another one as a single motion, which interpolates only once.

        A pixel that the first motion moves out of the image and the second moves back is kept.
        """
        return Motion(
            size=self.size,
            start=self.start + self.step * other.start,
            step=self.step * other.step,
            enlarged=self.enlarged * other.enlarged,
            exact=self.exact and other.exact,
        )

    def images(self, images: Tensor, background: Tensor) -> Tensor:
        """Return moved images (n, C, H, W), in channels-last format.

        Pixels are copied if the motion is exact, else interpolated bilinearly.

        Args:
            images: (n, C, H, W) floats.
            background: (1, C, 1, 1), the value of pixels that show a place outside the image.
        """
        places, inside = self._places(images)
        if self.exact:
            moved = _gather(images, [place.long() for place in places])
        else:
            moved = images
            for axis, place in zip((2, 3), places, strict=True):
                first = place.floor()
                last = first + 1
                weight = _along(place - first, axis, moved)
                moved = _gather_axis(moved, first.long(), axis).lerp(
                    _gather_axis(moved, last.long().clamp(max=moved.shape[axis] - 1), axis), weight
                )
        return moved.where(inside[:, None], background).contiguous(memory_format=torch.channels_last)

    def maps(self, maps: Tensor, outside: float, *, from_edges: bool = False) -> Tensor:
        """Return moved maps (n, H, W) or (n, C, H, W) of any dtype, with the value of the nearest pixel.

        Args:
            outside: the value of pixels that show a place outside the map.
            from_edges: True if pixels are counted from the edge of the shown part, as torch's ``interpolate`` does with
                ``mode="nearest"``: of c shown pixels in L, pixel i shows pixel floor(i c / L). This is up to a pixel
                beside the place that the image shows.
        """
        places, inside = self._places(maps)
        if from_edges:
            places = self._places_from_edges()
        moved = _gather(maps, [place.round().long() for place in places])
        return moved.where(inside if maps.dim() == 3 else inside[:, None], outside)

    def points(self, points: Tensor) -> Tensor:
        """Return the places of points (n, T, 2) in pixels, x and y, after the motion; NaN outside the image."""
        start, step = self.start.flip(1)[:, None], self.step.flip(1)[:, None]  # x before y
        moved = (points - start) / step
        x, y = moved.unbind(2)
        height, width = self.size
        inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
        return moved.where(inside[:, :, None], torch.nan)

    @property
    def mirrored(self) -> Tensor:
        """(n,) bool, True where left and right are exchanged."""
        return self.step[:, 1] < 0

    def _places(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the places along y (n, H) and x (n, W), clamped to the image, and a mask (n, H, W) of those inside."""
        if tuple(pixels.shape[-2:]) != self.size:
            raise PluginError(
                f"an image or map of {pixels.shape[-2]} x {pixels.shape[-1]} pixels cannot be moved along with images "
                f"of {self.size[0]} x {self.size[1]}.",
                mend="Where a dataset augments, maps must have the size of their images.",
            )
        places, inside = [], []
        for axis, length in enumerate(self.size):
            index = torch.arange(length, device=self.start.device)
            place = self.start[:, axis, None] + index * self.step[:, axis, None]
            inside.append((place > -0.5) & (place < length - 0.5))
            places.append(place.clamp(0, length - 1))
        return places, inside[0][:, :, None] & inside[1][:, None, :]

    def _places_from_edges(self) -> list[Tensor]:
        """Return the places along y (n, H) and x (n, W), clamped to the image, with pixels counted from the edges."""
        places = []
        for axis, length in enumerate(self.size):
            start, step = self.start[:, axis, None], self.step[:, axis, None]
            mirrored, index = step < 0, torch.arange(length, device=step.device)
            shown = (step.abs() * (length - 1) + 1).round()
            first = torch.where(mirrored, start + step * (length - 1), start).round()
            counted = torch.where(mirrored, length - 1 - index, index)
            places.append((first + (counted * (shown / length)).floor()).clamp(0, length - 1))
        return places


def _gather(pixels: Tensor, indices: list[Tensor]) -> Tensor:
    """Return ``pixels[n, ..., indices[0][n, i], indices[1][n, j]]`` for all n, i and j."""
    return _gather_axis(_gather_axis(pixels, indices[0], pixels.dim() - 2), indices[1], pixels.dim() - 1)


def _gather_axis(pixels: Tensor, index: Tensor, axis: int) -> Tensor:
    return pixels.gather(axis, _along(index, axis, pixels).expand_as(pixels))


def _along(values: Tensor, axis: int, pixels: Tensor) -> Tensor:
    """Return values (n, L) in a shape that broadcasts with `pixels` (n, ...), whose length is L along the axis."""
    shape = [1] * pixels.dim()
    shape[0], shape[axis] = values.shape
    return values.view(shape)
