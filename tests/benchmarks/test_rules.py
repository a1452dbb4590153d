"""Time of a step with each rule that combines gradients over one of uniform, with few tasks and with many.

The network is LeNet on random images, small enough for the rule to be a part of the step that can be seen.
"""

import pytest
import torch

from mtbench.contract import Classification, Setup, Split, Task
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import Assembly, build
from mtbench.train.device import deterministic
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


def assembled(method: str, tasks: int) -> Assembly:
    """Return a run of LeNet with a branch per task on random images and labels."""
    chosen = parse_method(f"{method}@lenet")
    assert chosen.backbone is not None
    torch.manual_seed(0)
    split = Split(
        inputs=torch.randint(256, (IMAGES, 1, 28, 28), dtype=torch.uint8),
        targets=tuple(torch.randint(CLASSES, (IMAGES,)) for _ in range(tasks)),
        defined=torch.ones(IMAGES, tasks, dtype=torch.bool),
        mean=(0.13,),
        std=(0.31,),
    )
    setup = Setup(
        tasks=tuple(Task(name=f"task {index}", kind=Classification(classes=CLASSES)) for index in range(tasks)),
        backbone_class=chosen.backbone.backbone_class,
        backbone_options=chosen.backbone.options,
        input_shape=(1, 28, 28),
        seed=0,
    )
    network, balancer = build(chosen, setup), chosen.balancer_class(chosen.balancer_options, setup.tasks)
    return Assembly(
        tasks=setup.tasks, splits={"train": split, "test": split}, network=network, balancer=balancer, setup=setup
    )


@pytest.mark.parametrize("tasks", [3, 40])
def test_a_step_of_every_rule_over_uniform(tasks: int, capsys: pytest.CaptureFixture[str]) -> None:
    deterministic(torch.device("cpu"), "float32")
    runs = {
        name: assembled("uniform" if name == "uniform" else f"branches+{name}", tasks) for name in ("uniform", *RULES)
    }
    medians = in_turn({name: stepper(run, batch_size=BATCH) for name, run in runs.items()}, warm=3, rounds=25)
    for name, seconds in medians.items():
        ratio = seconds / medians["uniform"]
        show(capsys, f"step of {name:18} / uniform, T = {tasks:2}  {ratio:6.2f}  {1000 * seconds:6.1f} ms")
    assert medians.keys() == runs.keys()
