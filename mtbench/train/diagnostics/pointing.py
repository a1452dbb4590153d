"""Pointing: distances of the peaks of a network's maps from the points of the tasks' objects on the test split.

Places are fractions of the width and height of the whole image from edge to edge, x before y: the center of pixel j of
W is at (j + 1/2) / W. Shapes: N examples, n of them visible, T tasks.
"""

import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from mtbench.contract import Network, Split
from mtbench.store.record.pointing import ConstantPoint, Nearness, Outcomes, Pointing, TaskPointing
from mtbench.train.batches.prefetch import batches
from mtbench.train.outputs import batch_size

__all__ = ["FAR", "NEAR", "best_constant", "measure_pointing", "nearness", "peaks", "places_of"]

NEAR, FAR = 0.05, 0.1
"""Distances, as fractions of the image's side; an example is localized within the second."""
ROUNDING = 1e-9
"""Tolerance of comparisons of distances."""
CELLS = 100
"""Cells along each side whose centers are tried as constant points."""


def measure_pointing(
    network: Network,
    train: Split,
    test: Split,
    predictions: Mapping[str, Tensor],
    *,
    check_stop: Callable[[], None] = lambda: None,
) -> Pointing | None:
    """Return a network's pointing on the test split; None if it has no map, or the splits have no points in images.

    An example counts for a task if it has a label, and a point inside the image. Nothing is drawn or changed.

    Args:
        predictions: predictions (N, ...) by task, as `mtbench.train.evaluate.measure` keeps them.
        check_stop: called before each batch, as in `mtbench.train.loop.fit`.
    """
    size = _image_size(test)
    if not network.task_map_name or train.points is None or test.points is None or size is None:
        return None
    seen, known = places_of(train, size), places_of(test, size)  # (N, T, 2)
    found = _found(network, test, known, check_stop)
    tasks = {}
    for index, task in enumerate(network.tasks):
        rows = known[:, index].isfinite().all(1).nonzero().squeeze(1)
        if not len(rows):
            continue
        distances = (found[rows, index] - known[rows, index]).norm(dim=1)
        tasks[task.name] = TaskPointing(
            count=len(rows),
            peak=nearness(distances),
            constant=best_constant(seen[:, index], known[:, index]),
            outcomes=_outcomes(network, index, test, rows, predictions.get(task.name), distances <= FAR + ROUNDING),
        )
    return Pointing(map=network.task_map_name, tasks=tasks) if tasks else None


def places_of(split: Split, size: tuple[int, int]) -> Tensor:
    """Return the places (N, T, 2) float64 of the points of a split on the CPU; NaN if an example does not count.

    Args:
        size: (H, W) of the images.
    """
    assert split.points is not None
    places = (split.points.double().cpu() + 0.5) / torch.tensor([size[1], size[0]], dtype=torch.float64)
    inside = ((places >= 0) & (places < 1)).all(2) & split.defined.cpu()
    return places.where(inside[..., None], torch.nan)


def peaks(maps: Tensor) -> Tensor:
    """Return the place (B, 2) float64 of the largest value of each map (B, h, w); NaN if all its values are equal.

    Among several largest values the first is taken.

    It is the center of the map's place, which is also the maximum after bilinear enlargement.
    """
    _, height, width = maps.shape
    flat = maps.flatten(1)
    largest, (low, high) = flat.argmax(1), flat.aminmax(dim=1)
    places = torch.stack([(largest % width + 0.5).double() / width, (largest // width + 0.5).double() / height], dim=1)
    return places.where((high > low)[:, None], torch.nan)


def nearness(distances: Tensor) -> Nearness:
    """Return a summary of distances (n,), n > 0; the median of an even number is the mean of the middle two.

    A NaN, for a map without a peak, is farther than any other distance; the median is not finite if half are NaN.
    """
    return Nearness(
        within_5=float((distances <= NEAR + ROUNDING).double().mean()),
        within_10=float((distances <= FAR + ROUNDING).double().mean()),
        median=float(distances.double().nan_to_num(torch.inf).quantile(0.5)),
    )


def best_constant(seen: Tensor, known: Tensor) -> ConstantPoint | None:
    """Return the best constant point for training, and its nearness in the test split; see `ConstantPoint`.

    Each training point is moved to the center of its cell. None if one of the splits has no point.

    Args:
        seen: places (N, 2) of training, NaN where not visible.
        known: places (M, 2) of the test split, NaN where not visible.
    """
    seen, known = (places[places.isfinite().all(1)] for places in (seen, known))
    if not len(seen) or not len(known):
        return None
    cells = (seen * CELLS).long().clamp(0, CELLS - 1)
    counts = torch.bincount(cells[:, 1] * CELLS + cells[:, 0], minlength=CELLS**2).double().view(1, 1, CELLS, CELLS)
    near, far = (nn.functional.conv2d(counts, _disk(distance), padding="same") for distance in (NEAR, FAR))
    best = int((far.round() * (len(seen) + 1) + near.round()).argmax())
    place = torch.tensor([best % CELLS + 0.5, best // CELLS + 0.5], dtype=torch.float64) / CELLS
    distances = (known - place).norm(dim=1)
    return ConstantPoint(x=float(place[0]), y=float(place[1]), nearness=nearness(distances))


def _image_size(split: Split) -> tuple[int, int] | None:
    """Return (H, W) of the images of a split; None if an example is not exactly one image."""
    one = split.members is None or split.members.shape[1] == 1
    if not isinstance(split.inputs, Tensor) or split.inputs.dim() != 4 or not one:
        return None
    return split.inputs.shape[2], split.inputs.shape[3]


def _disk(distance: float) -> Tensor:
    """Return a kernel (1, 1, k, k) that sums the cells whose centers are at most this distance away."""
    reach = math.floor(distance * CELLS + ROUNDING)
    steps = torch.arange(-reach, reach + 1, dtype=torch.float64)
    return (steps[:, None] ** 2 + steps**2 <= (distance * CELLS) ** 2 + ROUNDING).double()[None, None]


def _found(network: Network, test: Split, known: Tensor, check_stop: Callable[[], None]) -> Tensor:
    """Return the places of the peaks (N, T, 2), valid where a point is known."""
    found, visible = torch.zeros_like(known), known.isfinite().all(2)
    training = network.training
    network.eval()
    for rows, index, maps in _maps(network, test, visible, check_stop):
        found[rows, index] = peaks(maps).cpu()
    network.train(training)
    return found


def _maps(
    network: Network, test: Split, visible: Tensor, check_stop: Callable[[], None]
) -> Iterator[tuple[Tensor, int, Tensor]]:
    """Yield rows (n,) on the CPU, a task's index and its maps (n, h, w), for all visible examples."""
    rows = visible.any(1).nonzero().squeeze(1).to(test.defined.device)
    for batch in batches(test, [(part, None) for part in torch.split(rows, batch_size(network, test))]):
        check_stop()
        here = batch.rows.cpu()
        for index in range(len(network.tasks)):
            chosen = visible[here, index].nonzero().squeeze(1)
            if not len(chosen):
                continue
            with torch.no_grad():
                maps = network.task_map(batch.inputs_at(chosen.to(batch.rows.device)), index)
            assert maps is not None  # it has a name
            yield here[chosen], index, maps


def _outcomes(
    network: Network, index: int, test: Split, rows: Tensor, predictions: Tensor | None, localized: Tensor
) -> Outcomes | None:
    """Return the 2 x 2 counts of a task over rows (n,), of which some are localized (n,)."""
    if predictions is None:
        return None
    right = network.tasks[index].kind.correct(predictions[rows], test.targets[index].cpu()[rows])
    if right is None:
        return None
    return Outcomes(
        localized_right=int((localized & right).sum()),
        localized_wrong=int((localized & ~right).sum()),
        elsewhere_right=int((~localized & right).sum()),
        elsewhere_wrong=int((~localized & ~right).sum()),
    )
