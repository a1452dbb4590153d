"""Answers of a network to every test image by task: predicted class, log-odds, and peak of the attention map."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Network, Split
from mtbench.explanation.maps import Maps
from mtbench.train.batches.prefetch import batches
from mtbench.train.diagnostics.pointing import FAR, ROUNDING, places_of
from mtbench.train.outputs import ask, batch_size

__all__ = ["Answers", "answers"]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers of one task, to the n test images with a label of it, in the order of the split.

    Attributes:
        index: index of the task.
        rows: (n,) int64, the indices of the examples in the split.
        truth: (n,) int64, their classes.
        said: (n,) int64, the predicted classes.
        log_odds: (n,) float64, ln(p / (1 - p)) of the predicted class; unlike p it distinguishes answers that are
            almost certain.
        points: (n, 2) float64, x and y in pixels of the true point, NaN if it is unknown or outside the image; None if
            the dataset has no points.
        peaks: (n, 2), the same for the map's peak, NaN for an empty map; None if `points` is.
        distances: (n,) between the two, as measured by `mtbench.train.diagnostics.pointing`, in fractions of the
            image's width and height; NaN if either is unknown; None if `points` is.
    """

    index: int
    rows: Tensor
    truth: Tensor
    said: Tensor
    log_odds: Tensor
    points: Tensor | None = None
    peaks: Tensor | None = None
    distances: Tensor | None = None

    @property
    def right(self) -> Tensor:
        """Mask (n,) bool of the right answers."""
        return self.said == self.truth

    @property
    def near(self) -> Tensor:
        """Mask (n,) bool of the answers whose peak lies within `pointing.FAR` of a known point."""
        assert self.distances is not None
        return self.distances <= FAR + ROUNDING

    @property
    def pointed(self) -> Tensor:
        """Mask (n,) bool of the answers whose true point is known."""
        assert self.points is not None
        return ~self.points.isnan().any(1)


def answers(network: Network, split: Split, indices: Sequence[int], maps: Maps) -> list[Answers]:
    """Return the answers of a network to every task and every labeled example of a split.

    Maps of all examples are computed only if true points are known, to measure the distances of their peaks.

    Args:
        network: the network in evaluation mode.
        indices: indices of the tasks, which are all of one class per image.
    """
    images = split.inputs
    assert isinstance(images, Tensor)
    size = int(images.shape[2]), int(images.shape[3])
    known = None if split.points is None else places_of(split, size)  # (N, T, 2)
    parts: dict[int, list[tuple[Tensor, ...]]] = {index: [] for index in indices}
    every = split.defined.any(1).nonzero().squeeze(1)
    for batch in batches(split, [(rows, None) for rows in torch.split(every, batch_size(network, split))]):
        outputs = ask(network, batch)
        for index in indices:
            used = batch.use[index].nonzero().squeeze(1)
            if not len(used):
                continue
            logits = outputs[index].double()
            said = logits.argmax(1)
            found = [batch.rows[used], batch.targets[index][used].long(), said, _log_odds(logits, said)]
            if known is not None:
                inputs = batch.inputs_at(used)
                assert isinstance(inputs, Tensor)
                found += [known[found[0].cpu(), index], maps.of(inputs, index, said).peaks()]
            parts[index].append(tuple(each.cpu() for each in found))
    return [_joined(index, parts[index], size) for index in indices]


def _log_odds(logits: Tensor, said: Tensor) -> Tensor:
    """Return ln(p / (1 - p)) (B,) of a class from logits (B, C): its logit minus the logsumexp of the others."""
    own = logits.gather(1, said[:, None])
    others = logits.scatter(1, said[:, None], -torch.inf).logsumexp(1)
    return own.squeeze(1) - others


def _joined(index: int, parts: Sequence[tuple[Tensor, ...]], size: tuple[int, int]) -> Answers:
    if not parts:
        none = torch.zeros(0, dtype=torch.int64)
        return Answers(index=index, rows=none, truth=none, said=none, log_odds=none.double())
    rows, truth, said, log_odds, *located = (torch.cat(each) for each in zip(*parts, strict=True))
    common = {"index": index, "rows": rows, "truth": truth, "said": said, "log_odds": log_odds}
    if not located:
        return Answers(**common)  # type: ignore[arg-type]
    places, peaks = located
    sides = torch.tensor([size[1], size[0]], dtype=torch.float64)
    points = places * sides - 0.5
    distances = ((points - peaks) / sides).norm(dim=1)
    return Answers(**common, points=points, peaks=peaks, distances=distances)  # type: ignore[arg-type]
