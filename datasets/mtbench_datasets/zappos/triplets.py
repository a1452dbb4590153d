"""Triplets of pictures: drawn from the labels, or chosen from the public lists.

Shapes: N pictures, K values of a task, M triplets.
"""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from mtbench.contract import stream
from mtbench.errors import DataError

from ..triplets import in_turn
from .catalog import Catalog, far_apart, part_of
from .vocabulary import TASKS

__all__ = ["agreement", "choose_triplets", "draw_triplets", "list_sum"]

SAMPLE = 2000
"""Triplets of a public list that are compared with the labels."""


def choose_triplets(catalog: Catalog, parts: tuple[str, ...], count: int, *, public: bool) -> list[Tensor]:
    """Return per task triplets (M, 3) int64 of anchor, near and far picture.

    The same arguments give the same triplets, whatever trains on them.

    Args:
        parts: parts of the split whose pictures, or lists, are used.
        count: M; fewer if a public list has fewer.
        public: True if they are chosen from the public lists, at random without replacement.

    Raises:
        DataError: a task has no triplet.
    """
    found = []
    used = [] if public else [row for row, name in enumerate(catalog.names) if part_of(name) in parts]
    rows = torch.tensor(used, dtype=torch.long)
    for task, attribute in enumerate(TASKS):
        generator = stream(0, "zappos", "triplets", "+".join(parts), attribute.name)
        if public:
            listed = torch.cat([catalog.lists[f"{part}-{attribute.name}"] for part in parts])
            found.append(listed[torch.randperm(len(listed), generator=generator)[:count]].long())
            continue
        far = far_apart(task, catalog.values[task])
        drawn = draw_triplets(catalog.classes[:, task].long(), far, rows, count, generator)
        if not len(drawn):
            raise DataError(
                f"of the {len(rows):,} pictures of {' and '.join(parts)} no two are near and a third far by "
                f"{attribute.column}: no triplet can be drawn for the task {attribute.name}.",
                mend="Take more pictures.",
            )
        found.append(drawn)
    least = min(map(len, found))
    return [triplets[:least] for triplets in found]


def draw_triplets(classes: Tensor, far: Tensor, rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return random triplets (M, 3) int64 of anchor, near and far picture; none if there are none.

    The anchor is any picture that has a near and a far one, each as likely; the near one any other of its class, the
    far one any of the classes that are far from it.

    Args:
        classes: (N,) int64 of each picture; -1 where unknown.
        far: (K, K) bool, which classes are far apart.
        rows: (n,) the pictures that may be used.
        count: M.
        generator: the only source of randomness.
    """
    rows = rows[classes[rows] >= 0]
    own = classes[rows]
    sizes = torch.bincount(own, minlength=len(far))
    pools = [rows[far[kind][own]] for kind in range(len(far))]
    usable = (sizes > 1) & torch.tensor([len(pool) > 0 for pool in pools], dtype=torch.bool)
    order = torch.argsort(own, stable=True)
    rows, own = rows[order], own[order]  # the pictures of a class are neighbors
    starts = sizes.cumsum(0) - sizes
    anchors = usable[own].nonzero().squeeze(1)
    if not len(anchors):
        return torch.empty(0, 3, dtype=torch.long)
    draws = torch.rand(3, count, generator=generator, dtype=torch.float64)
    anchor = anchors[(draws[0] * len(anchors)).long()]
    kind = own[anchor]
    step = 1 + (draws[1] * (sizes[kind] - 1)).long()
    near = starts[kind] + (anchor - starts[kind] + step) % sizes[kind]
    other = torch.empty(count, dtype=torch.long)
    for index, pool in enumerate(pools):
        places = (kind == index).nonzero().squeeze(1)
        other[places] = pool[(draws[2][places] * len(pool)).long()]
    return torch.stack([rows[anchor], rows[near], other], 1)


def agreement(catalog: Catalog, task: int, triplets: Tensor) -> tuple[int, int]:
    """Return how many triplets of a sample have a near picture of the anchor's class and a far one of another, and how
    many have it the other way round.

    Args:
        triplets: (M, 3) of anchor, near and far picture.
    """
    step = max(1, len(triplets) // SAMPLE)
    anchor, near, far = catalog.classes[:, task][triplets[::step].long()].T
    known = (anchor >= 0) & (near >= 0) & (far >= 0)
    right = known & (near == anchor) & (far != anchor)
    turned = known & (far == anchor) & (near != anchor)
    return int(right.sum()), int(turned.sum())


def list_sum(triplets: Sequence[Tensor], names: tuple[str, ...]) -> str:
    """Return a sum of lists of triplets, equal wherever they are of the same pictures."""
    text = "\n".join(" ".join(names[row] for row in triplet) for triplet in in_turn(triplets).tolist())
    return hashlib.sha256(text.encode()).hexdigest()
