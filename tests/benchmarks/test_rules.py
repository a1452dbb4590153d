"""Time of a step with each rule that combines gradients over one of uniform, with few tasks and with many.

The network is LeNet on random images, small enough for the rule to be a part of the step that can be seen.
"""

import pytest
import torch

from mtbench.train.machine.device import deterministic
from tests.benchmarks.steps import assembled
from tests.benchmarks.test_speed import in_turn, show, stepper

IMAGES, BATCH, CLASSES = 256, 32, 4
RULES = (
    "mgda",
    "cagrad",
    "upgrad",
    "dualproj",
    "imtl-g",
    "config",
    "aligned-mtl",
    "nash-mtl",
    "fairgrad",
    "fairgrad:alpha=10",
    "pcgrad",
    "gradvac",
    "graddrop",
    "db-mtl",
)

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize("tasks", [3, 40])
def test_a_step_of_every_rule_over_uniform(tasks: int, capsys: pytest.CaptureFixture[str]) -> None:
    deterministic(torch.device("cpu"), "float32")
    runs = {
        name: assembled(f"branches+{name}@lenet", tasks, CLASSES, images=IMAGES, shape=(1, 28, 28))
        for name in ("uniform", *RULES)
    }
    medians = in_turn(
        {name: stepper(run, batch_size=BATCH) for name, run in runs.items()}, warm=2, rounds=25 if tasks < 10 else 8
    )
    for name, seconds in medians.items():
        ratio = seconds / medians["uniform"]
        show(capsys, f"step of {name:18} / uniform, T = {tasks:2}  {ratio:6.2f}  {1000 * seconds:6.1f} ms")
    assert medians.keys() == runs.keys()
