"""A step of retrieval with all 20 tasks' triplets, over hand-written ones of the same network and loss.

The size is that of celeba20: 3 triplets of each task, 180 images of 150 x 150; the network has a quarter of its width,
for full steps take half a minute each on a core. Channels are modulated from block 4 on.
"""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Retrieval, Setup, Split, Task
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import Assembly, build
from mtbench.train.machine.device import deterministic
from tests.benchmarks.test_speed import in_turn, show, stepper

TASKS, EACH, SIDE = 20, 3, 150
ROUNDS = 6
WIDTHS = (8, 16, 32, 32, 32)
IMAGES = TASKS * EACH * 3

pytestmark = pytest.mark.benchmark


def norm(channels: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels, eps=0.001, momentum=0.1)
    layer.weight.requires_grad = False
    return layer


def convolution(inputs: int, outputs: int, padding: int) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False)
    return nn.Sequential(layer, norm(outputs), nn.ReLU())


class Bare(nn.Module):
    """A network as one would write it by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.first = convolution(3, WIDTHS[0], 0)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(inputs, outputs, 0), nn.MaxPool2d(2)) for inputs, outputs in pairwise(WIDTHS)
        )
        self.beside = nn.ModuleList(
            nn.Sequential(convolution(width, width, 1), convolution(width, width, 1)) for width in WIDTHS[1:]
        )
        self.fc = nn.Linear(WIDTHS[-1] * 49, 256, bias=False)
        self.norm = norm(256)
        self.factors = nn.ParameterList(torch.ones(TASKS, width) for width in (*WIDTHS[3:], 256))

    def forward(self, x: Tensor, task: Tensor) -> Tensor:
        x = self.first(x)
        for index, (down, beside) in enumerate(zip(self.down, self.beside, strict=True)):
            x = down(x)
            x = x + beside(x)
            if index >= 2:
                x = x * self.factors[index - 2][task][:, :, None, None]
        z = self.norm(self.fc(x.flatten(1))[:, :, None, None]).flatten(1).relu()
        return nn.functional.normalize(z * self.factors[2][task], eps=1e-6)


def losses(embeddings: Tensor) -> Tensor:
    anchor, near, far = embeddings.view(-1, 3, 256).unbind(1)
    return ((anchor - near).square().sum(1) - (anchor - far).square().sum(1) + 0.2).relu()


def by_hand(
    images: Tensor, task: Tensor, *, layout: torch.memory_format, every_task: bool = False
) -> Callable[[], float]:
    """Return a step on all images; gives its CPU seconds. With `every_task` each image goes through once for each
    task."""
    network = Bare().to(memory_format=layout)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-3)

    def step() -> float:
        started = time.process_time()
        x = images.to(torch.float32, memory_format=layout).div_(255).sub_(0.5).div_(0.25)
        optimizer.zero_grad()
        if every_task:
            for each in range(TASKS):
                used = losses(network(x, task.new_full((len(x),), each)))[task[::3] == each]
                (used.sum() / len(task[::3])).backward()  # type: ignore[no-untyped-call]
        else:
            losses(network(x, task)).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return time.process_time() - started

    return step


def assembled(method: str) -> Assembly:
    """Return a run on random images, whose triplets take the tasks in turn."""
    chosen = parse_method(f"{method}@retrieval:width=.25:decay=.9")
    assert chosen.backbone is not None
    torch.manual_seed(0)
    members = torch.arange(IMAGES).view(-1, 3)
    owner = torch.arange(TASKS * EACH) % TASKS
    targets = Retrieval.targets(members, torch.tensor([1, 1, 0]).expand(members.shape))
    split = Split(
        inputs=torch.randint(256, (IMAGES, 3, SIDE, SIDE), dtype=torch.uint8),
        targets=(targets,) * TASKS,
        defined=owner[:, None] == torch.arange(TASKS),
        members=members,
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
    )
    setup = Setup(
        tasks=tuple(Task(name=f"task {index}", kind=Retrieval()) for index in range(TASKS)),
        backbone_class=chosen.backbone.backbone_class,
        backbone_options=chosen.backbone.options,
        input_shape=(3, SIDE, SIDE),
        seed=0,
    )
    network, balancer = build(chosen, setup), chosen.balancer_class(chosen.balancer_options, setup.tasks)
    return Assembly(
        tasks=setup.tasks, splits={"train": split, "test": split}, network=network, balancer=balancer, setup=setup
    )


def test_a_step_of_retrieval_over_hand_written_ones(capsys: pytest.CaptureFixture[str]) -> None:
    deterministic(torch.device("cpu"), "float32")
    run = assembled("chmod:first=4")
    split = run.splits["train"]
    assert isinstance(split.inputs, Tensor)
    task = split.defined.int().argmax(1).repeat_interleave(3)
    bare = Bare()
    trained = sum(parameter.numel() for parameter in bare.parameters() if parameter.requires_grad)
    assert trained == sum(parameter.numel() for parameter in run.network.parameters())
    medians = in_turn(
        {
            "harness": stepper(run, batch_size=len(split)),
            "last": by_hand(split.inputs, task, layout=torch.channels_last),
            "first": by_hand(split.inputs, task, layout=torch.contiguous_format),
        },
        rounds=ROUNDS,
    )
    every = in_turn(
        {"every": by_hand(split.inputs, task, layout=torch.channels_last, every_task=True)}, warm=1, rounds=1
    )
    milliseconds = {name: f"{1000 * seconds:.0f} ms" for name, seconds in (medians | every).items()}
    over = {name: medians["harness"] / seconds for name, seconds in (medians | every).items()}
    show(capsys, f"step of retrieval, 20 tasks / hand-written, in NCHW           {over['first']:5.2f}  (goal 1.05)")
    show(capsys, f"step of retrieval, 20 tasks / hand-written, in channels last  {over['last']:5.2f}")
    show(capsys, f"step of retrieval, 20 tasks / each image once for each task   {over['every']:5.3f}  (goal .5)")
    show(capsys, ", ".join(f"{name} {text}" for name, text in milliseconds.items()))
