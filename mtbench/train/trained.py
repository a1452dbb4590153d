"""A run from its beginning to what it gives to be recorded."""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.plan.parse import parse_backbone, parse_dataset
from mtbench.plan.spec import RunSpec
from mtbench.store.diagnosis import Selectivity
from mtbench.store.record import Cost, CurvePoint, Environment, Parameters, PhaseInfo, TaskInfo, TaskResult
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.cost import Ledger, count_macs, count_parameters
from mtbench.train.device import deterministic
from mtbench.train.environment import environment
from mtbench.train.evaluate import predict
from mtbench.train.loop import Keeper, fit
from mtbench.train.phases import Phase, phases
from mtbench.train.progress import Progress
from mtbench.train.selectivity import measure_selectivity

__all__ = ["Trained", "train"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a finished training gives to be recorded.

    Attributes:
        model: the final weights and buffers by name, on the CPU.
        predictions: the final test predictions (N,) uint8, by task.
        phases: in order, where a task was added; empty where everything was trained at once.
        results: by split (``test``, ``train`` and, if held out, ``val``) and task, after the last epoch.
        selectivity: see `Record`.
    """

    model: Mapping[str, Tensor]
    predictions: Mapping[str, NDArray[np.uint8]]
    phases: tuple[PhaseInfo, ...]
    tasks: tuple[TaskInfo, ...]
    training_examples: int
    results: Mapping[str, Mapping[str, TaskResult]]
    curve: tuple[CurvePoint, ...]
    cost: Cost
    parameters: Parameters
    environment: Environment
    selectivity: Selectivity | None


def train(
    spec: RunSpec,
    *,
    root: Path,
    device: torch.device,
    keeper: Keeper,
    watch: Callable[[Progress], None] = lambda _: None,
    points: Collection[int] | None = None,
) -> Trained:
    """Train one run from its beginning, or from where `keeper` left off, to its last epoch, and take stock.

    Args:
        root: the folder of the data files.
        keeper, watch, points: see `fit`.

    Raises:
        UsageError, NonFiniteLoss: see `fit`.
    """
    deterministic(device, spec.protocol.precision)
    run = assemble(spec, root=root, device=device)
    plan = phases(run, spec.protocol)
    ledger, curve = fit(run, spec.protocol, keeper=keeper, watch=watch, points=points, plan=plan)
    return _trained(spec, run, plan, ledger, curve, device)


def _trained(
    spec: RunSpec,
    run: Assembly,
    plan: Sequence[Phase],
    ledger: Ledger,
    curve: list[CurvePoint],
    device: torch.device,
) -> Trained:
    default = parse_backbone(parse_dataset(str(spec.dataset)).dataset_class.default_backbone)
    setup = dataclasses.replace(run.setup, backbone_class=default.backbone_class, backbone_options=default.options)
    one = run.splits["test"].first(1)
    macs = count_macs(run.network.eval(), one.batch(torch.zeros(1, dtype=torch.long, device=device)).inputs)
    predictions = {name: part.numpy() for name, part in predict(run.network, run.splits["test"]).items()}
    return Trained(
        model={name: value.detach().cpu().contiguous() for name, value in run.network.state_dict().items()},
        predictions=predictions,
        phases=tuple(phase.info(run.network) for phase in plan if len(plan) > 1),
        tasks=tuple(map(TaskInfo.of, run.tasks)),
        training_examples=len(run.splits["train"]),
        results=curve[-1].results,
        curve=tuple(curve),
        cost=ledger.cost(device, macs),
        parameters=count_parameters(run.network, setup),
        environment=environment(device),
        selectivity=_selectivity(spec, run),
    )


def _selectivity(spec: RunSpec, run: Assembly) -> Selectivity | None:
    """After the ledger is closed: its seconds and its memory are none of the training's."""
    if "selectivity" not in spec.protocol.diagnostics:
        return None
    train, test = run.splits["train"], run.splits["test"]
    return measure_selectivity(run.network, train, test, batch=spec.protocol.batch, seed=spec.seed)
