"""Ratios measured in one run on one core. Nothing is asserted of time; `make benchmark` prints the table.

Each pair is timed in turn, A B A B ..., in CPU seconds; the ratio printed is that of the medians.
"""

import copy
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
import torch
from torch import Tensor, nn

from mtbench import registry
from mtbench.contract import BatchNorm
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.batches.order import draw_tasks
from mtbench.train.machine.device import deterministic

CPU = torch.device("cpu")
IMAGES, EPOCHS, STEPS = 12_800, 9, 12

pytestmark = pytest.mark.benchmark


def spec_of(method: str, dataset: str = "mmnist3", **settings: str) -> RunSpec:
    settings = {"images": str(IMAGES), "epochs": str(EPOCHS), **settings}
    return plan(Request(methods=[method], datasets=[dataset], settings=settings, seeds=[0]))[0]


def show(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        print(f"\n  {line}", end="")  # noqa: T201


def stepper(run: Assembly, *, batch_size: int = 512, nchw: bool = False) -> Callable[[], float]:
    """Return one optimizer step; gives its CPU seconds."""
    network, split = run.network, run.splits["train"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    drawn = draw_tasks(split.defined, torch.Generator().manual_seed(0)) if network.one_task else None

    def step() -> float:
        rows = torch.randperm(len(split))[:batch_size]
        started = time.process_time()
        batch = split.batch(rows, None if drawn is None else drawn[rows])
        if nchw:
            assert isinstance(batch.inputs, Tensor)
            # One channel is contiguous in either format; only a copy has the strides of this one.
            inputs = batch.inputs.clone(memory_format=torch.contiguous_format)
            batch = dataclasses.replace(batch, inputs=inputs)
        optimizer.zero_grad()
        run.balancer.backward(network, batch)
        optimizer.step()
        run.balancer.after_step(network, batch)
        return time.process_time() - started

    return step


def in_turn(steppers: dict[str, Callable[[], float]], *, warm: int = 2, rounds: int = STEPS) -> dict[str, float]:
    """Return the median CPU seconds of each, timed in turn after some rounds of warming up."""
    times: dict[str, list[float]] = {name: [] for name in steppers}
    for number in range(warm + rounds):
        for name, step in steppers.items():
            seconds = step()
            if number >= warm:
                times[name].append(seconds)
    return {name: median(seconds) for name, seconds in times.items()}


def goal(method: str) -> float | None:
    """Return what a step may take, as a multiple of uniform's: MGDA-UB 1.2, on each task's gradient T x 0.8 + 0.4."""
    if method == "moo":
        return 1.2
    combines = ("branches+pcgrad", "branches+imtl-g", "branches+mgda", "branches+aligned-mtl")
    return 3 * 0.8 + 0.4 if method in combines else None


def test_a_step_of_every_method_over_uniform(data_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deterministic(CPU, "float32")
    left_out: list[str] = []
    request = Request(methods=["all"], datasets=["mmnist3"], settings={"images": str(IMAGES)}, seeds=[0])
    planned = plan(request, left_out=left_out.append)
    parts = {"method": "network", "balancer": "balancer"}
    specs = {
        spec.titles.method: spec
        for spec in planned
        if all(registry.find(kind, getattr(spec, part).name).distribution == "mtbench" for kind, part in parts.items())
    }
    runs = {method: assemble(spec, root=data_root, device=CPU) for method, spec in specs.items()}
    medians = in_turn({method: stepper(run) for method, run in runs.items()})
    for method, seconds in sorted(medians.items(), key=lambda item: item[1]):
        limit = goal(method)
        said = "" if limit is None else f"  (goal {limit:g})"
        ratio = seconds / medians["uniform"]
        show(capsys, f"step of {method:26} / uniform {ratio:5.2f}  {1000 * seconds:4.0f} ms{said}")
    for line in left_out:
        show(capsys, line)
    assert medians.keys() == specs.keys()
    assert len(medians) >= 40


@pytest.mark.parametrize("method", ["uniform", "td"])
def test_a_step_in_channels_last_over_one_in_nchw(
    method: str, data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deterministic(CPU, "float32")
    last = assemble(spec_of(method), root=data_root, device=CPU)
    chosen = spec_of(method).resolve().method
    first = dataclasses.replace(last, network=chosen.network_class(chosen.network_options, last.setup))
    medians = in_turn({"last": stepper(last), "first": stepper(first, nchw=True)})
    ratio = medians["last"] / medians["first"]
    show(capsys, f"step of {method:9} in channels last / NCHW  {ratio:5.2f}")
    assert ratio > 0


@pytest.mark.parametrize(("method", "batch_size"), [("mtan", 512), ("branches@resnet18:width=.25", 128)])
def test_a_step_with_exact_batch_normalization_over_one_with_torchs(
    method: str, batch_size: int, data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deterministic(CPU, "float32")
    exact = assemble(spec_of(method), root=data_root, device=CPU)
    torchs = dataclasses.replace(exact, network=copy.deepcopy(exact.network))
    for module in torchs.network.modules():
        if isinstance(module, BatchNorm):
            module.__class__ = nn.BatchNorm2d  # type: ignore[assignment]
    runs = {"exact": exact, "torch": torchs}
    medians = in_turn({name: stepper(run, batch_size=batch_size) for name, run in runs.items()})
    ratio = medians["exact"] / medians["torch"]
    show(
        capsys,
        f"step of {method} with exact batch normalization / torch's {ratio:5.2f}  "
        f"{1000 * medians['exact']:4.0f} / {1000 * medians['torch']:4.0f} ms",
    )
    assert ratio > 0
