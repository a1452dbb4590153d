"""A run from its beginning to the results to be recorded."""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.plan.spec import RunSpec
from mtbench.store.record import (
    SELECTED,
    TRAINING_MACS,
    BatchMeans,
    Constant,
    Cost,
    CurvePoint,
    Environment,
    Measurement,
    Parameters,
    PhaseInfo,
    TaskInfo,
    TaskResult,
)
from mtbench.store.record.diagnosis import Selectivity
from mtbench.store.record.numerics import Numerics
from mtbench.store.record.pointing import Pointing
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.cost.ledger import count_macs, count_parameters
from mtbench.train.cost.passes import count_training_macs
from mtbench.train.diagnostics.ceilings import ceilings
from mtbench.train.diagnostics.constants import constants
from mtbench.train.diagnostics.distances import distances
from mtbench.train.diagnostics.pointing import measure_pointing
from mtbench.train.diagnostics.selectivity import measure_selectivity
from mtbench.train.loop import Fitted, Keeper, fit
from mtbench.train.machine.device import deterministic
from mtbench.train.machine.environment import environment
from mtbench.train.machine.numerics import numerics
from mtbench.train.phases import Phase, phases
from mtbench.train.progress import Progress

__all__ = ["Trained", "train"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The outcome of a finished training, to be recorded.

    Attributes:
        model: the reported weights and buffers by name, on the CPU: those of the selected epochs.
        predictions: the test predictions (N, ...) of each task that the test metrics were computed from, in the dtype
            of the kind of task; none of a trial of a search.
        images: (N, V) int32, the numbers of the images that make up each test example; None if each is an image.
        not_stored: the reason in a sentence for each task whose predictions are too large to be stored.
        phases: the phases in order, if there are several; empty if everything was trained at once.
        results: results by split (``test`` unless it is a trial of a search, ``train`` and, if held out, ``val``) and
            task, with the reported weights.
        selected_epoch: the last epoch, or with ``select=best-val`` the chosen one; counted from 1. If tasks share
            nothing each has one of its own: this is the last of these, and `measurements` has them all.
        selectivity, constants, pointing, batch_means, measurements: see `Record`.
    """

    model: Mapping[str, Tensor]
    predictions: Mapping[str, NDArray[Any]]
    images: NDArray[np.int32] | None
    not_stored: Mapping[str, str]
    phases: tuple[PhaseInfo, ...]
    tasks: tuple[TaskInfo, ...]
    training_examples: int
    results: Mapping[str, Mapping[str, TaskResult]]
    selected_epoch: int
    curve: tuple[CurvePoint, ...]
    cost: Cost
    parameters: Parameters
    environment: Environment
    numerics: Numerics
    selectivity: Selectivity | None
    constants: Mapping[str, Constant]
    pointing: Pointing | None
    batch_means: tuple[BatchMeans, ...]
    measurements: Mapping[str, Measurement]


def train(
    spec: RunSpec,
    *,
    root: Path,
    device: torch.device,
    keeper: Keeper,
    watch: Callable[[Progress], None] = lambda _: None,
    points: Collection[int] | None = None,
    check_stop: Callable[[], None] = lambda: None,
) -> Trained:
    """Train one run from its beginning, or from the state in `keeper`, to its last epoch, and collect its results.

    Args:
        root: the folder of the data files.
        keeper, watch, points: see `fit`.
        check_stop: see `fit`; called between other parts of the work too.

    Raises:
        UsageError, NonFiniteLoss, UnfitState: see `fit`.
    """
    program = environment()  # as it is now: files and commits may change while a run is trained
    deterministic(device, spec.protocol.precision)
    run = assemble(spec, root=root, device=device)
    check_stop()
    plan = phases(run, spec.protocol)
    fitted = fit(run, spec.protocol, keeper=keeper, watch=watch, points=points, plan=plan, check_stop=check_stop)
    return _trained(spec, run, plan, fitted, device, program, check_stop)


def _trained(
    spec: RunSpec,
    run: Assembly,
    plan: Sequence[Phase],
    fitted: Fitted,
    device: torch.device,
    program: Environment,
    check_stop: Callable[[], None],
) -> Trained:
    default = spec.resolve().default_backbone
    setup = dataclasses.replace(run.setup, backbone_class=default.backbone_class, backbone_options=default.options)
    train, test, tested = run.splits["train"], run.splits.get("test"), fitted.final.get("test")
    one, members = run.held_out.first(1), None if test is None else test.members
    example = one.batch(torch.zeros(1, dtype=torch.long, device=device))
    macs = count_macs(run.network.eval(), example.inputs)
    passes = fitted.ledger.forward_passes
    spent = count_training_macs(run.network, spec.protocol, macs=macs, one=example, passes=passes)
    return Trained(
        model={name: value.detach().cpu().contiguous() for name, value in run.network.state_dict().items()},
        predictions={name: part.numpy() for name, part in tested.predictions.items()} if tested else {},
        images=None if members is None else members.cpu().numpy().astype(np.int32),
        not_stored=tested.not_stored if tested else {},
        phases=tuple(phase.info(run.network) for phase in plan if len(plan) > 1),
        tasks=tuple(map(TaskInfo.of, run.tasks)),
        training_examples=len(train),
        results={split: evaluation.results for split, evaluation in fitted.final.items()},
        selected_epoch=max(fitted.selected_epochs.values()),
        curve=tuple(fitted.curve),
        cost=fitted.ledger.cost(device, macs),
        parameters=count_parameters(run.network, setup),
        environment=program,
        numerics=numerics(device, (type(run.network), type(run.balancer))),
        selectivity=_selectivity(spec, run),
        constants={} if test is None else constants(run.tasks, train, test),
        pointing=measure_pointing(run.network, train, test, tested.predictions, check_stop=check_stop)
        if test is not None and tested is not None
        else None,
        batch_means=tested.batch_means if tested else (),
        measurements={
            **({} if test is None else ceilings(run.tasks, test)),
            **distances(run.network),
            **_unlike_epochs(fitted.selected_epochs),
            TRAINING_MACS: Measurement(value=spent),
        },
    )


def _unlike_epochs(selected: Mapping[str, int]) -> dict[str, Measurement]:
    """Return the epoch of the weights by task, if tasks have different ones."""
    if len(set(selected.values())) == 1:
        return {}
    return {SELECTED + task: Measurement(value=epoch) for task, epoch in selected.items()}


def _selectivity(spec: RunSpec, run: Assembly) -> Selectivity | None:
    """Measure the selectivity, after the ledger is closed: its seconds and memory are no part of training."""
    if "selectivity" not in spec.protocol.diagnostics or spec.trial:
        return None
    train, test = run.splits["train"], run.splits["test"]
    return measure_selectivity(run.network, train, test, batch=spec.protocol.batch, seed=spec.seed)
