import copy
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Batch, Classification, Setup, Task
from mtbench.contract import stream as random_stream
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import count_macs, parts
from mtbench_methods.networks.td.network import TopDown, derangement
from mtbench_methods.networks.td.one_channel import OneChannel
from mtbench_methods.networks.td.stream import Mirror
from tests.builders.networks import network_of

Connection: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def build(method: str = "td", tasks: int = 4) -> TopDown:
    return network_of(TopDown, method, tasks=tasks)


def extra(method: str, tasks: int) -> int:
    return sum(part.weights for part in parts(build(method, tasks)) if part.name in ("top_down", "embedding"))


def test_the_parameter_counts_are_those_of_table_5a() -> None:
    counted = {part.name: (part.weights, part.total) for part in parts(build(tasks=4))}
    assert counted == {
        "backbone": (21_250, 21_330),
        "branch": (3_000, 3_060),
        "top_down": (6_651, 6_743),
        "embedding": (4 * 320, 4 * 320 + 320),
    }


@pytest.mark.parametrize(("channels", "expected"), [(0, 7291), (10, 6130), (6, 2478), (2, 426), (1, 163)])
def test_the_extra_weights_for_narrower_streams_are_those_of_table_2b(channels: int, expected: int) -> None:
    assert extra(f"td:channels={channels}", tasks=2) == expected


def test_a_task_more_costs_320_weights() -> None:
    assert [extra("td", tasks) - extra("td", 1) for tasks in (2, 9)] == [320, 8 * 320]


def test_the_maps_of_the_stream_have_the_shapes_of_the_paper() -> None:
    network = build()
    images = torch.rand(2, 1, 28, 28)
    glance = network.glance(images)
    assert [tuple(maps.shape[1:]) for maps in glance.before] == [(10, 24, 24), (20, 8, 8)]
    assert [tuple(maps.shape[1:]) for maps in glance.after] == [(10, 12, 12), (20, 4, 4)]
    levels = network.top_down(network.embedding(torch.eye(4)[:2]), glance)
    shapes = {number: tuple(level.shape[1:]) for number, level in levels.items()}
    assert shapes == {0: (1, 28, 28), 1: (10, 24, 24), 2: (20, 8, 8)}


def silence(network: TopDown, bias: float = 0.0) -> None:
    """Make every lateral into BU2 give a constant."""
    for lateral in network.top_down.to_bu2.values():
        assert isinstance(lateral, nn.Conv2d)
        assert lateral.bias is not None
        nn.init.zeros_(lateral.weight)
        nn.init.constant_(lateral.bias, bias)


@pytest.mark.parametrize(("options", "bias"), [(":bu2=add", 0.0), (":bu2=mul", 1.0), (":bu2=gated:gate=tanh", 0.0)])
def test_a_stream_that_says_nothing_leaves_the_plain_network(options: str, bias: float) -> None:
    network = build("td" + options)
    silence(network, bias)
    images = torch.rand(3, 1, 28, 28)
    plain = network.branch(network.backbone(images))
    assert torch.allclose(network(images, torch.tensor([0, 1, 2])), plain, atol=1e-6)


def test_a_sigmoid_gate_at_zero_multiplies_by_one_and_a_half() -> None:
    network = build()
    x, z = torch.rand(2, 3), torch.zeros(2, 3)
    assert torch.allclose(network.top_down.connect("gated", x, z), 1.5 * x)
    assert torch.allclose(network.top_down.connect("mul", x, z + 2), 2 * x)
    assert torch.allclose(network.top_down.connect("add", x, z + 2), x + 2)


def mirror(network: TopDown) -> Mirror:
    assert isinstance(network.top_down, Mirror)
    return network.top_down


def gated(x: Tensor, z: Tensor) -> Tensor:
    return x * (1 + z.sigmoid())


def gated_by_tanh(x: Tensor, z: Tensor) -> Tensor:
    return x * (1 + z.tanh())


BILINEAR = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
NEAREST = nn.Upsample(scale_factor=2, mode="nearest")


def by_hand(network: TopDown, x: Tensor, task: int, up: nn.Module, bu2: Connection, bu1: Connection) -> Tensor:
    """Return the data flow of the paper's LeNet, written out level by level."""
    conv1, conv2 = (stage.pre for stage in network.backbone.levels())
    td, pool = mirror(network), nn.MaxPool2d(2)
    a1 = conv1(x)
    a2 = conv2(pool(a1.relu()))
    p2 = pool(a2.relu())
    lat1_1, lat1_2, lat1_3 = td.from_bu1
    lat2_1, lat2_2, lat2_3 = td.to_bu2.values()
    td_conv1, td_conv2 = td.convolutions
    d3 = bu1(network.embedding(torch.eye(4)[task]).view(1, 20, 4, 4), lat1_3(p2))
    d2 = bu1(up(d3), lat1_2(a2))
    d1 = bu1(up(td_conv2(d2)), lat1_1(a1))
    d0 = td_conv1(d1)
    x = bu2(x, lat2_1(d0))
    b1 = pool(bu2(conv1(x), lat2_2(d1)).relu())
    b2 = pool(bu2(conv2(b1), lat2_3(d2)).relu())
    return cast(Tensor, network.branch(network.backbone.neck(b2)))


@pytest.mark.parametrize(
    ("options", "up", "bu2", "bu1"),
    [
        ("", BILINEAR, gated, torch.add),
        (":gate=tanh", BILINEAR, gated_by_tanh, torch.add),
        (":preset=levi2021", NEAREST, torch.mul, torch.add),
        (":bu2=add:td=mul", BILINEAR, torch.add, torch.mul),
        (":td=gated", BILINEAR, gated, gated),
    ],
)
def test_the_data_flow_is_the_papers(options: str, up: nn.Module, bu2: Connection, bu1: Connection) -> None:
    network = build("td" + options)
    images = torch.rand(3, 1, 28, 28)
    for task in range(4):
        expected = by_hand(network, images, task, up, bu2, bu1)
        assert torch.allclose(network(images, torch.full((3,), task)), expected, atol=1e-5)


def test_without_space_the_data_flow_is_that_of_channel_vectors() -> None:
    """Table 2a: every map of BU1 is replaced by its mean over places, every convolution of the stream is 1 x 1."""
    network = build("td:spatial=false")
    images = torch.rand(3, 1, 28, 28)
    conv1, conv2 = (stage.pre for stage in network.backbone.levels())
    pool, td = nn.MaxPool2d(2), mirror(network)
    a1 = conv1(images)
    a2 = conv2(pool(a1.relu()))
    first, second, top = (maps.mean((2, 3), keepdim=True) for maps in (a1, a2, pool(a2.relu())))
    d2 = network.embedding(torch.eye(4)[[1, 1, 1]]).view(3, 20, 1, 1) + td.from_bu1[2](top) + td.from_bu1[1](second)
    d1 = td.convolutions[1](d2) + td.from_bu1[0](first)
    x = gated(images, td.to_bu2["0"](td.convolutions[0](d1)))
    b1 = pool(gated(conv1(x), td.to_bu2["1"](d1)).relu())
    b2 = pool(gated(conv2(b1), td.to_bu2["2"](d2)).relu())
    expected = network.branch(network.backbone.neck(b2))
    assert torch.allclose(network(images, torch.tensor([1, 1, 1])), expected, atol=1e-5)


def test_the_first_pass_is_made_once_for_all_tasks() -> None:
    macs = count_macs(build().eval(), torch.zeros(1, 1, 28, 28))
    first = 24 * 24 * 10 * 25 + 8 * 8 * 20 * 250
    assert macs.per_input == 4 * macs.per_task - 3 * first


def test_the_first_pass_is_not_made_where_nothing_reads_it() -> None:
    blind = count_macs(build("td:image=false").eval(), torch.zeros(1, 1, 28, 28))
    assert blind.per_input == 4 * blind.per_task


@pytest.mark.parametrize(
    "options",
    ["image=false", "image=false:spatial=false", "image=false:channels=3"]
    + [f"td={td}{more}" for td in ("add", "mul", "gated") for more in ("", ":spatial=false", ":channels=2")],
)
def test_the_ablations_of_table_2_give_logits_and_gradients_everywhere(options: str) -> None:
    network = build(f"td:{options}")
    network(torch.rand(2, 1, 28, 28), torch.tensor([0, 3])).square().sum().backward()
    missing = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not missing


def test_without_the_image_the_stream_is_the_same_for_every_image() -> None:
    for options, alike in ((":image=false", True), ("", False)):
        network = build("td" + options)
        glance = network.glance(torch.rand(2, 1, 28, 28))
        first, second = network.top_down(network.embedding(torch.eye(4)[[0, 0]]), glance)[1]
        assert torch.allclose(first, second) == alike


def test_without_space_a_channel_has_one_factor() -> None:
    network = build("td:spatial=false")
    levels = network.top_down(network.embedding(torch.eye(4)[:2]), network.glance(torch.rand(2, 1, 28, 28)))
    shapes = {number: tuple(level.shape[1:]) for number, level in levels.items()}
    assert shapes == {0: (1, 1, 1), 1: (10, 1, 1), 2: (20, 1, 1)}


@pytest.mark.parametrize("tasks_per_image", ["one", "all"])
@pytest.mark.parametrize("method", ["td", "td:channels=3", "td:image=false"])
def test_auxiliary_losses_are_added_task_by_task(tasks_per_image: str, method: str, data_root: Path) -> None:
    settings = {"images": "64"}
    methods = [method, f"{method}:bu1_loss=1", f"{method}:td_loss=1", f"{method}:bu1_loss=.5:td_loss=2"]
    runs = [
        assemble(spec, root=data_root, device=torch.device("cpu"))
        for spec in plan(Request(methods=methods, datasets=["mmnist2"], settings=settings, seeds=[0]))
    ]
    drawn = torch.arange(32) % 2 if tasks_per_image == "one" else None
    batch = runs[0].splits["train"].batch(torch.arange(32), drawn)
    plain, bu1, td, both = (run.network.losses(batch).totals for run in runs)
    for run in runs:  # what is reported is the loss of the answers alone
        assert torch.equal(run.network.losses(batch).means, plain)
    network = cast(TopDown, runs[0].network)
    glance = network.glance(cast(Tensor, batch.inputs))
    seen = network.branch(network.backbone.neck(glance.after[-1]))
    for task in range(2):
        rows = batch.use[task].nonzero().squeeze(1)
        expected = nn.functional.cross_entropy(seen[rows], batch.targets[task][rows])
        assert torch.allclose(bu1[task] - plain[task], expected, atol=1e-5)
        assert batch.foreground is not None
        maps = network.look_again(cast(Tensor, batch.inputs), glance, torch.full((32,), task))[1][0]
        target = batch.foreground(batch.rows, task)
        pixels = nn.functional.binary_cross_entropy_with_logits(maps.mean(1), target, reduction="none")
        assert torch.allclose(td[task] - plain[task], pixels[rows].mean(), atol=1e-5)
    assert torch.allclose(both, plain + 0.5 * (bu1 - plain) + 2 * (td - plain), atol=1e-4)


def test_presets_are_the_two_published_versions() -> None:
    options = build("td:preset=levi2021").options
    assert (options.bu2, options.upsample, options.td) == ("mul", "nearest", "add")
    options = build("td:preset=levi2019").options
    assert (options.bu2, options.upsample, options.gate) == ("gated", "bilinear", "sigmoid")


@pytest.mark.parametrize("tasks", [2, 3, 9])
def test_shuffled_each_task_starts_from_the_embedding_of_another_and_all_else_is_as_it_was(tasks: int) -> None:
    plain, shuffled = (build(method, tasks).state_dict() for method in ("td", "td:shuffled=true"))
    assert list(plain) == list(shuffled)
    assert [name for name in plain if not torch.equal(plain[name], shuffled[name])] == ["embedding.weight"]
    before, after = (state["embedding.weight"].T.tolist() for state in (plain, shuffled))
    order = [before.index(column) for column in after]
    assert sorted(order) == list(range(tasks))
    assert all(start != task for task, start in enumerate(order))


def test_by_what_tasks_are_shuffled_the_seed_decides() -> None:
    orders = {tuple(derangement(9, random_stream(seed, "shuffled tasks")).tolist()) for seed in range(5)}
    assert len(orders) == 5


def test_a_single_task_cannot_be_shuffled() -> None:
    with pytest.raises(UsageError, match="option 'shuffled' of method 'td' is 'true', which does nothing with a sin"):
        plan(Request(methods=("td:shuffled=true",), datasets=("mmnist2:tasks=LU",), settings={}))


def unconverted(network: TopDown) -> TopDown:
    """Return a copy whose convolutions are all torch's own."""
    plain = copy.deepcopy(network)
    for module in plain.modules():
        if isinstance(module, OneChannel):
            module.__class__ = nn.Conv2d  # type: ignore[assignment]
    return plain


@pytest.mark.parametrize(
    ("options", "tasks", "side"),
    [
        ("", 3, 28),
        ("", 40, 28),
        ("", 3, 29),
        ("", 1, 36),
        ("bu2=add", 3, 28),
        ("preset=levi2021", 3, 28),
        ("td=mul:gate=tanh", 3, 28),
        ("td=gated", 3, 28),
        ("image=false", 3, 28),
        ("spatial=false", 3, 28),
        ("channels=1", 3, 28),
        ("channels=6", 3, 28),
        ("bu1_loss=1:td_loss=1:loc_loss=1", 3, 28),
        ("shuffled=true", 3, 28),
    ],
)
def test_losses_and_gradients_are_those_of_plain_convolutions(options: str, tasks: int, side: int) -> None:
    choice = parse_backbone("lenet")
    setup = Setup(
        tasks=tuple(Task(name=str(index), kind=Classification(classes=10)) for index in range(tasks)),
        backbone_class=choice.backbone_class,
        backbone_options=choice.options,
        input_shape=(1, side, side),
        foreground=True,
        points=True,
        seed=0,
    )
    chosen = parse_method(f"td:{options}" if options else "td")
    network = cast(TopDown, chosen.network_class(chosen.network_options, setup)).to(memory_format=torch.channels_last)
    network.double()  # gradients of biases are sums that cancel
    plain, images = unconverted(network), 32
    batch = Batch(
        inputs=torch.rand(images, 1, side, side, dtype=torch.float64).clone(memory_format=torch.channels_last),
        targets=tuple(torch.randint(10, (images,)) for _ in range(tasks)),
        use=torch.arange(tasks)[:, None] == torch.arange(images) % tasks,
        drawn=torch.arange(images) % tasks,
        inputs_per_example=1,
        rows=torch.arange(images),
        foreground=lambda rows, _: torch.rand(len(rows), side, side, generator=random_stream(0)).double().round(),
        points=side * torch.rand(images, tasks, 2, dtype=torch.float64),
    )
    found: list[tuple[Tensor, dict[str, Tensor]]] = []
    for each in (network, plain):
        totals = each.losses(batch).totals
        parameters = dict(each.named_parameters())
        gradients = torch.autograd.grad(totals.sum(), list(parameters.values()))
        found.append((totals, dict(zip(parameters, gradients, strict=True))))
    (losses, ours), (expected, theirs) = found
    torch.testing.assert_close(losses, expected, rtol=1e-10, atol=0)
    for name, gradient in theirs.items():
        assert (ours[name] - gradient).abs().max() <= 1e-10 * gradient.abs().max(), name
