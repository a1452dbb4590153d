"""Probes: small classifiers that are trained on frozen features, to measure their information on each task.

Shapes: N training and M test examples, D features, T tasks, H hidden units, C classes of the task with the most, B
examples in a batch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtbench.contract import stream

__all__ = ["EPOCHS", "Labels", "probe"]

EPOCHS = 20
"""Number of passes over the training examples."""
LEARNING_RATE = 1e-3
"""Learning rate of Adam, constant."""
KINDS = ("mlp", "linear")


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels of a split.

    Attributes:
        values: (T, N) int64, -1 where undefined.
        classes: number of classes of each task.
    """

    values: Tensor
    classes: tuple[int, ...]


def probe(
    train: Tensor, labels: Labels, test: Tensor, truth: Labels, *, hidden: int, batch: int, seed: int, purpose: str
) -> dict[str, list[float]]:
    """Train fresh probes of every task on the same features, and measure them.

    Features are standardized first by the mean and standard deviation of training, so that the training of a probe does
    not depend on the scale of a method's features. All probes are trained together and independently: Adam is
    elementwise, and each task's loss is the mean over its own labels.

    Args:
        train: (N, D) features, with their `labels`.
        test: (M, D) features, with the `truth`.
        hidden: number of units of the probes with a hidden layer.
        batch: examples per step.
        seed: the seed of the run.
        purpose: the name of the streams of the initial weights; the order of the examples is the same for all purposes.

    Returns:
        the accuracy in % of each task on the test examples, by kind: ``mlp`` (features, relu, as in a head) and
        ``linear``; NaN for a task without labels there.
    """
    mean, spread = train.mean(0), train.std(0, correction=0)
    scale = torch.where(spread > 0, 1 / spread.clamp(min=torch.finfo(spread.dtype).tiny), 0.0)
    probes = _Probes(train.shape[1], hidden, labels.classes, seed, purpose).to(train.device)
    optimizer = torch.optim.Adam(probes.parameters(), lr=LEARNING_RATE)
    standardized = (train - mean) * scale
    with torch.enable_grad():
        for epoch in range(EPOCHS):
            order = torch.randperm(len(train), generator=stream(seed, "probe order", epoch)).to(train.device)
            for rows in torch.split(order, batch):
                optimizer.zero_grad()
                _loss(probes(standardized[rows]), labels.values[:, rows]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    found = [probes((part - mean) * scale).detach().argmax(-1) for part in torch.split(test, 1000)]
    hits = (torch.cat(found, dim=-1) == truth.values).double().sum(-1)  # (2, T)
    accuracy = 100 * hits / (truth.values >= 0).sum(-1)
    return dict(zip(KINDS, accuracy.tolist(), strict=True))


class _Probes(nn.Module):
    """A linear classifier and one with a hidden layer for each task, all of them in a few matrix products."""

    def __init__(self, features: int, hidden: int, classes: Sequence[int], seed: int, purpose: str) -> None:
        super().__init__()
        widest = max(classes)
        generators = [stream(seed, "probe", purpose, task) for task in range(len(classes))]

        def drawn(inputs: int, outputs: int) -> tuple[nn.Parameter, nn.Parameter]:
            """Return weights (T, inputs, outputs) and biases (T, 1, outputs), distributed as torch's own."""
            bound = 1 / math.sqrt(inputs)
            both = torch.stack([torch.rand(inputs + 1, outputs, generator=own) for own in generators])
            both = (2 * both - 1) * bound
            return nn.Parameter(both[:, :-1].clone()), nn.Parameter(both[:, -1:].clone())

        self.into, self.into_bias = drawn(features, hidden)
        self.out, self.out_bias = drawn(hidden, widest)
        self.linear, self.linear_bias = drawn(features, widest)
        surplus = torch.arange(widest) >= torch.tensor(classes)[:, None]
        self.register_buffer("surplus", surplus[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (2, T, B, C) of features (B, D); logits of classes that a task does not have are lowest."""
        each = x.expand(len(self.into), *x.shape)
        activations = torch.baddbmm(self.into_bias, each, self.into).relu()
        logits = torch.stack(
            [
                torch.baddbmm(self.out_bias, activations, self.out),
                torch.baddbmm(self.linear_bias, each, self.linear),
            ]
        )
        return logits.masked_fill(self.get_buffer("surplus"), torch.finfo(logits.dtype).min)


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the sum over probes (2, T) of the mean cross-entropy over a batch's labels (T, B), 0 without labels."""
    kinds, _, _, classes = logits.shape
    repeated = labels.expand(kinds, *labels.shape)
    losses = nn.functional.cross_entropy(
        logits.reshape(-1, classes), repeated.reshape(-1), ignore_index=-1, reduction="none"
    )
    return (losses.view(repeated.shape).sum(-1) / (labels >= 0).sum(-1).clamp(min=1)).sum()
