"""The top-down stream in two parts, of images and of tasks, against a stream for each pair of them."""

import pytest
import torch
from torch import Tensor

from mtbench.contract import Batch
from mtbench_methods.networks.td.network import TopDown
from mtbench_methods.networks.td.one_channel import MANY
from mtbench_methods.networks.td.stream import Glance, Stream
from tests.builders.networks import network_of

AFFINE = [
    "",
    "bu2=add",
    "bu2=mul",
    "gate=tanh",
    "image=false",
    "spatial=false",
    "image=false:spatial=false",
    "upsample=nearest",
    "channels=3",
    "shuffled=true",
]


def build(options: str, tasks: int, side: int = 28, width: float = 1.0) -> TopDown:
    classes = [2 + index % 3 for index in range(tasks)]
    method = f"td:{options}" if options else "td"
    network = network_of(TopDown, method, f"lenet:width={width}", classes, shape=(1, side, side))
    return network.to(memory_format=torch.channels_last).eval()


def batch_of(images: Tensor, use: Tensor) -> Batch:
    return Batch(
        inputs=images,
        targets=(),
        use=use,
        drawn=None,
        inputs_per_example=1,
        rows=torch.arange(len(images)),
        foreground=None,
    )


def one_by_one(network: TopDown, images: Tensor, use: Tensor) -> list[Tensor]:
    """Return each task's outputs for its images, by a forward pass of its own, for which streams are not parted."""
    asked = [images[each] for each in use]
    return [network.fitted_to(task, network(some, torch.full((len(some),), task))) for task, some in enumerate(asked)]


def assert_close(found: list[Tensor], expected: list[Tensor]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


@pytest.mark.parametrize(("tasks", "side"), [(2, 29), (5, 28), (40, 20)])
@pytest.mark.parametrize("options", AFFINE)
def test_outputs_of_every_task_are_those_of_a_stream_for_each_pair(options: str, tasks: int, side: int) -> None:
    network, images = build(options, tasks, side, width=0.5), torch.rand(50, 1, side, side)
    with torch.no_grad():
        expected = one_by_one(network, images, torch.ones(tasks, 50, dtype=torch.bool))
        assert_close(network.all_outputs(images), expected)


@pytest.mark.parametrize("options", ["", "image=false", "spatial=false"])
def test_outputs_where_labels_are_defined_are_those_of_a_stream_for_each_pair(options: str) -> None:
    network, images, use = build(options, 4), torch.rand(32, 1, 28, 28), torch.rand(4, 32) < 0.7
    use[2] = False
    with torch.no_grad():
        found, expected = network.used_outputs(batch_of(images, use)), one_by_one(network, images, use)
    assert len(found.pop(2)) == 0
    del expected[2]
    assert_close(found, expected)


@pytest.mark.parametrize("options", ["", "bu2=mul:spatial=false"])
def test_gradients_of_every_task_are_those_of_a_stream_for_each_pair(options: str) -> None:
    network = build(options, 3).double()
    images = torch.rand(20, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    of = {"images": images, **dict(network.named_parameters())}
    found, expected = (
        torch.autograd.grad(torch.stack([output.square().sum() for output in outputs]).sum(), list(of.values()))
        for outputs in (
            network.all_outputs(images),
            one_by_one(network, images, torch.ones(3, 20, dtype=torch.bool)),
        )
    )
    for name, ours, theirs in zip(of, found, expected, strict=True):
        assert (ours - theirs).abs().max() <= 1e-10 * theirs.abs().max(), name


@pytest.mark.parametrize(
    ("options", "tasks", "images", "labels", "streams"),
    [
        ("", 3, 20, 60, 20 + 3 + 1),  # one of each image, of each task and of no task
        ("image=false", 3, 20, 60, 1 + 3 + 1),
        ("", 3, 20, 20, 20),  # one of each pair, for there is one task per image
        ("", 1, 20, 20, 20),
        ("", 3, MANY - 1, 3 * (MANY - 1), 3 * (MANY - 1)),
        ("td=mul", 3, 20, 60, 60),
    ],
)
def test_a_stream_runs_once_for_each_image_and_for_each_task_where_these_are_fewer_than_pairs(
    options: str, tasks: int, images: int, labels: int, streams: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, use = build(options, tasks), torch.zeros(tasks, images, dtype=torch.bool)
    use.view(-1)[:: tasks * images // labels] = True
    counts: list[int] = []
    plain = type(network.top_down).forward

    def count(self: Stream, embedded: Tensor, glance: Glance) -> dict[int, Tensor]:
        counts.append(len(embedded))
        return plain(self, embedded, glance)

    monkeypatch.setattr(type(network.top_down), "forward", count)
    with torch.no_grad():
        network.used_outputs(batch_of(torch.rand(images, 1, 28, 28), use))
    assert sum(counts) == streams
