"""Print the seconds of a step of the training loop and the peak memory of a process that does nothing else.

``python -m tests.benchmarks.steps METHOD TASKS CLASSES`` trains VGG-11 of a quarter's width on random images of 64 x 64
in batches of 32, one task per image.
"""

import json
import sys
import time

import torch

from mtbench.contract import Classification, Setup, Split, Task, TrainingProtocol
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import Assembly, build
from mtbench.train.cost.memory import peak_memory
from mtbench.train.cost.pace import pace
from mtbench.train.machine.device import deterministic

IMAGES, BATCH, STEPS = 320, 32, 10


def assembled(
    method: str, tasks: int, classes: int, *, images: int = IMAGES, shape: tuple[int, int, int] = (3, 64, 64)
) -> Assembly:
    """Return a run of a method, which names its backbone, on random images and labels."""
    chosen = parse_method(method)
    assert chosen.backbone is not None
    torch.manual_seed(0)
    split = Split(
        inputs=torch.randint(256, (images, *shape), dtype=torch.uint8),
        targets=tuple(torch.randint(classes, (images,)) for _ in range(tasks)),
        defined=torch.ones(images, tasks, dtype=torch.bool),
        mean=(0.5,) * shape[0],
        std=(0.25,) * shape[0],
    )
    setup = Setup(
        tasks=tuple(Task(name=f"task {index}", kind=Classification(classes=classes)) for index in range(tasks)),
        backbone_class=chosen.backbone.backbone_class,
        backbone_options=chosen.backbone.options,
        input_shape=shape,
        seed=0,
    )
    network, balancer = build(chosen, setup), chosen.balancer_class(chosen.balancer_options, setup.tasks)
    return Assembly(
        tasks=setup.tasks, splits={"train": split, "test": split}, network=network, balancer=balancer, setup=setup
    )


def main(method: str, tasks: int, classes: int) -> None:
    """Train until there were `STEPS` steps, and print what they took and the number of parameters."""
    deterministic(torch.device("cpu"), "float32")
    run = assembled(f"{method}@vgg11:width=.25", tasks, classes)
    found = pace(run, TrainingProtocol(epochs=3, batch=BATCH), seconds=0, at_least=STEPS, clock=time.process_time)
    total = sum(parameter.numel() for parameter in run.network.parameters())
    peak = peak_memory() / 2**20
    sys.stdout.write(json.dumps({"seconds": found.seconds / found.steps, "peak": peak, "parameters": total}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
