"""Views of the maps of one task: pictures of truths, predictions and errors with common colors, and their keys.

Shapes: n images of H x W pixels.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Depth, Kind, Normals, Segmentation, Task
from mtbench.contract.tasks.kinds.normals import angles_between
from mtbench.report.figure.examples import answer
from mtbench.report.figure.keys import Bar, Key, Swatches
from mtbench.report.figure.maps.palette import (
    ERRORS,
    RIGHT,
    UNDEFINED,
    VALUES,
    WRONG,
    Picture,
    class_color,
    painted,
    scaled,
)

__all__ = ["KINDS", "View", "keys_of", "view_of"]

KINDS: tuple[type[Kind], ...] = (Segmentation, Depth, Normals)
"""The kinds of tasks that there are views of."""
ENDS = (0.01, 0.99)
"""Quantiles of the truth at which the scale of distances ends; a few far pixels would else take most of it."""
RIGHT_ANGLE = 90.0
"""Degrees at which the scale of angles ends; an angle beyond it points away."""


class View(ABC):
    """Pictures of the truths and the predictions of a task.

    Attributes:
        task: the task.
        truths: (n, ...), in the form of a batch.
        known: (n, H, W) bool, their defined pixels.
        predictions: (n, ...), of `Kind.predict`; None if only truths are shown.
        error: the name of the pictures of errors.
    """

    error: ClassVar[str]

    def __init__(self, task: Task, truths: Tensor, known: Tensor, predictions: Tensor | None) -> None:
        self.task, self.truths, self.known, self.predictions = task, truths, known, predictions

    @abstractmethod
    def truth_picture(self, index: int) -> Picture:
        """Return the picture (H, W, 3) of a truth."""

    @abstractmethod
    def prediction_picture(self, index: int) -> Picture:
        """Return the picture (H, W, 3) of a prediction, with the colors of truths, where the truth is undefined too."""

    @abstractmethod
    def error_picture(self, index: int) -> Picture:
        """Return a picture (H, W, 3) of the differences of a prediction from the truth."""

    @abstractmethod
    def keys(self, *, errors: bool) -> list[Key]:
        """Return what the colors mean, without those of undefined pixels.

        Args:
            errors: True if pictures of errors are shown too.
        """

    def _predictions(self) -> Tensor:
        assert self.predictions is not None
        return self.predictions

    def _mask(self, index: int) -> NDArray[np.bool_]:
        return self.known[index].numpy()


class _Classes(View):
    error = "wrong pixels"

    def truth_picture(self, index: int) -> Picture:
        return painted(self.truths[index].long().numpy(), self._mask(index))

    def prediction_picture(self, index: int) -> Picture:
        labels = self._predictions()[index].long().numpy()
        return painted(labels, np.ones_like(labels, dtype=bool))

    def error_picture(self, index: int) -> Picture:
        wrong = (self._predictions()[index].long() != self.truths[index].long()).numpy()
        colors = np.array([[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in (RIGHT, WRONG)])
        return np.where(self._mask(index)[..., None], colors[wrong.astype(int)], 0.0)

    def keys(self, *, errors: bool) -> list[Key]:
        shown = [self.truths[self.known].long()]
        if self.predictions is not None:
            shown.append(self.predictions.flatten().long())
        labels = torch.cat(shown).unique().tolist()  # type: ignore[no-untyped-call]
        entries = [(class_color(label), answer(self.task, label)) for label in labels]
        found: list[Key] = [Swatches(name=self.task.name, entries=entries)]
        if errors:
            found.append(Swatches(name=self.error, entries=[(RIGHT, "right class"), (WRONG, "wrong class")]))
        return found


class _Distances(View):
    error = "absolute error"

    def __init__(self, task: Task, truths: Tensor, known: Tensor, predictions: Tensor | None) -> None:
        super().__init__(task, truths, known, predictions)
        self.low, self.high = _quantiles(truths[known], ENDS)
        self.worst = 0.0
        if predictions is not None:
            errors = (predictions.double() - truths.double()).abs()[known]
            self.worst = _quantiles(errors[errors.isfinite()], ENDS)[1]

    def truth_picture(self, index: int) -> Picture:
        return scaled(self.truths[index].double().numpy(), self._mask(index), self.low, self.high, VALUES)

    def prediction_picture(self, index: int) -> Picture:
        values = self._predictions()[index].double().numpy()
        return scaled(values, ~np.isnan(values), self.low, self.high, VALUES)

    def error_picture(self, index: int) -> Picture:
        errors = (self._predictions()[index].double() - self.truths[index].double()).abs().numpy()
        return scaled(errors, self._mask(index) & ~np.isnan(errors), 0.0, self.worst, ERRORS)

    def keys(self, *, errors: bool) -> list[Key]:
        kind = self.task.kind
        assert isinstance(kind, Depth)
        unit = f" {self.task.unit}" if self.task.unit else ""
        nearer = "large is near" if kind.inverse else "large is far"
        low, high = (f"{100 * end:g}" for end in ENDS)
        says = f"{self.low:.3g} to {self.high:.3g}{unit}, {low} to {high} % quantile of the truth; {nearer}"
        found: list[Key] = [Bar(name=self.task.name, scale=VALUES, low=self.low, high=self.high, says=says)]
        if errors:
            says = f"0 to {self.worst:.3g}{unit}, {high} % quantile"
            found.append(Bar(name=self.error, scale=ERRORS, low=0.0, high=self.worst, says=says))
        return found


class _Directions(View):
    error = "angle"

    def truth_picture(self, index: int) -> Picture:
        return _directions(self.truths[index], self._mask(index))

    def prediction_picture(self, index: int) -> Picture:
        vectors = self._predictions()[index]
        return _directions(vectors, (vectors.isfinite().all(0) & (vectors != 0).any(0)).numpy())

    def error_picture(self, index: int) -> Picture:
        first, second = (each[index].double().flatten(1).T for each in (self._predictions(), self.truths))
        found = angles_between(first, second).reshape(self.known.shape[1:])
        return scaled(found.numpy(), self._mask(index), 0.0, RIGHT_ANGLE, ERRORS)

    def keys(self, *, errors: bool) -> list[Key]:
        entries = []
        for axis, name in enumerate("xyz"):
            for sign, word in ((1.0, "+"), (-1.0, "\N{MINUS SIGN}")):
                red, green, blue = (0.5 + 0.5 * sign * (place == axis) for place in range(3))
                entries.append((to_hex((red, green, blue)), f"{word}{name}"))
        found: list[Key] = [Swatches(name=self.task.name, entries=entries)]
        if errors:
            found.append(Bar(name=self.error, scale=ERRORS, low=0.0, high=RIGHT_ANGLE, says="degrees"))
        return found


def view_of(task: Task, truths: Tensor, predictions: Tensor | None = None) -> View:
    """Return the view of a task of one of `KINDS`.

    Args:
        truths: (n, ...), in the form of a batch; the scales are made for all of them.
        predictions: likewise.
    """
    kind: Any = task.kind
    views: dict[type[Kind], type[View]] = {Segmentation: _Classes, Depth: _Distances, Normals: _Directions}
    known = kind.known(truths)
    chosen = next(view for known_kind, view in views.items() if isinstance(kind, known_kind))
    return chosen(task, truths, known, predictions)


def keys_of(views: Sequence[View], *, errors: bool = False) -> list[Key]:
    """Return the keys of some views, and at last that of undefined pixels."""
    found = [key for view in views for key in view.keys(errors=errors)]
    return [*found, Swatches(name="all maps", entries=[(UNDEFINED, "undefined in the truth")])]


def _quantiles(values: Tensor, fractions: tuple[float, ...]) -> list[float]:
    """Return quantiles of some values; zeros of none."""
    if not len(values):
        return [0.0] * len(fractions)
    return [float(each) for each in np.quantile(values.double().numpy(), fractions)]


def _directions(vectors: Tensor, known: NDArray[np.bool_]) -> Picture:
    """Return the picture of vectors (3, H, W) of any length: x, y, z from -1 to 1 as red, green, blue from 0 to 1."""
    units = torch.nn.functional.normalize(vectors.double().nan_to_num(), dim=0)
    colors = (0.5 + 0.5 * units).movedim(0, -1).numpy()
    return np.where(known[..., None], colors, 0.0)
