"""The training loop: every network, every balancer and every kind of task goes through it."""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import torch
from pydantic import TypeAdapter
from torch import Tensor

from mtbench.contract import Losses, Task, TrainingProtocol, derive, stream
from mtbench.errors import NonFiniteLoss
from mtbench.store.record import CurvePoint, TaskResult
from mtbench.train.assemble import Assembly
from mtbench.train.conflict import ConflictMeter
from mtbench.train.cost import Ledger
from mtbench.train.evaluate import Evaluation, measure
from mtbench.train.heartbeat import Heartbeat
from mtbench.train.phases import Phase, phases
from mtbench.train.progress import Progress

__all__ = ["TRAIN_EXAMPLES", "Keeper", "curve_epochs", "fit"]

TRAIN_EXAMPLES = 10_000
"""How many training examples the final record measures in evaluation mode."""
POINTS = 20
"""How many points a curve has at most."""
SMALLER = "A smaller learning rate (--set lr=...) is the first thing to try."


class Keeper(Protocol):
    """What keeps a run's state between attempts."""

    def restore(self) -> dict[str, Any] | None:
        """The last state kept, or None."""

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        """Keep a state of tensors and plain values, and the curve up to it."""


def fit(
    run: Assembly,
    protocol: TrainingProtocol,
    *,
    keeper: Keeper,
    watch: Callable[[Progress], None] = lambda _: None,
    points: Collection[int] | None = None,
    plan: Sequence[Phase] = (),
) -> tuple[Ledger, list[CurvePoint], Evaluation]:
    """Train what was assembled.

    Args:
        watch: told of progress about twice a second.
        points: after which epochs the curve has a point; by default `curve_epochs`. It changes no weight.
        plan: the `phases` of the run, where they are known already.

    Returns:
        what was used, the curve, and the evaluation of the test split at its last point, with the predictions.

    Raises:
        UsageError: no training example has a label, or nothing belongs to the task that is to be added alone.
        NonFiniteLoss: a task's loss became NaN or infinite; the text says at which step and which task.
    """
    network, seed, device = run.network, run.setup.seed, run.splits["train"].defined.device
    plan = plan or phases(run, protocol)
    epochs = plan[-1].end
    ledger, curve, finished = Ledger(), list[CurvePoint](), 0
    if (state := keeper.restore()) is not None:
        network.load_state_dict(state["network"])
        run.balancer.load_state_dict(state["balancer"])
        ledger, curve, finished = Ledger(**state["ledger"]), _CURVE.validate_python(state["curve"]), state["epoch"]
    phase = _phase(plan, finished)
    optimizer = _optimizer(protocol, run, phase)
    if state is not None and finished > phase.start:
        optimizer.load_state_dict(state["optimizer"])
    one_task = protocol.draws_one_task(native=network.one_task)
    where = {*(curve_epochs(epochs) if points is None else points), epochs}
    final: Evaluation | None = None
    beat = Heartbeat(watch, run.tasks, epochs=epochs, score=_last_score(curve, run.tasks))

    for epoch in range(finished, epochs):
        phase = _phase(plan, epoch)
        if phase.adds is not None and epoch == phase.start:
            network.welcome(phase.adds)
            optimizer = _optimizer(protocol, run, phase)
        torch.manual_seed(derive(seed, "epoch", epoch))  # for modules that draw, such as dropout
        for group in optimizer.param_groups:
            group["lr"] = group["factor"] * protocol.learning_rate(epoch - phase.start)
        network.begin_epoch(epoch - phase.start, phase.epochs)
        balancer, split = phase.balancer, phase.split.augmented(run.tasks, stream(seed, "augment", epoch))
        visits = phase.visits(run.tasks, seed=seed, epoch=epoch, one_task=one_task).to(device)
        lost, used = torch.zeros(2, len(run.tasks), dtype=torch.float64, device=device)
        wanted = "conflict" in protocol.diagnostics and epoch + 1 in where and len(phase.shown) > 1
        conflict = ConflictMeter(network, split, ledger, wanted=wanted)
        phase.enter(network)
        ledger.tick()
        for step, (rows, drawn) in enumerate(chunks := visits.batches(protocol.batch)):
            batch = split.batch(rows, drawn)
            optimizer.zero_grad()
            conflict.observe(rows)
            losses = balancer.backward(network, batch)
            if not _is_finite(losses):
                raise _broken(losses, run.tasks, epoch, step, ledger.steps)
            phase.hold(network)
            if protocol.clip:
                torch.nn.utils.clip_grad_norm_(network.parameters(), protocol.clip)
            optimizer.step()
            balancer.after_step(network, batch)
            lost += losses.means.detach() * losses.counts
            used += losses.counts
            ledger.steps += 1
            ledger.forward_passes += (
                len(rows) * batch.inputs_per_example * network.passes(batch) * (1 + balancer.forwards)
            )
            beat.step(epoch, step + 1, len(chunks), losses)
        ledger.label_uses += int(used.sum())
        ledger.tick(training=True)
        balancer.end_epoch(lost / used)
        if epoch + 1 in where:
            name = "val" if protocol.validation else "test"
            is_last = epoch + 1 == epochs
            found = _final(run, ledger.steps) if is_last else {name: measure(network, run.splits[name])}
            final = found["test"] if is_last else None
            results = {split: evaluation.results for split, evaluation in found.items()}
            curve.append(_point(epoch + 1, ledger, lost / used, run.tasks, results, conflict))
            beat.score = _last_score(curve, run.tasks)
        keeper.keep(
            {
                "epoch": epoch + 1,
                "network": network.state_dict(),
                "balancer": run.balancer.state_dict(),
                "optimizer": optimizer.state_dict(),
                "ledger": ledger.state(),
                "curve": [dataclasses.asdict(point) for point in curve],
            },
            curve,
        )
    if final is None:  # stopped after the last epoch, and before its predictions were written
        final = measure(network, run.splits["test"], keep=True)
        curve[-1] = dataclasses.replace(curve[-1], results={**curve[-1].results, "test": final.results})
    return ledger, curve, final


def _phase(plan: Sequence[Phase], epoch: int) -> Phase:
    """The phase of an epoch, counted from 0; the last one where all epochs are over."""
    return next((phase for phase in plan if epoch < phase.end), plan[-1])


def curve_epochs(epochs: int) -> set[int]:
    """After which epochs a curve has a point: each of up to 20, else 20 evenly spaced ones, the last among them.

    Where two phases are alike long, so is the last of the first.
    """
    if epochs <= POINTS:
        return set(range(1, epochs + 1))
    return {round(point * epochs / POINTS) for point in range(1, POINTS + 1)}


def _optimizer(protocol: TrainingProtocol, run: Assembly, phase: Phase) -> torch.optim.Optimizer:
    """The protocol's optimizer of what a phase trains, which remembers nothing yet; each group's ``factor`` is its
    learning rate as a multiple of the protocol's."""
    by_factor: dict[float, list[torch.nn.Parameter]] = {1.0: []}
    factors = run.network.lr_factors()
    for name, parameter in phase.trained(run.network):
        by_factor.setdefault(factors.get(name.partition(".")[0], 1.0), []).append(parameter)
    if own := list(phase.balancer.parameters()):
        by_factor.setdefault(phase.balancer.learning_rate / protocol.lr, []).extend(own)
    groups = [{"params": members, "factor": factor} for factor, members in by_factor.items() if members]
    if protocol.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=protocol.lr, momentum=0.9)
    return torch.optim.Adam(groups, lr=protocol.lr)


def _is_finite(losses: Losses) -> bool:
    total = losses.means.sum() if losses.penalty is None else losses.means.sum() + losses.penalty
    return bool(torch.isfinite(total))


def _broken(losses: Losses, tasks: Sequence[Task], epoch: int, step: int, steps: int) -> NonFiniteLoss:
    means = zip(tasks, losses.means.tolist(), strict=True)
    names = [f"the loss of task '{task.name}' became {mean}" for task, mean in means if not math.isfinite(mean)]
    return NonFiniteLoss(
        f"{', '.join(names) or 'a penalty became infinite'} at step {steps + 1} "
        f"(epoch {epoch + 1}, its step {step + 1}).",
        mend=SMALLER,
    )


def _final(run: Assembly, steps: int) -> dict[str, Evaluation]:
    """The evaluation of every split, with predictions of the test split; what the last step broke, no training loss has
    shown."""
    splits = {**run.splits, "train": run.splits["train"].first(TRAIN_EXAMPLES)}
    found = {name: measure(run.network, split, keep=name == "test") for name, split in splits.items()}
    for name, evaluation in found.items():
        for task, result in evaluation.results.items():
            if result.count and not math.isfinite(result.loss):
                where = f"on the {name} split after the last step, {steps}"
                raise NonFiniteLoss(f"the loss of task '{task}' became {result.loss} {where}.", mend=SMALLER)
    return found


def _point(
    epoch: int,
    ledger: Ledger,
    means: Tensor,
    tasks: Sequence[Task],
    results: Mapping[str, Mapping[str, TaskResult]],
    conflict: ConflictMeter,
) -> CurvePoint:
    return CurvePoint(
        epoch=epoch,
        steps=ledger.steps,
        label_uses=ledger.label_uses,
        train_losses={task.name: mean for task, mean in zip(tasks, means.tolist(), strict=True)},
        results=results,
        conflict=conflict.result(),
    )


def _last_score(curve: Sequence[CurvePoint], tasks: Sequence[Task]) -> float | None:
    if not curve:
        return None
    # Where a validation split is held out something is to be chosen, for which nobody should look at the test split.
    results = curve[-1].results.get("val") or curve[-1].results["test"]
    return sum(results[task.name].metrics[task.kind.metrics[0].name] for task in tasks) / len(tasks)


_CURVE = TypeAdapter(list[CurvePoint])
