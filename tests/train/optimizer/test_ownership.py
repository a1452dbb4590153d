from collections.abc import Callable
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Inputs, Network, NoOptions, OneTaskNetwork
from mtbench.train.optimizer.ownership import Stacked, Whole, owned, owners
from tests.builders.networks import network_of, setup_of

TASKS = 3
SHAPE = (1, 28, 28)


def build(method: str, backbone: str = "lenet", tasks: int = TASKS) -> Network:
    return network_of(Network, method, backbone, tasks, shape=SHAPE)  # type: ignore[type-abstract]


def images(count: int = 8, seed: int = 0) -> Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(seed))


def last_of(network: Network) -> dict[str, Tensor]:
    return owned(network, len(network.tasks) - 1, images(), seed=0)


def count(masks: dict[str, Tensor], *, biases: bool = True) -> int:
    return sum(int(mask.sum()) for name, mask in masks.items() if biases or not name.endswith("bias"))


BRANCH, BRANCH_WEIGHTS = 50 * 50 + 50 + 50 * 10 + 10, 3_000
ATTENTION = (10 * 10 + 20) * 2 + ((20 + 20) * 20 + 40) + (20 * 20 + 40)  # convolutions without bias, and their BN


@pytest.mark.parametrize(
    ("method", "numbers", "weights"),
    [
        ("td", 320, 320),  # Table 5a: a column of the embedding, 20 x 4 x 4
        ("td:channels=6", 96, 96),
        ("chmod", 30, 30),
        ("chmod:variant=projection", 10**2 + 20**2, 10**2 + 20**2),
        ("film", 60, 60),
        ("tensormod", 784 + 5_760 + 1_280, 784 + 5_760 + 1_280),
        ("branches", BRANCH, BRANCH_WEIGHTS),
        ("routing", BRANCH, BRANCH_WEIGHTS),
        ("cross-stitch", BRANCH, BRANCH_WEIGHTS),
        ("mmoe", BRANCH + 11 * TASKS, BRANCH_WEIGHTS + 10 * TASKS),
        ("mtan", BRANCH + ATTENTION, None),
        # The neck of an expert, and the gates of both levels to two experts.
        ("ple", BRANCH + 16_050 + 2 * (11 + 21), BRANCH_WEIGHTS + 16_000 + 2 * (10 + 20)),
        ("ple:levels=1:specific=0:shared=3", BRANCH + 11 * 3, BRANCH_WEIGHTS + 10 * 3),
        ("single", 21_330 + BRANCH, 21_250 + BRANCH_WEIGHTS),
        ("progressive", 21_330 + BRANCH + 2 * (10**2 + 20**2), 21_250 + BRANCH_WEIGHTS + 2 * (10**2 + 20**2)),
        ("superposition", 0, 0),
    ],
)
def test_what_belongs_to_one_task_is_as_many_numbers_as_the_papers_count(
    method: str, numbers: int, weights: int | None
) -> None:
    found = last_of(build(method))
    assert count(found) == numbers
    assert weights is None or count(found, biases=False) == weights


NETWORKS = [
    "td",
    "chmod",
    "film",
    "tensormod",
    "branches",
    "routing",
    "cross-stitch",
    "mmoe",
    "mtan",
    "ple",
    "single",
    "astmt",
]


@pytest.mark.parametrize("backbone", ["lenet", "resnet18:width=.125"])
@pytest.mark.parametrize("method", [*NETWORKS, "progressive"])
def test_changing_it_changes_the_answer_to_that_task_and_to_no_other(method: str, backbone: str) -> None:
    network = build(method, backbone).eval()
    masks, x = last_of(network), images(seed=1)
    assert masks
    with torch.no_grad():
        before = network.all_outputs(x)
        for name, mask in masks.items():
            network.get_parameter(name).add_(0.1 * mask)
        after = network.all_outputs(x)
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [True, True, False]


@pytest.mark.parametrize("method", ["td", "chmod", "film", "branches", "mtan", "single", "astmt", "mmoe", "ple"])
def test_tasks_own_different_numbers_and_what_grows_with_the_tasks_belongs_to_one(method: str) -> None:
    """With a task more the network has as many numbers more as the new task owns."""
    network = build(method)
    masks = [owned(network, index, images(), seed=0) for index in range(TASKS)]
    assert all(masks)
    for name in {name for found in masks for name in found}:
        claims = sum(found[name].long() for found in masks if name in found)
        assert int(cast(Tensor, claims).max()) == 1
    if not network.conformance.grows and method != "mmoe":
        more = sum(p.numel() for p in build(method, tasks=TASKS + 1).parameters())
        assert more - sum(p.numel() for p in network.parameters()) == count(masks[-1])


def test_of_an_embedding_a_task_owns_its_column_and_not_the_bias() -> None:
    masks = last_of(build("td"))
    assert list(masks) == ["embedding.weight"]
    assert masks["embedding.weight"][:, -1].all()
    assert not masks["embedding.weight"][:, :-1].any()


def test_looking_leaves_the_network_and_the_random_state_as_they_were() -> None:
    for method in ("td", "mtan", "astmt"):
        network = build(method, "resnet18:width=.125").train()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        random = torch.get_rng_state()
        last_of(network)
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert all(module.training for module in network.modules())
        assert all(parameter.grad is None for parameter in network.parameters())
        assert torch.equal(torch.get_rng_state(), random)


def test_the_same_seed_finds_the_same() -> None:
    first, second = last_of(build("td")), last_of(build("td"))
    assert first
    assert all(torch.equal(first[name], second[name]) for name in first | second)


def killed(network: Network) -> None:
    """Half of the units behind every linear and convolutional layer are dead for any input."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias") and parameter.shape[0] > 10:
                parameter[: len(parameter) // 2] = -1e3


@pytest.mark.parametrize(("method", "numbers"), [("td", 320), ("chmod", 30), ("branches", BRANCH)])
def test_units_that_are_dead_hide_nothing(method: str, numbers: int) -> None:
    network = build(method)
    killed(network)
    assert count(last_of(network)) == numbers


class Custom(OneTaskNetwork):
    """A stranger's network of one linear layer, whose parameter `mine` is used as the test says."""

    per_task = frozenset({"mine"})

    def __init__(self, mine: Tensor, use: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__(NoOptions(), setup_of(TASKS, shape=SHAPE))
        torch.manual_seed(0)
        self.layer = nn.Linear(784, 10)
        self.mine = nn.ParameterDict({"part": nn.Parameter(mine)})
        self.use = use

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        return self.use(self.layer(cast(Tensor, inputs).flatten(1)), self.mine["part"], task)


CASES: dict[str, tuple[Tensor, Any, list[list[bool]] | None]] = {
    "vectors stacked along the first dimension": (
        torch.ones(TASKS, 10), lambda z, mine, task: z * mine[task], [[row == 2] * 10 for row in range(TASKS)],
    ),
    "columns": (
        torch.ones(10, TASKS), lambda z, mine, task: z * mine.T[task], [[False, False, True]] * 10,
    ),
    "a square of which each task has a row, as its own index says": (
        torch.rand(TASKS, TASKS), lambda z, mine, task: z * mine[task].sum(1, keepdim=True),
        [[row == 2] * TASKS for row in range(TASKS)],
    ),
    "a square of which each task has a column": (
        torch.rand(TASKS, TASKS), lambda z, mine, task: z * mine.T[task].sum(1, keepdim=True),
        [[False, False, True]] * TASKS,
    ),
    "as many numbers as tasks, of which each task uses all": (
        torch.rand(TASKS, 1), lambda z, mine, task: z * mine.sum() + 0 * task[:, None], None,
    ),
    "every task uses its own row and the first task's": (
        torch.rand(TASKS, 10), lambda z, mine, task: z * (mine[task] + mine[0]), None,
    ),
    "rows that hide behind a factor of 0 at the start": (
        torch.zeros(TASKS, 10), lambda z, mine, task: z + z * mine[task] * mine[task].sum(1, keepdim=True),
        [[row == 2] * 10 for row in range(TASKS)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_of_one_tensor_a_task_owns_what_its_gradient_is_confined_to(case: str) -> None:
    mine, use, expected = CASES[case]
    masks = last_of(Custom(mine, use))
    if expected is None:
        assert masks == {}
    else:
        assert masks["mine.part"].tolist() == expected


def test_what_is_not_declared_to_be_per_task_belongs_to_none() -> None:
    network = build("chmod")
    type(network).per_task, kept = frozenset(), type(network).per_task
    try:
        assert last_of(network) == {}
    finally:
        type(network).per_task = kept


class TwoInputs(AllTasksNetwork):
    """Branches on a mapping of inputs, one of them of whole numbers."""

    per_task = frozenset({"heads"})

    def __init__(self) -> None:
        super().__init__(NoOptions(), setup_of(TASKS, shape=SHAPE))
        self.words = nn.Embedding(5, 4)
        self.heads = nn.ModuleList([nn.Linear(8, 10) for _ in self.tasks])

    def forward(self, inputs: Inputs) -> list[Tensor]:
        assert not isinstance(inputs, Tensor)
        z = torch.cat([self.words(inputs["word"]), inputs["number"]], dim=1)
        return [head(z) for head in self.heads]


def test_inputs_may_be_a_mapping_with_whole_numbers_in_it() -> None:
    inputs = {"word": torch.tensor([0, 4, 2]), "number": torch.rand(3, 4)}
    assert count(owned(TwoInputs(), 2, inputs, seed=0)) == 8 * 10 + 10


def test_with_many_tasks_the_numbers_of_each_are_found() -> None:
    """More than the inputs that are looked at, and than are asked in one group."""
    tasks = 90
    by_column = owners(build("td", tasks=tasks), images(), seed=0)
    assert by_column == {"embedding.weight": Stacked(1)}
    assert set(owners(build("film", tasks=tasks), images(), seed=0).values()) == {Stacked(0)}
    branches = owners(build("routing", tasks=tasks), images(), seed=0)
    assert branches == {name: Whole(int(name.split(".")[1])) for name in branches}
    assert len(branches) == 4 * tasks


def test_a_gradient_that_is_no_number_shows_nobody_as_the_owner() -> None:
    broken = Custom(torch.ones(TASKS, 10), lambda z, mine, task: z * mine[task] * float("nan"))
    assert owners(broken, images(), seed=0) == {}
