"""The localization loss against closed forms, and against a dense construction with SciPy."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from mtbench.contract import Batch, Classification, Flip, Network, Setup, Split, Task, stream
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_method
from mtbench_methods.networks.chmod import ChannelModulation
from mtbench_methods.networks.localization import localization_losses, target
from mtbench_methods.networks.td.network import TopDown

SIZE = (224, 224)
TWO = tuple(Task(name=name, kind=Classification(classes=2)) for name in "ab")


def batch_of(points: Sequence[Sequence[Sequence[float]]], *, size: tuple[int, int] = SIZE, use: Any = None) -> Batch:
    """Return a batch of images whose points are given per example and task, and whose labels may all be used."""
    where = torch.tensor(points, dtype=torch.float32)
    count, tasks = where.shape[:2]
    return Batch(
        inputs=torch.zeros(count, 1, *size),
        targets=(torch.zeros(count, dtype=torch.int64),) * tasks,
        use=torch.ones(tasks, count, dtype=torch.bool) if use is None else torch.tensor(use),
        drawn=None,
        inputs_per_example=1,
        rows=torch.arange(count),
        foreground=None,
        points=where,
    )


def losses_of(maps: Sequence[Tensor], batch: Batch, *, divisor: str = "visible") -> Tensor:
    return localization_losses(maps, batch, TWO[: len(maps)], divisor=divisor)


@pytest.mark.parametrize("shape", [(224, 224), (7, 7), (5, 9)])
def test_a_uniform_map_loses_the_logarithm_of_its_places(shape: tuple[int, int]) -> None:
    batch = batch_of([[[100.0, 20.0]], [[0.0, 223.0]]])
    found = losses_of([torch.full((2, *shape), 3.7)], batch)
    torch.testing.assert_close(found, torch.tensor([math.log(math.prod(shape))]))


@pytest.mark.parametrize("point", [(112.0, 60.0), (1.0, 1.0), (3.0, 100.0), (0.0, 0.0), (223.0, 223.0), (55.3, 222.8)])
@pytest.mark.parametrize("places", [(224, 224), (7, 7), (14, 5)])
def test_a_target_sums_to_1_inside_at_borders_and_in_corners(
    point: tuple[float, float], places: tuple[int, int]
) -> None:
    along_y, along_x = target(torch.tensor([point]), SIZE, places)
    assert (along_y.shape, along_x.shape) == ((1, places[0]), (1, places[1]))
    torch.testing.assert_close(along_y.T @ along_x, along_y.T @ along_x.abs())
    assert float((along_y.T @ along_x).sum()) == pytest.approx(1, abs=1e-5)


def test_inside_a_target_is_a_blurred_pixel() -> None:
    image = np.zeros(SIZE)
    image[60, 112] = 1
    along_y, along_x = target(torch.tensor([[112.0, 60.0]]), SIZE, SIZE)
    blurred = torch.from_numpy(gaussian_filter(image, sigma=3, truncate=8)).float()
    torch.testing.assert_close(along_y.T @ along_x, blurred, atol=1e-7, rtol=1e-5)


def test_in_a_corner_a_target_is_what_is_inside_of_the_gaussian() -> None:
    along_y, along_x = target(torch.tensor([[0.0, 1.0]]), SIZE, SIZE)
    pixels = torch.arange(224.0)
    dense = torch.exp(-(pixels[None] ** 2 + (pixels[:, None] - 1) ** 2) / 18)
    torch.testing.assert_close(along_y.T @ along_x, dense / dense.sum())


def test_the_standard_deviation_is_3_pixels_at_224_and_in_proportion_elsewhere() -> None:
    for side in (224, 448, 96):
        along_y, _ = target(torch.tensor([[side / 2, side / 2]]), (side, side), (side, side))
        deviation = ((torch.arange(side) - side / 2).square() * along_y[0]).sum().sqrt()
        assert float(deviation) == pytest.approx(3 * side / 224, rel=1e-3)


def test_a_pooled_target_is_the_mass_in_each_cell() -> None:
    points = torch.tensor([[95.0, 33.0], [223.0, 0.0]])
    whole, cells = target(points, SIZE, SIZE), target(points, SIZE, (7, 7))
    dense = torch.einsum("nh,nw->nhw", *whole)
    torch.testing.assert_close(torch.einsum("nh,nw->nhw", *cells), 32 * 32 * nn.functional.avg_pool2d(dense, 32))


def test_the_loss_is_the_cross_entropy_of_the_target_with_the_softmax() -> None:
    maps = torch.randn(3, 28, 40, generator=stream(0, "maps"))
    batch = batch_of([[[3.0, 4.0]], [[39.4, 0.0]], [[12.5, 20.25]]], size=(28, 40))
    assert batch.points is not None
    along_y, along_x = target(batch.points[:, 0], (28, 40), (28, 40))
    dense = torch.einsum("nh,nw->nhw", along_y, along_x).flatten(1)
    expected = nn.functional.cross_entropy(maps.flatten(1), dense)
    torch.testing.assert_close(losses_of([maps], batch), expected[None])


def test_the_gradient_is_the_softmax_minus_the_target() -> None:
    maps = torch.randn(2, 14, 14, generator=stream(0, "maps"), requires_grad=True)
    batch = batch_of([[[3.0, 4.0]], [[13.0, 0.0]]], size=(14, 14))
    losses_of([maps], batch).sum().backward()  # type: ignore[no-untyped-call]
    assert batch.points is not None
    dense = torch.einsum("nh,nw->nhw", *target(batch.points[:, 0], (14, 14), (14, 14)))
    assert maps.grad is not None
    torch.testing.assert_close(maps.grad, (maps.flatten(1).softmax(1).view(2, 14, 14) - dense).detach() / 2)


def test_the_least_loss_is_the_entropy_of_the_target() -> None:
    along_y, along_x = target(torch.tensor([[112.0, 112.0]]), SIZE, SIZE)
    best = (along_y.T @ along_x).clamp(min=1e-38).log()
    found = float(losses_of([best[None]], batch_of([[[112.0, 112.0]]])))
    assert found == pytest.approx(1 + math.log(2 * math.pi * 9), rel=1e-4)  # of a Gaussian with sigma 3 along both axes


def test_examples_whose_point_is_unknown_or_outside_add_nothing() -> None:
    known, nan = [10.0, 20.0], [math.nan, math.nan]
    maps = [torch.randn(5, 28, 28, generator=stream(0, "maps", task)) for task in range(2)]
    points = [[known, nan], [nan, nan], [[28.0, 3.0], nan], [[3.0, -1.0], nan], [[27.4, -0.4], nan]]
    found = losses_of(maps, batch_of(points, size=(28, 28)))
    alone = losses_of([maps[0][[0, 4]]], batch_of([[points[0][0]], [points[4][0]]], size=(28, 28)))
    torch.testing.assert_close(found, torch.stack([alone[0], torch.tensor(0.0)]))


def test_the_released_codes_divisor_counts_the_invisible_too() -> None:
    known, nan = [10.0, 20.0], [math.nan, math.nan]
    maps = [torch.randn(6, 28, 28, generator=stream(0, "maps", task)) for task in range(2)]
    batch = batch_of(
        [[known, known], [nan, known], [nan, nan], [known, known], [known, known], [nan, known]],
        size=(28, 28),
        use=[[True] * 4 + [False] * 2, [True] * 6],
    )
    visible, every = (losses_of(maps, batch, divisor=divisor) for divisor in ("visible", "all"))
    torch.testing.assert_close(every, visible * torch.tensor([2 / 4, 5 / 6]))


def test_it_is_scaled_like_the_tasks_own_loss() -> None:
    batch, maps = batch_of([[[10.0, 20.0]]] * 3), [torch.randn(3, 7, 7)]
    twice = (dataclasses.replace(TWO[0], scale=2.0),)
    torch.testing.assert_close(localization_losses(maps, batch, twice, divisor="visible"), 2 * losses_of(maps, batch))


def built(method: str, backbone: str, *, side: int = 64, points: bool = True, foreground: bool = False) -> Network:
    chosen = parse_method(method)
    choice = chosen.on(backbone)
    setup = Setup(
        tasks=TWO,
        backbone_class=choice.backbone_class,
        backbone_options=choice.options,
        input_shape=(3, side, side),
        points=points,
        foreground=foreground,
        seed=0,
    )
    chosen.network_class.check(chosen.network_options, TWO)
    return chosen.network_class(chosen.network_options, setup)


def spots(count: int = 16, *, side: int = 64) -> Split:
    """Gray noise with a bright square per image, at which both tasks look; the classes are random."""
    generator = stream(0, "spots")
    images = torch.randint(0, 60, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    corners = torch.randint(0, side - 8, (count, 2), generator=generator)
    for image, (x, y) in zip(images, corners.tolist(), strict=True):
        image[:, y : y + 8, x : x + 8] = 230
    targets = tuple(torch.randint(0, 2, (2, count), generator=generator))
    points = (corners + 3.5)[:, None].repeat(1, 2, 1)
    return Split(inputs=images, targets=targets, defined=torch.ones(count, 2, dtype=torch.bool), points=points)


METHODS = [
    ("td:loc_loss=.5", "vgg11:width=.125"),
    ("td:loc_loss=.5:image=false", "resnet18:width=.125"),
    ("td:loc_loss=.5", "lenet"),
    ("chmod:loc_loss=.5", "vgg11:width=.125"),
    ("chmod:loc_loss=.5:loc_target=cells", "resnet18:width=.125"),
    ("chmod:loc_loss=.5:loc_divisor=all", "lenet"),
]


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize(("method", "backbone"), METHODS)
def test_the_loss_stands_beside_the_classification_loss_of_the_same_network(
    method: str, backbone: str, drawn: bool
) -> None:
    network = built(method, backbone).eval()
    batch = spots().batch(torch.arange(16), torch.arange(16) % 2 if drawn else None)
    batch.points[0, 0] = torch.nan  # type: ignore[index]
    with torch.no_grad():
        losses = network.losses(batch)
        outputs = [network.task_output(batch.inputs, index) for index in range(2)]
        plain = network.mean_losses(outputs, batch)
        maps = [cast(Tensor, network.task_map(batch.inputs, index)).log() for index in range(2)]
    torch.testing.assert_close(losses.means, plain.means)
    if "cells" not in method:
        maps = [nn.functional.interpolate(each[:, None], (64, 64), mode="bilinear")[:, 0] for each in maps]
    expected = losses_of(maps, batch, divisor=network.options.loc_divisor)  # the softmax of a map's log is the map
    torch.testing.assert_close(losses.auxiliary, 0.5 * expected)
    torch.testing.assert_close(losses.totals, losses.means + cast(Tensor, losses.auxiliary))


@pytest.mark.parametrize("method", ["td:loc_loss=1", "chmod:loc_loss=1", "chmod:loc_loss=1:loc_target=cells"])
def test_with_the_loss_a_network_learns_to_point(method: str) -> None:
    torch.manual_seed(0)
    network, split = built(method, "lenet", side=32).train(), spots(8, side=32)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    batch = split.batch(torch.arange(8), torch.arange(8) % 2)
    before = after = math.nan
    for step in range(30):
        optimizer.zero_grad()
        losses = network.losses(batch)
        losses.totals.sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        after = float(cast(Tensor, losses.auxiliary).detach().sum())
        before = after if step == 0 else before
    assert after < before - 1


def test_without_the_loss_nothing_is_added_and_no_part_is_there() -> None:
    batch = spots().batch(torch.arange(4), torch.arange(4) % 2)
    for method, part in (("td", "image_map"), ("chmod", "coarse_map")):
        network = built(method, "resnet18:width=.125")
        assert network.losses(batch).auxiliary is None
        assert part not in dict(network.named_children())
        same = dict(built(f"{method}:loc_loss=1", "resnet18:width=.125").named_parameters())
        assert all(torch.equal(value, same[name]) for name, value in network.named_parameters())


def test_chmods_map_is_a_weight_per_channel_of_the_last_stage() -> None:
    for backbone, channels in (("vgg11", 128), ("resnet18", 512)):
        with torch.device("meta"):
            network = cast(ChannelModulation, built("chmod:loc_loss=1", backbone, side=224))
        assert network.coarse_map.weight.shape == (1, channels, 1, 1)
        assert network.backbone.shapes[-1].post[1:] == (7, 7)


def test_chmods_map_reads_the_modulated_stage() -> None:
    network = cast(ChannelModulation, built("chmod:loc_loss=1", "resnet18:width=.125").eval())
    images = spots().batch(torch.arange(4)).inputs
    with torch.no_grad():
        for factors in network.modulation.values():
            factors[1] *= 0
            factors[1] += 2
        first, second = (network.task_map(images, index) for index in range(2))
    assert first is not None
    assert second is not None
    assert first.shape == second.shape == (4, 2, 2)
    torch.testing.assert_close(first.sum((1, 2)), torch.ones(4))
    assert not torch.allclose(first, second, atol=1e-3)


def test_td_names_the_map_that_it_has() -> None:
    images = spots().batch(torch.arange(3)).inputs
    for method, name, shape in (
        ("td:loc_loss=1", "image-level map", (3, 64, 64)),
        ("td:td_loss=1", "image-level map", (3, 64, 64)),
        ("td", "lowest stream map", (3, 32, 32)),
        ("td:spatial=false", "", None),
        ("chmod", "", None),
    ):
        network = built(method, "vgg11:width=.125", foreground=True).eval()
        with torch.no_grad():
            maps = network.task_map(images, 1)
        assert (network.task_map_name, None if maps is None else tuple(maps.shape)) == (name, shape)


def test_without_a_loss_td_shows_the_squares_of_its_lowest_map() -> None:
    network = cast(TopDown, built("td", "vgg11:width=.125").eval())
    images = cast(Tensor, spots().batch(torch.arange(3)).inputs)
    with torch.no_grad():
        levels = network.look_again(images, network.glance(images), torch.ones(3, dtype=torch.int64))[1]
        found = network.task_map(images, 1)
    assert found is not None
    torch.testing.assert_close(found, levels[1].square().mean(1))


@pytest.mark.parametrize("method", ["td", "chmod"])
def test_it_is_refused_by_name_where_there_are_no_points(method: str) -> None:
    with pytest.raises(UsageError, match=f"option 'loc_loss' of method '{method}' needs points"):
        built(f"{method}:loc_loss=1", "resnet18:width=.125", points=False)


def test_a_coarse_map_of_one_place_is_refused() -> None:
    built("chmod:loc_loss=1", "resnet18:width=.125", side=64)  # 2 x 2
    with pytest.raises(
        UsageError, match=r"'loc_loss' of method 'chmod' needs a last feature map with places, .* 1 x 1 "
    ):
        built("chmod:loc_loss=1", "resnet18:width=.125", side=32)


@pytest.mark.parametrize(
    ("method", "complaint"),
    [
        ("td:loc_divisor=all", "'loc_divisor' of method 'td' is 'all', which does nothing with loc_loss=0"),
        ("td:loc_loss=1:spatial=false", "'loc_loss' of method 'td' is '1', which does nothing with spatial=false"),
        ("chmod:loc_divisor=all", "'loc_divisor' of method 'chmod' is 'all', which does nothing with loc_loss=0"),
        ("chmod:loc_target=cells", "'loc_target' of method 'chmod' is 'cells', which does nothing with loc_loss=0"),
    ],
)
def test_options_that_do_nothing_are_refused(method: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        built(method, "resnet18:width=.125")


def test_a_flipped_example_has_the_flipped_target() -> None:
    split = dataclasses.replace(spots(), augment=(Flip(probability=1.0),))
    rows = torch.arange(16)
    still, moved = split.batch(rows), split.augmented(TWO, stream(0, "flip")).batch(rows)
    maps = [torch.randn(16, 64, 64, generator=stream(0, "maps", task)) for task in range(2)]
    assert not torch.equal(cast(Tensor, still.points), cast(Tensor, moved.points))
    torch.testing.assert_close(losses_of([m.flip(2) for m in maps], moved), losses_of(maps, still))
