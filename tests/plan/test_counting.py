import dataclasses
import subprocess
import sys
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtbench import registry
from mtbench.contract import Classification, NoOptions, Setup, Task, is_plain
from mtbench.plan import counting, facts
from mtbench.plan.counting import Macs, count_macs, count_work, outline, parts, total, weights
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_backbone, parse_dataset, parse_method
from mtbench_methods.networks.branches import Branches

NETWORKS = ["branches", "single", "td", "chmod", "film", "routing", "superposition", "astmt", "mmoe", "mtan"]


def setup(tasks: int, *, backbone: str = "lenet", shape: tuple[int, ...] = (1, 28, 28), classes: int = 10) -> Setup:
    """Return a setup: of all tasks but the last, every other one has a class less."""
    sizes = [classes - index % 2 for index in range(tasks - 1)] + [classes]
    choice = parse_backbone(backbone)
    return Setup(
        tasks=tuple(Task(name=str(index), kind=Classification(classes=size)) for index, size in enumerate(sizes)),
        backbone_class=choice.backbone_class,
        backbone_options=choice.options,
        input_shape=shape,
        seed=0,
    )


def vgg(tasks: int, classes: int) -> Setup:
    of = setup(tasks, backbone="vgg11", shape=(3, 224, 224))
    alike = tuple(Task(name=task.name, kind=Classification(classes=classes)) for task in of.tasks)
    return dataclasses.replace(of, tasks=alike)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_counted_without_its_values_has_what_it_has_with_them(name: str) -> None:
    method, of = parse_method(name), setup(3)
    imagined, real = outline(method, of), method.network_class(method.network_options, of)
    assert parts(imagined) == parts(real)
    assert count_work(method, of) == count_macs(real.eval(), torch.zeros(1, 1, 28, 28))


class Padded(Branches):
    """Computes with twice the outputs that it gives, but in its plain form."""

    def decode(self, z: Tensor) -> list[Tensor]:
        return super().decode(z) if is_plain() else super().decode(torch.cat([z, z]))


def test_work_is_counted_in_the_plain_form() -> None:
    plain, padded = (network(NoOptions(), setup(3)).eval() for network in (Branches, Padded))
    inputs = torch.zeros(1, 1, 28, 28)
    assert len(padded.all_outputs(inputs)[0]) == 2
    assert count_macs(padded, inputs) == count_macs(plain, inputs)


def test_a_network_of_two_and_a_half_billion_weights_takes_no_memory() -> None:
    opened = parse_dataset("clevr-questions:about=self").open(Path())
    network = outline(parse_method("uniform"), parse_backbone("vgg11").setup(opened, seed=0))
    assert {parameter.device.type for parameter in network.parameters()} == {"meta"}
    answers = {"color": 8, "material": 2, "shape": 3, "size": 2}
    # An attribute is asked of whatever one, two or three words of the others name, of each at most one, but not none.
    asked = {name: prod(1 + size for other, size in answers.items() if other != name) - 1 for name in answers}
    assert sum(asked.values()) == 329
    outputs = sum(asked[name] * answers[name] for name in answers)
    assert weights(network) == 7_448_256 + 329 * (6272 * 1024 + 1024 * 1024) + 1024 * outputs == 2_466_412_224
    assert total(network) - weights(network) == 2368 + 329 * (1024 + 1024) + outputs


def test_of_1645_tasks_the_embedding_grows_and_nothing_else() -> None:
    few, many = (outline(parse_method("td"), vgg(tasks, 2)) for tasks in (4, 1645))
    counted = {part.name: part.weights for part in parts(many)}
    assert counted.pop("embedding") == 2_579_360
    assert counted == {part.name: part.weights for part in parts(few) if part.name != "embedding"}
    assert counted == {"backbone": 7_448_256, "branch": 7_473_152, "top_down": 8_306_688}


ONE_TASK = [name for name in registry.entries("method") if getattr(registry.load("method", name), "one_task", False)]


@pytest.mark.parametrize("name", [name for name in ONE_TASK if registry.find("method", name).distribution == "mtbench"])
def test_the_work_for_many_tasks_is_what_counting_each_of_them_gives(name: str) -> None:
    method, of = parse_method(name), setup(34)
    network = method.network_class(method.network_options, of).eval()
    assert count_work(method, of) == count_macs(network, torch.zeros(1, 1, 28, 28))


def test_the_work_of_uniform_for_many_tasks_is_its_layers() -> None:
    method, of = parse_method("uniform"), setup(40)
    convolutions = 24 * 24 * 10 * 25 + 8 * 8 * 20 * 250
    neck = 320 * 50
    sizes = [10 - index % 2 for index in range(39)] + [10]
    branches = [50 * 50 + 50 * size for size in sizes]
    found = count_work(method, of)
    assert found == Macs(per_task=convolutions + neck + branches[0], per_input=convolutions + neck + sum(branches))


def test_a_network_that_needs_values_to_be_built_is_built_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    method = parse_method("branches")
    original = method.network_class.__init__

    def looking(self: torch.nn.Module, options: object, of: Setup) -> None:
        original(self, options, of)  # type: ignore[arg-type]
        assert next(self.parameters()).sum().item() != 0

    monkeypatch.setattr(method.network_class, "__init__", looking)
    network = outline(method, setup(2))
    assert {parameter.device.type for parameter in network.parameters()} == {"cpu"}
    assert count_work(method, setup(2)).per_task > 0


def test_planning_takes_no_memory_for_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    network = parse_method("uniform").network_class
    original = network.__init__

    def noting(self: torch.nn.Module, *arguments: object) -> None:
        original(self, *arguments)  # type: ignore[arg-type]
        built.append({parameter.device.type for parameter in self.parameters()})

    monkeypatch.setattr(network, "__init__", noting)
    monkeypatch.setattr(facts, "_build", facts._build.__wrapped__)  # or it may have been built before
    plan(Request(methods=["uniform@vgg11"], datasets=["mmnist2"], settings={}, seeds=[0]))
    assert built == [{"meta"}]
    assert not Path("mmnist2").exists()


PLANNED = """
import sys
from mtbench.plan.grid import Request, plan
plan(Request(methods=["uniform", "single", "td"], datasets=["mmnist2"], settings={}, seeds=[0]))
print("torch" in sys.modules, "torch._dynamo" in sys.modules)
"""


def test_planning_imports_no_compiler_which_takes_as_long_as_all_else() -> None:
    done = subprocess.run([sys.executable, "-c", PLANNED], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "True False\n"


@pytest.mark.parametrize("name", [name for name in registry.entries("backbone") if name != "point"])
def test_a_backbone_measures_the_same_shapes_without_values(name: str) -> None:
    backbone: Any = registry.load("backbone", name)
    shape = (1 if name.startswith("toy") else 3, 64, 64)
    options = backbone.Options()
    values = backbone(options, shape)
    with torch.device("meta"), counting._Undrawn():
        outlined = backbone(options, shape)
    assert outlined.shapes == values.shapes
