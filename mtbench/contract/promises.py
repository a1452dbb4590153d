"""Shapes that plug-ins promise, checked where their results enter the harness: shapes alone, which waits for no GPU.

Shapes: B examples in a batch, V inputs per example, T tasks, P of them present.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from mtbench.contract.authors import author_of, place_of
from mtbench.contract.balancers.losses import Losses
from mtbench.contract.tasks.task import Kind, Task
from mtbench.errors import PluginError

if TYPE_CHECKING:
    from mtbench.contract.balancers.gradient import Combined

__all__ = [
    "check_combined",
    "check_objectives",
    "check_output",
    "check_outputs",
    "check_predictions",
    "check_shape",
    "example_losses",
    "mean_loss",
]


def check_shape(found: object, expected: Sequence[int], owner: object, name: str, *, of: str, because: str) -> None:
    """Check the shape of the result of a plug-in's method.

    Args:
        found: the result, a tensor if it is correct.
        expected: the expected shape.
        owner: the plug-in.
        name: the name of the method.
        of: the object that the result belongs to, such as ``for task 'left'``.
        because: the meaning of the shape, for the message.

    Raises:
        PluginError: it has another shape, or is no tensor.
    """
    if isinstance(found, Tensor) and found.shape == tuple(expected):
        return
    what = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"type {type(found).__name__}"
    what = f"{what} {of}".rstrip()
    raise PluginError(
        f"`{type(owner).__name__}.{name}` returned {what}, and should return shape {tuple(expected)}: {because}.",
        where=place_of(owner, name),
    )


def check_outputs(found: object, tasks: Sequence[Task], owner: object, names: Sequence[str]) -> None:
    """Check that a network has one output for each of its tasks.

    Args:
        names: the methods that may have made the outputs, see `author_of`.

    Raises:
        PluginError: there is not one output for each task.
    """
    if isinstance(found, Sequence) and len(found) == len(tasks):
        return
    what = (
        f"{len(found)} output{'s' * (len(found) != 1)}"
        if isinstance(found, Sequence)
        else f"type {type(found).__name__}"
    )
    name = author_of(owner, names)
    raise PluginError(
        f"`{type(owner).__name__}.{name}` returned {what} for {len(tasks)} tasks, and should return a list with one "
        "output for each task.",
        where=place_of(owner, name),
    )


def check_output(
    output: Tensor, target: Tensor, count: int, views: int, task: Task, owner: object, names: Sequence[str]
) -> None:
    """Check the shape of a network's output for one task.

    Args:
        output: (count * V, output_size), or (count * V, output_size, H, W) of maps.
        target: (..., H, W) for maps, which outputs have the size of.
        count: the number of examples.
        views: V.
        names: the methods that may have made the output, see `author_of`.

    Raises:
        PluginError: it has another shape.
    """
    size = target.shape[-2:] if task.kind.layout == "map" else ()
    expected = (count * views, task.kind.output_size, *size)
    if isinstance(output, Tensor) and output.shape == expected:
        return
    because = "a row for each input, and a column for each value of its kind"
    because += f", maps as large as its targets, {size[0]} x {size[1]}" if size else ""
    check_shape(output, expected, owner, author_of(owner, names), of=f"for task '{task.name}'", because=because)


def check_losses(losses: object, owner: object) -> None:
    """Check that `Balancer.backward` returned the losses of the batch.

    Raises:
        PluginError: it returned something else.
    """
    if not isinstance(losses, Losses):
        raise PluginError(
            f"`{type(owner).__name__}.backward` returned type {type(losses).__name__}, and should return the `Losses` "
            "of the batch, such as `losses.weighted(weights)`.",
            where=place_of(owner, "backward"),
        )


def check_objectives(found: object, indices: Tensor, owner: object) -> None:
    """Check that `GradientBalancer.objectives` has one value for each task that is present.

    Raises:
        PluginError: it is not (P,).
    """
    of = f"for {len(indices)} present tasks"
    check_shape(found, indices.shape, owner, "objectives", of=of, because="an objective for each of them")


def check_combined(combined: "Combined", gradients: Tensor, owner: object) -> None:
    """Check the shapes of the result of `GradientBalancer.combine` against the gradients (P, n).

    Raises:
        PluginError: `shared` is not (n,), or `own` or `weights` not (P,).
    """
    present, numbers = gradients.shape
    for name, found, expected, because in (
        ("shared", combined.shared, (numbers,), "a number for each shared parameter, as a row of `gradients`"),
        ("own", combined.own, (present,), "a factor for each of them"),
        ("weights", combined.weights, (present,), "a coefficient for each of them"),
    ):
        if found is not None:
            of = f"as `{name}` for {present} present tasks"
            check_shape(found, expected, owner, "combine", of=of, because=because)


def check_metrics(tasks: Sequence[Task]) -> None:
    """Check that tallies score the metrics that their kinds declare, each kind once.

    Raises:
        PluginError: the metrics differ, or an empty tally has no score.
    """
    seen: list[Kind] = []
    for task in tasks:
        kind = task.kind
        if kind in seen:
            continue
        seen.append(kind)
        tally, whose = kind.tally(), f"of task '{task.name}'"
        declared = [metric.name for metric in kind.metrics]
        try:
            scored = list(tally.score())
        except Exception as cause:
            raise PluginError(
                f"`{type(tally).__name__}.score` {whose} fails where nothing was added, with {type(cause).__name__}: "
                f"{cause}; it should return NaN for each metric.",
                where=place_of(tally, "score"),
            ) from cause
        if sorted(scored) != sorted(declared) or not declared:
            raise PluginError(
                f"`{type(tally).__name__}.score` {whose} returned the metrics {scored}, and its kind "
                f"'{type(kind).__name__}' declares {declared}.",
                where=place_of(kind, "tally"),
            )


def check_predictions(predictions: object, output: Tensor, task: Task) -> None:
    """Check that `Kind.predict` made one prediction for each output (n, ...).

    Raises:
        PluginError: there is not one prediction for each output.
    """
    if isinstance(predictions, Tensor) and predictions.dim() and len(predictions) == len(output):
        return
    of = f"for {len(output)} examples of task '{task.name}'"
    shape = (len(output), *(predictions.shape[1:] if isinstance(predictions, Tensor) else ()))
    check_shape(predictions, shape, task.kind, "predict", of=of, because="a prediction for each example")


def mean_loss(task: Task, output: Tensor, target: Tensor) -> Tensor:
    """Return `Kind.mean_loss` () of the examples of one training batch, and check the shapes of both losses.

    Raises:
        PluginError: it is no scalar, or `Kind.losses` does not return one number per example.
    """
    kind = task.kind
    if type(kind).mean_loss is Kind.mean_loss:
        return example_losses(task, output, target).mean()
    loss = kind.mean_loss(output, target)
    _check_loss(loss, (), task, "mean_loss", len(target), "the mean over the examples")
    return loss


def example_losses(task: Task, output: Tensor, target: Tensor) -> Tensor:
    """Return `Kind.losses` (n,) of examples.

    Raises:
        PluginError: they have another shape, such as (n, n) after broadcasting (n, 1) and (n,).
    """
    losses = task.kind.losses(output, target)
    _check_loss(losses, (len(target),), task, "losses", len(target), "a number for each example")
    return losses


def _check_loss(loss: Tensor, expected: Sequence[int], task: Task, name: str, count: int, because: str) -> None:
    if not isinstance(loss, Tensor) or loss.shape != tuple(expected):
        check_shape(loss, expected, task.kind, name, of=f"for {count} examples of task '{task.name}'", because=because)
