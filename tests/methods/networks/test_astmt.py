import copy
import math
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Batch
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import parts
from mtbench.train.evaluate import evaluate
from mtbench_methods.networks.astmt import Adapted, Astmt, NormalizedByTask, adapter, reverse
from mtbench_methods.networks.branches import Branches
from mtbench_methods.networks.rows import Asked, RowsByTask
from tests.builders.networks import network_of

BACKBONES = ["lenet", "mlp:width=12", "vgg11:width=.05", "resnet18:width=.05"]
OFF = ":se=false:adapters=false:task_norm=false:adversarial=false"
WIDTHS = (4, 7, 2)


build = partial(network_of, Astmt)


def shake(network: Astmt) -> None:
    """Give the adapters and normalizations of every task weights of their own."""
    torch.manual_seed(0)
    with torch.no_grad():
        for part in (network.adapters, network.norms):
            for weight in part.parameters():
                weight.add_(torch.rand_like(weight))


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_the_counts_on_lenet_are_those_of_the_sums_by_hand(tasks: int) -> None:
    counted = {
        part.name: (part.weights, part.total, part.per_task) for part in parts(build("astmt", tasks=[10] * tasks))
    }
    assert counted == {
        "backbone": (21_250, 21_330, False),
        "branches": (3_000 * tasks, 3_060 * tasks, True),
        "excitation": ((80 + 160) * tasks, (80 + 14 + 160 + 24) * tasks, True),
        "adapters": ((10 + 200) * tasks, (10 + 200) * tasks, True),
        "discriminator": (50 * 50 + 50 * tasks, 50 * 51 + 51 * tasks, False),
    }


def test_the_counts_on_a_narrow_resnet_are_those_of_the_sums_by_hand() -> None:
    """Widths 8, 8, 16, 32, 64: 3 x 3 convolutions 1-8, 4 (8-8), 8-16, 3 (16-16), ... have adapters, the 1 x 1 not."""
    counted = {part.name: (part.weights, part.total) for part in parts(build("astmt", "resnet18:width=.125"))}
    adapters = 8 + 4 * 64 + 128 + 3 * 256 + 512 + 3 * 1024 + 2048 + 3 * 4096
    norms = 8 + 4 * 8 + 5 * 16 + 5 * 32 + 5 * 64
    assert counted["adapters"] == (3 * adapters, 3 * adapters)
    assert counted["norms"] == (3 * norms, 3 * 2 * norms)
    convolutions = sum(
        part.weight.numel()
        for part in network_of(Branches, "branches", "resnet18:width=.125").modules()
        if isinstance(part, nn.Conv2d)
    )
    assert counted["backbone"] == (convolutions, convolutions)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_with_everything_off_it_is_the_multi_branch_network(backbone: str) -> None:
    network = build("astmt" + OFF, backbone, WIDTHS).eval()
    branches = network_of(Branches, "branches", backbone, WIDTHS).eval()
    images, task = torch.rand(7, 1, 28, 28), torch.tensor([1, 0, 2, 2, 1, 0, 1])
    every, found = branches(images), network(images, task)
    for row, index in enumerate(task.tolist()):
        assert torch.allclose(found[row, : WIDTHS[index]], every[index][row], atol=1e-6)
    assert {part.name for part in parts(network)} == {"backbone", "branches"}


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("mode", [True, False], ids=["training", "evaluation"])
def test_adapters_and_norms_change_nothing_at_the_start(backbone: str, mode: bool) -> None:
    network = build("astmt:se=false", backbone).train(mode)
    plain = build("astmt" + OFF, backbone).train(mode)
    images = torch.rand(6, 1, 28, 28)
    for task in range(3):
        z, expected = (net.represent(images, RowsByTask(torch.full((6,), task), 3)) for net in (network, plain))
        assert torch.allclose(z, expected, atol=1e-5)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(3, 4, 5, bias=False),
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(3, 4, 7, stride=3, padding=1, bias=False),
        nn.Conv2d(3, 4, 3, padding=2, bias=False),
        nn.Conv2d(3, 4, (1, 5), padding=(0, 1), bias=False),
        nn.Conv2d(3, 4, 3, dilation=2, bias=False),
        nn.Conv2d(3, 4, 4, stride=2, padding=1, bias=False),  # of an even kernel, the first of the two in the middle
        nn.Conv2d(3, 4, 5, padding="same", bias=False),
        nn.Conv2d(3, 4, 5, padding="valid", bias=False),
    ],
    ids=str,
)
def test_an_adapter_is_the_middle_of_its_convolutions_kernel(convolution: nn.Conv2d) -> None:
    beside, weights, asked = adapter(convolution), torch.randn(4, 3), Asked()
    assert not beside.weight.any()
    rows, columns = ((size - 1) // 2 for size in convolution.kernel_size)
    with torch.no_grad():
        beside.weight.copy_(weights[:, :, None, None])
        convolution.weight.zero_()
        convolution.weight[:, :, rows, columns] = weights
    x = torch.randn(2, 3, 19, 17)
    with asked.about(RowsByTask(torch.zeros(2, dtype=torch.long), 1)):
        found = Adapted(convolution, [beside], asked)(x)
    assert torch.allclose(found, 2 * convolution(x), atol=1e-5)


def test_excitation_is_that_of_its_formula() -> None:
    network = build("astmt:adapters=false")
    images = torch.rand(5, 1, 28, 28)
    maps = torch.randn(5, 20, 8, 8)
    rows = RowsByTask(torch.tensor([2, 0, 2, 2, 0]), 3)
    found = network.excite("conv2", maps, rows)
    for row, task in enumerate([2, 0, 2, 2, 0]):
        layers = cast(nn.Sequential, cast(nn.ModuleList, network.excitation["conv2"])[task])
        first, second = cast(nn.Linear, layers[0]), cast(nn.Linear, layers[2])
        squeezed = torch.stack([channel.mean() for channel in maps[row]])
        hidden = (first.weight @ squeezed + first.bias).clamp(min=0)
        weights = 1 / (1 + (-(second.weight @ hidden + second.bias)).exp())
        assert torch.allclose(found[row], weights[:, None, None] * maps[row], atol=1e-5)
    conv1, conv2 = network.backbone.levels()
    z = network.represent(images, rows)
    by_hand = conv2.pre(conv1.post(network.excite("conv1", conv1.pre(images), rows)))
    by_hand = network.backbone.neck(conv2.post(network.excite("conv2", by_hand, rows)))
    assert torch.allclose(z, by_hand, atol=1e-6)


def test_each_task_is_normalized_over_its_own_rows() -> None:
    norms, asked = [nn.BatchNorm2d(4) for _ in range(3)], Asked()
    layer = NormalizedByTask(norms, asked)
    x = torch.randn(5, 4, 3, 3) * 2 + torch.tensor([0.0, 10, 0, 10, 10])[:, None, None, None]
    with asked.about(RowsByTask(torch.tensor([0, 2, 0, 2, 2]), 3)):
        found = layer(x)
    for rows, norm in (([0, 2], norms[0]), ([1, 3, 4], norms[2])):
        own = x[rows].transpose(0, 1).flatten(1)  # (C, values)
        mean, deviation = own.mean(1), (own.var(1, correction=0) + 1e-5).sqrt()
        expected = (x[rows] - mean[:, None, None]) / deviation[:, None, None]
        assert torch.allclose(found[rows], expected, atol=1e-5)
        assert norm.running_mean is not None
        assert torch.allclose(norm.running_mean, 0.1 * mean, atol=1e-6)
    assert norms[1].num_batches_tracked == 0


def test_a_task_with_one_value_per_channel_is_normalized_by_its_running_statistics() -> None:
    norms, asked = [nn.BatchNorm2d(4) for _ in range(2)], Asked()
    assert norms[1].running_mean is not None
    norms[1].running_mean.fill_(3)
    x = torch.randn(4, 4, 1, 1)
    with asked.about(RowsByTask(torch.tensor([0, 1, 0, 0]), 2)):
        found = NormalizedByTask(norms, asked)(x)
    assert torch.allclose(found[1], (x[1] - 3) / math.sqrt(1 + 1e-5), atol=1e-6)
    assert norms[1].running_mean.eq(3).all()
    assert norms[1].num_batches_tracked == 0


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_row_is_answered_for_its_own_task_alone(backbone: str) -> None:
    network = build("astmt", backbone, WIDTHS)
    shake(network)
    network(torch.rand(12, 1, 28, 28), torch.arange(12) % 3)  # the statistics of the tasks part
    network.eval()
    images, task = torch.rand(5, 1, 28, 28), torch.tensor([2, 0, 1, 1, 0])
    mixed = network(images, task)
    for row in range(5):
        assert torch.allclose(mixed[row], network(images[row : row + 1], task[row : row + 1])[0], atol=1e-4)
    assert (network(images, task.roll(1))[:, :2] - mixed[:, :2]).abs().max() > 1e-4


def batch_of(labels: Tensor, drawn: Tensor | None, dtype: torch.dtype = torch.float32) -> Batch:
    use = (labels >= 0).T
    if drawn is not None:
        use = use & (drawn == torch.arange(labels.shape[1])[:, None])
    return Batch(
        inputs=torch.rand(len(labels), 1, 28, 28, generator=torch.Generator().manual_seed(0)).to(dtype),
        targets=tuple(labels.unbind(1)),
        use=use,
        drawn=drawn,
        inputs_per_example=1,
        rows=torch.arange(len(labels)),
        foreground=None,
    )


LABELS = torch.tensor([[0, 6, -1], [3, -1, 1], [-1, 2, 0], [1, 1, -1], [2, 5, -1]])
DRAWN = torch.tensor([0, 2, 1, 0, 2])  # the last image has no label of its task
ASKED = pytest.mark.parametrize("drawn", [None, DRAWN], ids=["every task", "one task drawn"])


def by_hand(network: Astmt, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the tasks' losses and the discriminator's, each (T,): image by image, dL/dz in closed form, nothing
    reversed.

    Of a branch W2 relu(W1 z + b1) + b2 under cross-entropy it is W1^T (1[h > 0] W2^T (p - y)).
    """
    losses, told = [], []
    for task, labels in enumerate(batch.targets):
        first, _, second = cast(nn.Sequential, network.branches[task])
        own, felt = [], []
        for row in batch.use[task].nonzero().squeeze(1).tolist():
            image = cast(Tensor, batch.inputs)[row : row + 1]
            z = network.represent(image, RowsByTask(torch.tensor([task]), 3))[0]
            h = first(z)
            probabilities = second(h.relu()).softmax(0)
            truth = nn.functional.one_hot(labels[row], WIDTHS[task])
            own.append(-probabilities[labels[row]].log())
            g = first.weight.T @ ((h > 0) * (second.weight.T @ (probabilities - truth)))
            felt.append(-network.discriminator(g / (g.square().sum().sqrt() + 1e-10)).log_softmax(0)[task])
        losses.append(torch.stack(own).mean() if own else torch.zeros(()))
        told.append(torch.stack(felt).mean() if felt else torch.zeros(()))
    return torch.stack(losses), torch.stack(told)


@ASKED
def test_a_tasks_loss_has_a_hundredth_of_the_discriminators(drawn: Tensor | None) -> None:
    network, batch = build("astmt", tasks=WIDTHS).double(), batch_of(LABELS, drawn, torch.float64)
    losses, told = by_hand(network, batch)
    assert torch.allclose(network.losses(batch).means, 0.99 * losses + 0.01 * told, atol=1e-11)


@ASKED
def test_the_discriminator_descends_its_loss_and_the_network_ascends_it(drawn: Tensor | None) -> None:
    network, batch = build("astmt", tasks=WIDTHS).double(), batch_of(LABELS, drawn, torch.float64)
    network.begin_epoch(1, 10)
    factor = math.tanh(1)
    losses, told = by_hand(network, batch)
    names, parameters = zip(*network.named_parameters(), strict=True)
    found = torch.autograd.grad(network.losses(batch).means.sum(), parameters, materialize_grads=True)
    plain = torch.autograd.grad(losses.sum(), parameters, retain_graph=True, materialize_grads=True)
    against = torch.autograd.grad(told.sum(), parameters, materialize_grads=True)
    for name, one, own, other in zip(names, found, plain, against, strict=True):
        sign = 1.0 if name.startswith("discriminator") else -factor
        assert torch.allclose(one - 0.99 * own, 0.01 * sign * other, atol=1e-12), name
    reached = {name for name, other in zip(names, against, strict=True) if bool(other.any())}
    assert reached >= {name for name in names if "backbone" in name} > set()


def test_reversal_keeps_the_value_and_turns_the_gradient() -> None:
    x = torch.tensor([2.0, -5.0], requires_grad=True)
    y = reverse(x, 0.25)
    assert torch.equal(y, x)
    (3 * y).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.tolist() == [-0.75, -0.75]


@pytest.mark.parametrize(("epoch", "epochs"), [(0, 100), (0, 10), (4, 10), (9, 10), (0, 1)])
def test_the_reversal_grows_from_0_to_1_over_the_epochs(epoch: int, epochs: int) -> None:
    """2 / (1 + exp(-2 y)) - 1 is tanh y."""
    network = build("astmt")
    assert network.reversal == 0
    network.begin_epoch(epoch, epochs)
    assert network.reversal == pytest.approx(math.tanh(5 * (epoch + 1) / epochs))


@ASKED
def test_losses_are_the_same_where_no_graph_is_recorded(drawn: Tensor | None) -> None:
    network, batch = build("astmt", tasks=WIDTHS), batch_of(LABELS, drawn)
    with torch.no_grad():
        quiet = network.losses(batch).means
    assert torch.equal(quiet, network.losses(batch).means)


@ASKED
def test_a_batch_without_a_label_has_no_loss(drawn: Tensor | None) -> None:
    losses = build("astmt", tasks=WIDTHS).losses(batch_of(torch.full((5, 3), -1), drawn))
    assert losses.means.tolist() == [0, 0, 0]
    assert losses.counts.tolist() == [0, 0, 0]


@pytest.mark.parametrize("tasks_per_image", ["one", "all"])
@pytest.mark.parametrize("dataset", ["toy-all", "toy-partial", "toy-numbers", "toy-maps", "toy-triplets"])
def test_every_kind_of_task_reaches_the_discriminator_in_training_alone(dataset: str, tasks_per_image: str) -> None:
    settings = {"tasks_per_image": tasks_per_image}
    spec = plan(Request(methods=["astmt"], datasets=[dataset], settings=settings, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    network, split = cast(Astmt, run.network), run.splits["train"]
    calls: list[int] = []
    network.discriminator.register_forward_hook(lambda _, inputs, __: calls.append(len(inputs[0])))
    evaluate(network, split)
    assert not calls
    drawn = torch.arange(16) % len(run.tasks) if tasks_per_image == "one" else None
    network.begin_epoch(0, 2)
    batch = split.batch(torch.arange(16), drawn)
    losses = run.balancer.backward(network, batch)
    assert calls == [int(used) * batch.inputs_per_example for used in batch.use.sum(1) if used]
    assert torch.isfinite(losses.means).all()
    for name, parameter in network.named_parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all(), name
    for parameter in network.discriminator.parameters():
        assert parameter.grad is not None
        assert parameter.grad.any()


def test_where_z_is_a_map_its_gradient_is_averaged_over_places() -> None:
    spec = plan(Request(methods=["astmt"], datasets=["toy-maps"], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    network, batch = (
        cast(Astmt, run.network),
        run.splits["train"].batch(torch.arange(4), torch.zeros(4, dtype=torch.long)),
    )
    seen: list[Tensor] = []
    network.discriminator.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    network.losses(batch)
    z = network.represent(batch.inputs, RowsByTask(torch.zeros(4, dtype=torch.long), 2)).detach().requires_grad_()
    task = run.tasks[0].kind
    for row in range(4):
        loss = task.losses(network.branches[0](z[row : row + 1]), batch.targets[0][row : row + 1])
        gradient = torch.autograd.grad(loss.sum(), z)[0][row].sum((1, 2))
        assert torch.allclose(seen[0][row], gradient / gradient.norm(), atol=1e-5)


def test_the_discriminator_learns_ten_times_and_what_is_a_tasks_own_t_times_as_fast() -> None:
    factors = build("astmt", "resnet18:width=.05").lr_factors()
    assert factors == {"discriminator": 10, "excitation": 3, "adapters": 3, "norms": 3, "branches": 3}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_is_a_tasks_own_lies_outside_of_the_backbone(backbone: str) -> None:
    network = build("astmt", backbone)
    shared = network.shared_parameters()
    assert {id(one) for one in shared} == {id(one) for one in network.backbone.parameters()}
    plain = network_of(Branches, "branches", backbone).backbone
    convolved = [part.weight for part in plain.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    assert sum(one.numel() for one in shared if one.dim() > 1) == sum(one.numel() for one in convolved)
    state = network.state_dict()
    assert len({value.data_ptr() for value in state.values()}) == len(state)


def test_a_copy_has_adapters_and_norms_of_its_own() -> None:
    network = build("astmt", "resnet18:width=.05").eval()
    shake(network)
    copied = copy.deepcopy(network)
    images, task = torch.rand(3, 1, 28, 28), torch.tensor([2, 1, 0])
    before = network(images, task)
    assert torch.equal(copied(images, task), before)
    with torch.no_grad():
        for weight in (*copied.adapters.parameters(), *copied.norms.parameters()):
            weight.add_(1)
    assert torch.equal(network(images, task), before)
    assert not torch.allclose(copied(images, task), before)


def test_a_checkpoint_brings_everything_back() -> None:
    network, other = (build("astmt", "resnet18:width=.05", seed=seed) for seed in (0, 1))
    shake(network)
    network(torch.rand(12, 1, 28, 28), torch.arange(12) % 3)
    other.load_state_dict(network.state_dict())
    images, task = torch.rand(3, 1, 28, 28), torch.tensor([2, 1, 0])
    assert torch.equal(other.eval()(images, task), network.eval()(images, task))
