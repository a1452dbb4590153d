"""Checks of the kinds of a dataset's tasks, on its targets and on random outputs.

Shapes: n examples, V inputs of each.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mtbench.conformance.fault import Fault
from mtbench.contract import Batch, Dataset, Kind, Tally, Task, seeded, stream
from mtbench.contract.authors import place_of
from mtbench.contract.promises import check_metrics, check_predictions, check_shape, example_losses, mean_loss

__all__ = ["kinds_keep"]

EXAMPLES = 23
"""Number of examples that a kind is tested on; no multiple of `PART`, so that a mean of means of parts differs."""
PART = 7
VALUES = 2**22
"""Largest number of values in the outputs for them."""


def kinds_keep(dataset: Dataset) -> None:
    """Check each kind on the first examples of the test split that have a target of one of its tasks.

    Raises:
        Fault, PluginError: a loss or a prediction of an example depends on other examples, a mean loss is no mean, a
        loss has no gradient, a shape or a dtype differs from the declared one, or metrics depend on the division of
        examples into batches.
    """
    split, tried = dataset.load("test", validation=False), list[Kind]()
    _check_order(dataset.tasks, split.defined)
    for index, task in enumerate(dataset.tasks):
        if task.kind in tried:
            continue
        rows = split.defined[:, index].nonzero().squeeze(1)
        if len(rows) < 2:
            continue
        tried.append(task.kind)
        batch = split.batch(rows[: _count(task, split.targets[index])])
        _check(task, _outputs(task, batch, index), batch.targets[index])


def _check_order(tasks: Sequence[Task], defined: Tensor) -> None:
    """Check that all tasks visit examples in one order, drawn from the given generator."""
    orders: list[Tensor] = []
    for task in (*tasks[:1], *tasks):
        with seeded(len(orders), "check", "order"):
            orders.append(task.kind.order(defined, stream(0, "check", "order")))
        if not torch.equal(orders[-1], orders[0]):
            whose = f"the kind of task '{task.name}' has another order than the first task's"
            how = "it is drawn from another generator than the given one" if len(orders) == 2 else whose
            raise Fault(f"the order of examples is not unique: {how}. {place_of(task.kind, 'order')}")
    order = orders[0]
    if order.dtype != torch.int64 or (len(order) and not 0 <= int(order.min()) <= int(order.max()) < len(defined)):
        raise Fault(
            f"the order of examples is {order.dtype}, from {int(order.min())} to {int(order.max())}, and should be "
            f"int64 rows 0 to {len(defined) - 1}. {place_of(tasks[0].kind, 'order')}"
        )


def _check(task: Task, output: Tensor, target: Tensor) -> None:
    check_metrics([task])
    _check_losses(task, output, target)
    _check_mean(task, output, target)
    with torch.no_grad():
        predictions = _check_predictions(task, output, target)
    _check_tally(task, predictions, target)


def _check_losses(task: Task, output: Tensor, target: Tensor) -> None:
    kind, place = task.kind, place_of(task.kind, "losses")
    tracked = output.clone().requires_grad_()
    losses = example_losses(task, tracked, target)
    if not losses.isfinite().all():
        raise Fault(f"the loss of task '{task.name}' is {losses.tolist()[:3]} ... of outputs that are finite. {place}")
    gradient = torch.autograd.grad(losses.sum(), tracked, allow_unused=True)[0] if losses.requires_grad else None
    if gradient is None or not gradient.any():
        raise Fault(f"the loss of task '{task.name}' has no gradient in the outputs. {place}")
    alone = torch.cat([kind.losses(output[row : row + 1], target[row : row + 1]) for row in range(len(target))])
    if not _close(losses.detach(), alone):
        raise Fault(f"the loss of an example of task '{task.name}' depends on the other examples of its batch. {place}")


def _check_mean(task: Task, output: Tensor, target: Tensor) -> None:
    """Check that `mean_loss` is a mean, and that it pairs each output with its own target."""
    place = place_of(task.kind, "mean_loss")
    losses = example_losses(task, output, target)
    one, three = losses[0], mean_loss(task, output[[0, 0, 0]], target[[0, 0, 0]])
    if not _close(one, three):
        raise Fault(
            f"the mean loss of three times one example of task '{task.name}' is {float(three):.4g}, and the loss of "
            f"that example {float(one):.4g}: `mean_loss` is a mean over examples, or over their defined pixels. "
            f"{place}"
        )
    turned = output.roll(1, 0)
    paired = _close(losses.mean(), example_losses(task, turned, target).mean())
    if not paired and _close(mean_loss(task, output, target), mean_loss(task, turned, target)):
        raise Fault(
            f"the mean loss of task '{task.name}' is the same with the targets of other examples: outputs and targets "
            f"are broadcast, each with all. {place}"
        )


def _check_predictions(task: Task, output: Tensor, target: Tensor) -> Tensor:
    kind, count = task.kind, len(output)
    predictions = kind.predict(output)
    check_predictions(predictions, output, task)
    alone = torch.cat([kind.predict(output[row : row + 1]) for row in range(count)])
    if not _close(predictions.double(), alone.double(), rtol=2e-3):
        raise Fault(
            f"the prediction for an example of task '{task.name}' depends on the other examples of its batch. "
            f"{place_of(kind, 'predict')}"
        )
    of = f"for {count} examples of task '{task.name}'"
    stored = kind.stored(predictions)
    if stored.dtype != kind.stored_as or len(stored) != count:
        raise Fault(
            f"`{type(kind).__name__}.stored` gives {stored.dtype} {tuple(stored.shape)} {of}, and `stored_as` is "
            f"{kind.stored_as}. {place_of(kind, 'predict')}"
        )
    right = kind.correct(predictions, target)
    if right is not None:
        check_shape(right, (count,), kind, "correct", of=of, because="true for each right prediction")
    if kind.constant_name:
        constant = kind.constant(target)
        check_shape(constant, predictions.shape[1:], kind, "constant", of=of, because="one prediction")
    return predictions


def _check_tally(task: Task, predictions: Tensor, target: Tensor) -> None:
    """Check that metrics are those of all examples, for any division into batches."""
    every = torch.arange(len(target))
    whole, parts, singles = (
        _tallied(task.kind, predictions, target, split)
        for split in ([every], torch.split(every, PART), torch.split(every, 1))
    )
    place = place_of(whole, "score")
    expected = whole.score()
    if not all(_equal(value, expected[name]) for name, value in whole.score().items()):
        raise Fault(f"the metrics of task '{task.name}' differ when they are computed again. {place}")
    for tally, size in ((parts, PART), (singles, 1)):
        for name, value in tally.score().items():
            if not _equal(value, expected[name]):
                raise Fault(
                    f"metric '{name}' of task '{task.name}' is {expected[name]:.4g} for {len(target)} examples in one "
                    f"batch and {value:.4g} for the same in batches of {size}: a tally holds sums and counts, never a "
                    f"mean of means. {place_of(whole, 'add')}"
                )


def _tallied(kind: Kind, predictions: Tensor, target: Tensor, parts: Sequence[Tensor]) -> Tally:
    tally = kind.tally()
    for part in parts:
        tally.add(predictions[part], target[part])
    return tally


def _outputs(task: Task, batch: Batch, index: int) -> Tensor:
    """Return random outputs for the examples of a batch."""
    kind, target, views = task.kind, batch.targets[index], batch.inputs_per_example
    size = target.shape[-2:] if kind.layout == "map" else ()
    shape = (len(target), *([views] if views > 1 else []), kind.output_size, *size)
    return torch.randn(shape, generator=stream(0, "check", "outputs"))


def _count(task: Task, target: Tensor) -> int:
    """Return the number of examples that outputs are drawn for: at least 3."""
    places = target.shape[-2:].numel() if task.kind.layout == "map" else 1
    return max(3, min(EXAMPLES, VALUES // (task.kind.output_size * places)))


def _close(first: Tensor, second: Tensor, *, rtol: float = 1e-4) -> bool:
    return first.shape == second.shape and torch.allclose(first, second, rtol=rtol, atol=1e-5, equal_nan=True)


def _equal(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(first) and math.isnan(second))
