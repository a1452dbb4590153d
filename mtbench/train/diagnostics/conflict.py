"""Conflict of gradients: the fraction of mini-batches on which the gradients of two tasks agree.

Update compliance ratio (Zhao et al. 2018, Eq. 2): with g_t the gradient of task t's loss on a mini-batch in the shared
parameters, ``UCR(t, t') = 100 * #(mini-batches with <g_t, g_t'> > 0) / #mini-batches``; zero does not count as
compliance. In addition the mean cosine is measured, and, as the null, the same task on the two halves of each
mini-batch: if the summed gradient is near zero, as at the end of training, even the gradients of one task disagree.

If an example is a triplet of one task, the gradients of two tasks are of different images. If the classes of images are
known, the conflict is also measured on triplets of all tasks that are made of the same images, see
`mtbench.train.diagnostics.same_images`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mtbench.contract import Network, Split
from mtbench.store.record.diagnosis import Conflict
from mtbench.train.cost.ledger import Ledger
from mtbench.train.diagnostics.same_images import SameImages
from mtbench.train.network.buffers import restored_buffers

__all__ = ["ConflictMeter"]

HALF = 2
"""Smallest number of examples in half a mini-batch: batch normalization has no variance of fewer."""


class ConflictMeter:
    """A meter of the conflict of one epoch, mini-batch by mini-batch, which does not affect the training.

    The mini-batches are those of the training, with the same augmentation. The gradients are those of `Network.losses`,
    for every label of the images, even if the network is trained on one task per image. They are taken in the trained
    ones of `Network.shared_parameters`, so that a head that answers all tasks counts as shared. Random numbers of the
    network in training, such as masks of dropout, are drawn here from the random state at the beginning of the step.
    """

    def __init__(self, network: Network, split: Split, ledger: Ledger, *, wanted: bool) -> None:
        """Args: `ledger` does not count these seconds as training; unless `wanted`, nothing is done."""
        self.network, self.split, self.ledger = network, split, ledger
        self.shared = [parameter for parameter in network.shared_parameters() if parameter.requires_grad]
        self.wanted = wanted and bool(self.shared)
        self.counts = _Counts(len(network.tasks))
        self.same_images = None
        if self.wanted and SameImages.can_be_made(network.tasks, split):
            self.same_images, self.of_same_images = SameImages(split), _Counts(len(network.tasks))

    def observe(self, rows: Tensor) -> None:
        """Measure the mini-batch of these examples (B,), with the present weights."""
        if not self.wanted:
            return
        if rows.is_cuda:
            torch.cuda.synchronize(rows.device)  # so that the step before has its own seconds
        self.ledger.tick(training=True)
        half = len(rows) // 2
        with _left_alone(self.network, rows.device):
            self.counts.add_pairs(*self._gradients(self.split, rows))
        if half >= HALF:
            with _left_alone(self.network, rows.device):
                halves = [self._gradients(self.split, part) for part in (rows[:half], rows[half:])]
                self.counts.add_halves(*halves)
        if self.same_images:
            images = self.same_images.images(rows)
            half = len(images) // 2
            self.of_same_images.add_pairs(*self._gradients_of(images, rows.device))
            halves = [self._gradients_of(part, rows.device) for part in (images[:half], images[half:])]
            self.of_same_images.add_halves(*halves)
        self.ledger.tick()

    def result(self) -> Conflict | None:
        """Return the conflict so far; None if it is not wanted, or if the tasks share no parameter that is trained."""
        return self.counts.conflict() if self.wanted else None

    def result_on_same_images(self) -> Conflict | None:
        """Return the conflict on triplets that are made of the same images.

        None also if examples are no triplets, or if the classes of their images are unknown.
        """
        return self.of_same_images.conflict() if self.same_images else None

    def _gradients_of(self, images: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the result of `_gradients` for the triplets of each task that are made of images (P,).

        The network draws the same random numbers for all tasks. A batch of a single triplet is left out, like a half of
        one example.
        """
        assert self.same_images is not None
        tasks = [torch.empty(0, dtype=torch.long)]
        gradients = [self._no_gradient(device)]
        for task in range(len(self.network.tasks)):
            if len(made := self.same_images.triplets(images, task)) < HALF:
                continue
            with _left_alone(self.network, device):
                found, gradient = self._gradients(made, torch.arange(len(made), device=device))
            tasks.append(found)
            gradients.append(gradient)
        return torch.cat(tasks), torch.cat(gradients)

    def _gradients(self, split: Split, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tasks that have a label, (P,) int64, and the gradient of each one's loss, (P, n)."""
        losses = self.network.losses(split.batch(rows))
        indices = losses.present_indices
        found = [self._no_gradient(rows.device)]
        for total in losses.totals[indices]:
            parts = torch.autograd.grad(
                total, self.shared, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            found.append(torch.cat([part.flatten() for part in parts])[None])
        return indices.cpu(), torch.cat(found)

    def _no_gradient(self, device: torch.device) -> Tensor:
        return torch.empty(0, sum(parameter.numel() for parameter in self.shared), device=device)


class _Counts:
    """Sums over mini-batches, (T, T) each."""

    def __init__(self, tasks: int) -> None:
        self.batches, self.compliant, self.cosines = torch.zeros(3, tasks, tasks, dtype=torch.float64)

    def conflict(self) -> Conflict:
        return Conflict(
            batches=tuple(map(tuple, self.batches.long().tolist())),
            ucr=tuple(map(tuple, (100 * self.compliant / self.batches).tolist())),
            cosine=tuple(map(tuple, (self.cosines / self.batches).tolist())),
        )

    def add_pairs(self, tasks: Tensor, gradients: Tensor) -> None:
        """Add the pairs of the present tasks (P,), from their gradients (P, n) on a mini-batch."""
        products, lengths = gradients @ gradients.T, gradients.norm(dim=1)
        symmetric = (products + products.T) / 2  # a product of matrices may round the two of them differently
        self._add(tasks, symmetric, lengths[:, None] * lengths, ~torch.eye(len(tasks), dtype=torch.bool))

    def add_halves(self, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> None:
        """Add the null, of the tasks that have a label in both halves."""
        (here, one), (there, other) = first, second
        one, other = one[torch.isin(here, there)], other[torch.isin(there, here)]
        both = here[torch.isin(here, there)]
        lengths = one.norm(dim=1) * other.norm(dim=1)
        self._add(both, (one * other).sum(1).diag(), lengths.diag(), torch.eye(len(both), dtype=torch.bool))

    def _add(self, tasks: Tensor, products: Tensor, lengths: Tensor, counted: Tensor) -> None:
        """Add a mini-batch to those entries (P, P) of the present tasks (P,) that are counted.

        Args:
            products: (P, P) inner products.
            lengths: (P, P) the two gradients' lengths multiplied.
        """
        products, lengths = products.cpu().double(), lengths.cpu().double()
        cosines = products / lengths.where(lengths > 0, 1.0)
        place = (tasks[:, None], tasks)
        self.batches[place] += counted.double()
        self.compliant[place] += ((products > 0) & counted).double()
        self.cosines[place] += cosines.where(counted & (lengths > 0), 0.0)


@contextmanager
def _left_alone(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Restore the network's buffers, such as running statistics, and torch's random state after the block."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), restored_buffers(network):
        yield
