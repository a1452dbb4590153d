"""Steps that do not wait for a GPU: found on a CPU by the calls that would wait."""

import dataclasses
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from mtbench.contract import NoOptions
from mtbench.errors import NonFiniteLoss, Stopped
from mtbench.plan.parse import parse_method
from mtbench.plan.spec import RunSpec
from mtbench.train import guard, heartbeat, outputs
from mtbench.train.assemble import assemble
from mtbench.train.batches import ahead
from mtbench.train.batches.ahead import Placed, placed
from mtbench.train.evaluate import measure
from mtbench.train.guard import TOGETHER, Guard
from mtbench.train.machine import device
from mtbench.train.trained import train
from mtbench_toys.quadratic import Quadratic, losses_of
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of
from tests.train.waiting import Waits

WITHOUT = [
    *("uniform", "branches+fixed:weights=.2/.3/.5", "branches+dwa", "branches+uw-so", "chmod", "td", "single"),
    "td:bu1_loss=.5",
]
"""Methods whose steps do not wait."""

NETWORK = Quadratic([1.0, 3.0], [[1.0, 0.0], [0.0, 1.0]])
BALANCER = parse_method("uniform").balancer_class(NoOptions(), NETWORK.tasks)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the CPU as a device that one waits for."""
    for module in (device, ahead, guard):
        monkeypatch.setattr(module, "waits", lambda _: True)
    monkeypatch.setattr(heartbeat, "INTERVAL", math.inf)  # twice a second it does wait, which is seldom


def waits_of(spec: RunSpec, steps: int) -> list[str]:
    """Return the calls that would wait in the first steps of a training; it is asked to stop once before them."""
    found, taken = Waits(), 0

    def check_stop() -> None:
        nonlocal taken
        found.counting = 0 < taken < steps
        if taken == steps:
            raise Stopped("enough")
        taken += 1

    with found, pytest.raises(Stopped):
        train(spec, root=Path(), device=CPU, keeper=Memory(), check_stop=check_stop)
    return found.found


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("method", WITHOUT)
def test_a_step_of_these_methods_does_not_wait(method: str) -> None:
    # Adam reads its count of steps, which is on the CPU always.
    assert not waits_of(spec_of(method, "toy-three", batch="4", optimizer="sgd", clip="1"), 20)


@pytest.mark.usefixtures("remote")
def test_a_step_that_reads_its_losses_is_found_to_wait() -> None:
    assert "nonzero" in waits_of(spec_of("moo", "toy-three", batch="4", optimizer="sgd"), 20)


@pytest.mark.usefixtures("remote")
def test_losses_of_many_steps_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "TOGETHER", 10)
    assert waits_of(spec_of("uniform", "toy-all", batch="4", optimizer="sgd"), 21) == ["tolist"] * 2


@pytest.mark.parametrize("method", ["uniform", "branches+dwa", "moo", "td:bu1_loss=.5"])
@pytest.mark.parametrize("dataset", ["toy-partial", "toy-all", "toy-partial:augment=shift"])
def test_weights_are_the_same_bits_where_numbers_are_read_seldom(
    method: str, dataset: str, request: pytest.FixtureRequest
) -> None:
    spec = spec_of(method, dataset, epochs="2")
    at_once = run(spec)
    request.getfixturevalue("remote")
    assert same(at_once, run(spec))


@pytest.mark.usefixtures("remote")
def test_known_rows_are_those_of_the_labels_that_a_step_may_use() -> None:
    split = assemble(spec_of("td", "toy-partial"), root=Path(), device=CPU).splits["train"]
    rows, drawn = torch.arange(50).flip(0), torch.randint(3, (50,), generator=torch.Generator().manual_seed(0))
    for tasks in ([drawn[:30], drawn[30:]], [None, None]):
        chunks = list(zip([rows[:30], rows[30:]], tasks, strict=True))
        for chunk, known in zip(chunks, placed(chunks, split.defined, CPU), strict=True):
            plain, found = split.batch(*chunk), split.batch(*known)
            assert found.known_rows is not None
            assert all(map(torch.equal, found.used_rows, plain.used_rows))
            assert found.counts == plain.counts
            assert torch.equal(found.use, plain.use)


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("step", [1, TOGETHER, TOGETHER + 7])
def test_the_step_that_broke_is_named_however_late_it_is_seen(step: int) -> None:
    watched = Guard(NETWORK.tasks, CPU)

    def go() -> None:
        for number in range(1, 2 * TOGETHER):
            watched.check(losses_of([1.0, math.nan if number >= step else 2.0]), BALANCER, f"at step {number}")
        watched.check_waiting()

    with pytest.raises(NonFiniteLoss, match=rf"^the loss of task 'task1' became nan at step {step}\."):
        go()


@pytest.mark.usefixtures("remote")
def test_a_run_whose_loss_breaks_ends_with_the_step_and_the_task() -> None:
    with pytest.raises(NonFiniteLoss) as late:
        run(spec_of("toy-nan", "toy-all", epochs="2"))
    assert "task 'lower' became nan at step 3 (epoch 1, its step 3)" in str(late.value)


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("method", ["uniform", "td", "single"])
@pytest.mark.parametrize("dataset", ["toy-all", "toy-partial"])
def test_an_evaluation_of_classes_waits_as_often_for_many_batches_as_for_one(
    method: str, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, waits, found = assemble(spec_of(method, dataset), root=Path(), device=CPU), Waits(), []

    def looked_up(*arguments: Any) -> list[Placed]:
        waits.counting = False  # on the CPU, wherever the network is
        chunks = placed(*arguments)
        waits.counting = True
        return chunks

    monkeypatch.setattr(outputs, "placed", looked_up)
    for size in (48, 8):
        monkeypatch.setattr(outputs, "BATCH", size)
        with waits:
            waits.counting = True
            measure(parts.network, dataclasses.replace(parts.splits["test"]))
        found.append(Counter(waits.found))
        waits.found = []
    assert found[0] == found[1]


@pytest.mark.gpu
@pytest.mark.parametrize("method", WITHOUT)
def test_a_step_of_these_methods_does_not_wait_on_a_gpu(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "INTERVAL", math.inf)
    taken = 0

    def check_stop() -> None:
        nonlocal taken
        taken += 1
        if taken == 3:
            torch.cuda.set_sync_debug_mode("error")
        if taken == 20:
            raise Stopped("enough")

    try:
        with pytest.raises(Stopped):
            train(
                spec_of(method, "toy-three", batch="4"),
                root=Path(),
                device=torch.device("cuda"),
                keeper=Memory(),
                check_stop=check_stop,
            )
    finally:
        torch.cuda.set_sync_debug_mode("default")
