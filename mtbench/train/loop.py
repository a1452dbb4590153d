"""The training loop for every network, every balancer and every kind of task."""

import dataclasses
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from pydantic import TypeAdapter
from torch import Tensor

from mtbench.contract import Task, TrainingProtocol, reseed, stream
from mtbench.contract.promises import check_losses, check_metrics
from mtbench.errors import NonFiniteLoss, UnfitState, is_out_of_memory
from mtbench.store.record import CurvePoint
from mtbench.train.assemble import Assembly
from mtbench.train.batches.ahead import placed
from mtbench.train.batches.prefetch import batches
from mtbench.train.cost.ledger import Ledger
from mtbench.train.diagnostics.conflict import ConflictMeter
from mtbench.train.diagnostics.weights import WeightMeter
from mtbench.train.evaluate import Evaluation, measure
from mtbench.train.guard import SMALLER, Guard
from mtbench.train.heartbeat import Heartbeat
from mtbench.train.network.buffers import after_step
from mtbench.train.optimizer.absence import absences
from mtbench.train.optimizer.build import build_optimizer, set_learning_rate
from mtbench.train.optimizer.registration import check_phases, check_registered, known_to
from mtbench.train.phases import Phase, phases
from mtbench.train.progress import Progress
from mtbench.train.resumption import check_curve, check_plain_parts, restore_optimizer
from mtbench.train.selection import best_epochs, keep_best

__all__ = ["TRAIN_EXAMPLES", "Fitted", "Keeper", "curve_epochs", "fit"]

TRAIN_EXAMPLES = 10_000
"""The number of training examples that the final record measures in evaluation mode."""
POINTS = 20
"""The largest number of points of a curve, unless the training protocol requests more."""
LAST = 10
"""The number of last epochs that all have a point if the training protocol's curve is ``last10``."""


class Keeper(Protocol):
    """A store for a run's state between attempts."""

    def restore(self) -> dict[str, Any] | None:
        """Return the last state kept, or None."""

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        """Store a state of tensors and plain values, and the curve up to it."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The outcome of a training; the network has the weights that are reported.

    Attributes:
        ledger: the resources that were used.
        curve: the points that were measured.
        selected_epochs: the number of epochs after which the network had the reported weights, by task.
        final: the evaluation of each split with these weights; that of the test split includes predictions.
    """

    ledger: Ledger
    curve: list[CurvePoint]
    selected_epochs: Mapping[str, int]
    final: Mapping[str, Evaluation]


def fit(
    run: Assembly,
    protocol: TrainingProtocol,
    *,
    keeper: Keeper,
    watch: Callable[[Progress], None] = lambda _: None,
    points: Collection[int] | None = None,
    plan: Sequence[Phase] = (),
    check_stop: Callable[[], None] = lambda: None,
) -> Fitted:
    """Train a run, and leave the network with the weights that the training protocol selects.

    Args:
        watch: called with the progress about twice a second.
        points: epochs after which the curve has a point, in addition to the last epoch of each phase; by default those
            of `curve_epochs`. It changes no weight; with ``select=best-val`` one of these is selected.
        plan: the `phases` of the run, if they are known already.
        check_stop: called before each step and each batch of an evaluation; it raises Stopped to end the run there.

    Raises:
        UnfitState: the stored state does not fit the run, part of which it may have changed.
        UsageError: no training example has a label, nothing belongs only to the task that is added, the optimizer has
            nothing to do, or no epoch can be selected.
        PluginError: a number that a plug-in declares is never trained, evaluation does not match its declaration, or a
            plug-in returns a tensor of another shape than the contract states, or other metrics.
        NonFiniteLoss: a task's loss became NaN or infinite; the text names the step and the task.
        NegativeLoss: a task's loss is negative, and the balancer is not defined for it; the text names both.
    """
    network, seed, device = run.network, run.setup.seed, run.splits["train"].defined.device
    plan = plan or phases(run, protocol)
    check_phases(network, plan)
    check_metrics(network.tasks)
    epochs = plan[-1].end
    one_task = protocol.draws_one_task(native=network.one_task)
    clip = protocol.clipping
    groups = network.clip_groups(shared=clip.shared) if clip.norm else []
    kept_of_absent = absences(run, plan, one_task=one_task)
    ledger, curve, finished = Ledger(), list[CurvePoint](), 0
    selects, selected = protocol.select == "best-val", None
    weights, guard = WeightMeter(run.tasks, device), Guard(run.tasks, device)
    if (state := keeper.restore()) is not None:
        with _fitting():
            check_plain_parts(state, epochs=epochs, tasks=len(run.tasks), network=network.state_dict())
            network.load_state_dict(state["network"])
            run.balancer.load_state_dict(state["balancer"])
            ledger, curve, finished = Ledger(**state["ledger"]), _CURVE.validate_python(state["curve"]), state["epoch"]
            check_curve(curve, run.tasks, "val" if protocol.validation else "test")
            selected = state["selected"] if selects else None
            weights.restore(state["weights"])
    phase = _phase(plan, finished)
    optimizer = build_optimizer(protocol, network, phase)
    if state is not None and finished > phase.start:
        with _fitting():
            restore_optimizer(optimizer, state["optimizer"])
    norm_batch = protocol.batch if protocol.norm_eval == "batch" else 0
    evaluate = partial(measure, network, norm_batch=norm_batch, check_stop=check_stop)
    measured = _measured(run, protocol)
    where = {*(curve_epochs(epochs, protocol.curve) if points is None else points), *(phase.end for phase in plan)}
    final: Mapping[str, Evaluation] = {}
    beat = Heartbeat(watch, run.tasks, epochs=epochs, score=_last_score(curve, run.tasks))

    for epoch in range(finished, epochs):
        phase = _phase(plan, epoch)
        reseed(seed, "epoch", epoch)  # for modules that draw, such as dropout, and for `begin_phase` and `welcome`
        if epoch == phase.start and len(plan) > 1:
            network.begin_phase(phase.name)
            if phase.adds is not None:
                network.welcome(phase.adds)
            if epoch:
                optimizer = build_optimizer(protocol, network, phase)
        rate = protocol.learning_rate(epoch - phase.start)
        network.begin_epoch(epoch - phase.start, phase.epochs)
        absence = kept_of_absent[phase.name]
        balancer, split = phase.balancer, phase.split.augmented(run.tasks, stream(seed, "augment", epoch))
        visits = phase.visits(run.tasks, seed=seed, epoch=epoch, one_task=one_task)
        chunks = placed(visits.batches(protocol.batch), phase.defined, device)
        lost, total, used = torch.zeros(3, len(run.tasks), dtype=torch.float64, device=device)
        wanted = "conflict" in protocol.diagnostics and epoch + 1 in where and len(phase.shown) > 1
        phase.enter(network)
        conflict = ConflictMeter(network, split, ledger, wanted=wanted)
        ledger.tick()
        for step, batch in enumerate(batches(split, chunks)):
            check_stop()
            if phase.split.augment and not any(batch.present):  # of what was moved nothing is left to learn
                continue
            optimizer.zero_grad()
            conflict.observe(batch.rows)
            losses = balancer.backward(network, batch)
            check_losses(losses, balancer)
            where_it_is = f"at step {ledger.steps + 1} (epoch {epoch + 1}, its step {step + 1})"
            guard.check(losses, balancer, where_it_is)
            absence.drop_gradients(batch)
            for group in groups:
                torch.nn.utils.clip_grad_norm_(group, clip.norm)
            set_learning_rate(optimizer, rate * protocol.warm_up(epoch - phase.start + (step + 1) / len(chunks)))
            with absence.held(optimizer, batch):
                optimizer.step()
            if (after := after_step(balancer, network, batch)) is not None:
                guard.check(after, balancer, f"after the update {where_it_is}")
            if not step:
                check_registered(network, phase, known_to(optimizer))
            weights.observe(losses)
            lost += losses.means.detach() * losses.counts
            total += losses.totals.detach() * losses.counts
            used += losses.counts
            ledger.steps += 1
            ledger.unsolved += not losses.solved
            ledger.forward_passes += (
                len(batch.rows) * batch.inputs_per_example * network.passes(batch) * (1 + balancer.forwards)
            )
            beat.step(epoch, step + 1, len(chunks), losses)
        guard.check_waiting()
        ledger.label_uses += int(used.sum())
        ledger.tick(training=True)
        phase.leave(network)
        balancer.end_epoch(total / used)
        check_registered(network, phase, known_to(optimizer))
        if epoch + 1 in where:
            if epoch + 1 == epochs and not selects:
                found = final = _final(run, ledger.steps, evaluate)
            else:
                found = {name: evaluate(run.splits[name], batches=run.batches_of(name)) for name in measured}
            curve.append(_point(epoch + 1, ledger, lost / used, run.tasks, found, conflict, weights))
            weights.clear()
            if selects:
                selected = keep_best(selected, network, curve, run.tasks)
            beat.score = _last_score(curve, run.tasks)
        keeper.keep(
            {
                "epoch": epoch + 1,
                "network": network.state_dict(),
                "balancer": run.balancer.state_dict(),
                "optimizer": optimizer.state_dict(),
                "ledger": ledger.state(),
                "curve": [dataclasses.asdict(point) for point in curve],
                "selected": selected,
                "weights": weights.state(),
            },
            curve,
        )
    if selected is not None:
        network.load_state_dict(selected)
    return Fitted(
        ledger=ledger,
        curve=curve,
        selected_epochs=dict.fromkeys((task.name for task in run.tasks), epochs)
        if selected is None
        else best_epochs(network, curve, run.tasks),
        # Resumed after the last epoch, or with another one selected, there is no evaluation of these weights yet.
        final=final or _final(run, ledger.steps, evaluate),
    )


def _phase(plan: Sequence[Phase], epoch: int) -> Phase:
    """Return the phase of an epoch, counted from 0; the last one if all epochs are over."""
    return next((phase for phase in plan if epoch < phase.end), plan[-1])


def _measured(run: Assembly, protocol: TrainingProtocol) -> list[str]:
    """Return the splits that every point of the curve is measured on; a trial of a search has no test split."""
    if not protocol.validation:
        return ["test"]
    return ["val", "test"] if "test-curve" in protocol.diagnostics and "test" in run.splits else ["val"]


def curve_epochs(epochs: int, points: str = "20") -> set[int]:
    """Return the epochs after which a curve has a point, including the last one.

    Args:
        points: the training protocol's ``curve``. With ``5`` or ``20`` each of up to that many epochs, else that many
            evenly spaced ones; with ``last10`` those of ``20`` and each of the last ten; with ``all`` each epoch.
    """
    count = {"5": 5, "all": epochs}.get(points, POINTS)
    if epochs <= count:
        return set(range(1, epochs + 1))
    spaced = {round(point * epochs / count) for point in range(1, count + 1)}
    return spaced | set(range(epochs - LAST + 1, epochs + 1)) if points == "last10" else spaced


@contextmanager
def _fitting() -> Iterator[None]:
    """Turn an error within the block into UnfitState, unless memory ran out."""
    try:
        yield
    except Exception as cause:  # networks, balancers and optimizers have their own exceptions for a foreign state
        if is_out_of_memory(cause):
            raise
        raise UnfitState(f"its state does not fit the run: {type(cause).__name__}: {cause}") from cause


def _final(run: Assembly, steps: int, evaluate: Callable[..., Evaluation]) -> Mapping[str, Evaluation]:
    """Return the evaluation of every split, with predictions of the test split.

    Args:
        evaluate: `measure` of the run's network.

    Raises:
        NonFiniteLoss: the last step broke a loss, which no training loss has shown.
    """
    splits = {**run.splits, "train": run.splits["train"].first(TRAIN_EXAMPLES)}
    found = {name: evaluate(split, keep=name == "test", batches=run.batches_of(name)) for name, split in splits.items()}
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
    found: Mapping[str, Evaluation],
    conflict: ConflictMeter,
    weights: WeightMeter,
) -> CurvePoint:
    return CurvePoint(
        epoch=epoch,
        steps=ledger.steps,
        label_uses=ledger.label_uses,
        train_losses={task.name: mean for task, mean in zip(tasks, means.tolist(), strict=True)},
        results={split: evaluation.results for split, evaluation in found.items()},
        conflict=conflict.result(),
        same_images=conflict.result_on_same_images(),
        weights=weights.result(),
        batch_means=found["test"].batch_means if "test" in found else (),
    )


def _last_score(curve: Sequence[CurvePoint], tasks: Sequence[Task]) -> float | None:
    if not curve:
        return None
    # If a validation split is held out something is to be chosen, for which the test split must not be used.
    results = curve[-1].results.get("val") or curve[-1].results["test"]
    alike = len({task.kind.metrics[0] for task in tasks}) == 1  # else a mean of them would mean nothing
    found = [results[task.name].metrics[task.kind.metrics[0].name] for task in (tasks if alike else tasks[:1])]
    return sum(found) / len(found)


_CURVE = TypeAdapter(list[CurvePoint])
