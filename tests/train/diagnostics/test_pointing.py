"""Pointing against a network whose maps are known, and against an exhaustive search for the constant point."""

import dataclasses
import math
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Classification, Inputs, NoOptions, Setup, Split, Task, stream
from mtbench.contract.tasks.kinds import Regression
from mtbench.plan.parse import parse_backbone
from mtbench.store.record.pointing import Outcomes, Pointing
from mtbench.train.diagnostics.pointing import best_constant, measure_pointing, nearness, peaks, places_of
from tests.train.runs import run, spec_of

SIDE = 40
TASKS = tuple(Task(name=name, kind=Classification(classes=2)) for name in ("first", "second"))


class Shows(AllTasksNetwork):
    """A network whose map for task t is channel t of the images; it counts the maps that it is asked for."""

    task_map_name = "channel"

    def __init__(self, tasks: tuple[Task, ...] = TASKS) -> None:
        lenet = parse_backbone("lenet")
        setup = Setup(
            tasks=tasks,
            backbone_class=lenet.backbone_class,
            backbone_options=lenet.options,
            input_shape=(2, SIDE, SIDE),
            seed=0,
        )
        super().__init__(NoOptions(), setup)
        self.norm = nn.BatchNorm2d(2)
        self.shown = 0

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return [torch.zeros(len(cast(Tensor, inputs)), 2)] * 2

    def task_map(self, inputs: Inputs, index: int) -> Tensor:
        images = cast(Tensor, inputs)
        self.shown += len(images)
        self.norm(images)
        return images[:, index]


def shown_at(pixels: list[list[tuple[int, int]]]) -> Tensor:
    """Return images (N, T, SIDE, SIDE) with one bright pixel per task, at x and y."""
    images = torch.zeros(len(pixels), len(pixels[0]), SIDE, SIDE, dtype=torch.uint8)
    for image, row in zip(images, pixels, strict=True):
        for channel, (x, y) in zip(image, row, strict=True):
            channel[y, x] = 200
    return images


def split_of(images: Tensor, points: list[list[tuple[float, float]]], **more: Any) -> Split:
    where = torch.tensor(points)
    count, tasks = where.shape[:2]
    made: dict[str, Any] = {
        "targets": (torch.zeros(count, dtype=torch.int64),) * tasks,
        "defined": torch.ones(count, tasks, dtype=torch.bool),
    }
    return Split(inputs=images, points=where, **(made | more))


NAN = (math.nan, math.nan)
PIXELS = [[(10, 10), (5, 30)], [(39, 0), (20, 20)], [(0, 39), (20, 20)], [(20, 20), (20, 20)], [(8, 8), (9, 9)]]
TRUTH = [
    [(10.0, 10.0), (5.0, 36.0)],  # 0; 6 / 40
    [(37.0, 0.0), NAN],  # 2 / 40
    [(3.0, 39.0), (23.0, 24.0)],  # 3 / 40; 5 / 40
    [(40.0, 20.0), NAN],  # outside
    [(20.0, 24.0), NAN],  # 20 / 40
]


def test_a_network_whose_maps_are_known_has_known_pointing() -> None:
    test = split_of(shown_at(PIXELS), TRUTH, targets=(torch.tensor([0, 1, 0, 0, 1]), torch.tensor([1, 0, 0, 0, 0])))
    predictions = {"first": torch.tensor([0, 0, 0, 1, 1]).byte(), "second": torch.tensor([1, 0, 1, 0, 0]).byte()}
    network = Shows()
    found = measure_pointing(network, test, test, predictions)
    assert found is not None
    assert found.map == "channel"
    first, second = (found.tasks[task.name] for task in TASKS)
    assert (first.count, second.count) == (4, 2)
    assert (first.peak.within_5, first.peak.within_10) == (2 / 4, 3 / 4)
    assert first.peak.median == pytest.approx((2 + 3) / 2 / 40)
    assert (second.peak.within_5, second.peak.within_10) == (0, 0)
    assert second.peak.median == pytest.approx((5 + 6) / 2 / 40)
    assert first.outcomes == Outcomes(localized_right=2, localized_wrong=1, elsewhere_right=1, elsewhere_wrong=0)
    assert second.outcomes == Outcomes(localized_right=0, localized_wrong=0, elsewhere_right=1, elsewhere_wrong=1)
    assert network.shown == 4 + 2


def test_batches_of_any_size_and_hidden_labels_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    defined = torch.tensor([[True, True], [False, True], [True, False], [True, True], [True, True]])
    test = split_of(shown_at(PIXELS), TRUTH, defined=defined)
    whole = measure_pointing(Shows(), test, test, {})
    monkeypatch.setattr("mtbench.train.diagnostics.pointing.batch_size", lambda *_: 2)
    network = Shows().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert measure_pointing(network, test, test, {}) == whole
    assert whole is not None
    assert [task.count for task in whole.tasks.values()] == [3, 1]
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_an_even_map_has_no_peak_and_counts_as_farther_than_any_other() -> None:
    maps = torch.zeros(3, 4, 4)
    maps[0, 1, 2] = 1
    found = peaks(maps)
    assert found[0].tolist() == [2.5 / 4, 1.5 / 4]
    assert found[1:].isnan().all()
    one_even = nearness(torch.tensor([0.01, 0.3, torch.nan], dtype=torch.float64))
    assert one_even.within_5 == one_even.within_10 == pytest.approx(1 / 3)
    assert one_even.median == pytest.approx(0.3)
    assert not math.isfinite(nearness(torch.tensor([0.01, torch.nan, torch.nan], dtype=torch.float64)).median)


def test_a_coarse_maps_peak_is_the_center_of_its_cell_as_when_it_is_enlarged() -> None:
    maps = torch.rand(50, 7, 5, generator=stream(0, "maps"))
    enlarged = nn.functional.interpolate(maps[:, None], (7 * 51, 5 * 51), mode="bilinear", align_corners=False)[:, 0]
    found = peaks(maps)
    columns, rows = (found[:, 0] * 5 * 51).long(), (found[:, 1] * 7 * 51).long()
    at_peak = enlarged[torch.arange(50), rows, columns]
    torch.testing.assert_close(at_peak, enlarged.flatten(1).amax(1))
    one = torch.zeros(1, 7, 7)
    one[0, 6, 0] = 1
    assert peaks(one).tolist() == [[0.5 / 7, 6.5 / 7]]


def test_places_are_fractions_from_edge_to_edge() -> None:
    points = [[(-0.5, 0.0), (39.4, 39.6)], [(19.5, 19.5), (0.0, -0.6)]]
    found = places_of(split_of(torch.zeros(2, 2, 40, 80, dtype=torch.uint8), points), (40, 80))
    assert found[0, 0].tolist() == [0, 0.5 / 40]
    assert found[1, 0].tolist() == [0.25, 0.5]
    assert found[0, 1].isnan().all()
    assert found[1, 1].isnan().all()


def test_the_constant_point_is_the_best_of_all_cells_for_training() -> None:
    generator = stream(0, "places")
    seen = 0.5 + 0.12 * torch.randn(300, 2, generator=generator, dtype=torch.float64)
    seen = ((seen * 100).floor().clamp(0, 99) + 0.5) / 100  # at centers of cells, so that nothing is moved
    known = 0.5 + 0.12 * torch.randn(99, 2, generator=generator, dtype=torch.float64)
    seen[::7] = torch.nan
    found = best_constant(seen, known)
    assert found is not None
    there = seen[seen.isfinite().all(1)].numpy()
    centers = (np.arange(100) + 0.5) / 100
    scores = [
        tuple((np.hypot(there[:, 0] - x, there[:, 1] - y) <= far + 1e-9).sum() for far in (0.1, 0.05))
        for y in centers
        for x in centers
    ]
    at = (np.abs(there - [found.x, found.y]) ** 2).sum(1) ** 0.5
    assert tuple((at <= far + 1e-9).sum() for far in (0.1, 0.05)) == max(scores)
    distances = np.hypot(*(known.numpy() - [found.x, found.y]).T)
    assert found.nearness.within_10 == pytest.approx((distances <= 0.1).mean())
    assert found.nearness.median == pytest.approx(np.median(distances))


def test_the_constant_point_lies_in_the_picture_even_of_points_in_a_corner() -> None:
    corner = torch.full((5, 2), 0.001, dtype=torch.float64)
    found = best_constant(corner, corner)
    assert found is not None
    assert 0 < found.x < 0.1
    assert 0 < found.y < 0.1
    assert found.nearness.median == pytest.approx(np.hypot(found.x - 0.001, found.y - 0.001))
    assert (found.nearness.within_5, found.nearness.within_10) == (1, 1)


def test_without_points_a_map_or_a_right_answer_there_is_as_much_less() -> None:
    test = split_of(shown_at(PIXELS), TRUTH)
    nameless = Shows()
    nameless.task_map_name = ""
    assert measure_pointing(nameless, test, test, {}) is None
    bare = dataclasses.replace(test, points=None)
    assert measure_pointing(Shows(), bare, bare, {}) is None
    numbers = tuple(Task(name=task.name, kind=Regression()) for task in TASKS)
    found = measure_pointing(Shows(numbers), test, test, {"first": torch.zeros(5), "second": torch.zeros(5)})
    assert found is not None
    assert found.tasks["first"].outcomes is None
    unseen = dataclasses.replace(test, points=torch.full((5, 2, 2), torch.nan))
    found = measure_pointing(Shows(), unseen, test, {})
    assert found is not None
    assert found.tasks["first"].constant is None
    assert measure_pointing(Shows(), test, unseen, {}) is None


@pytest.mark.parametrize(("method", "name"), [("td:loc_loss=1", "image-level map"), ("td", "lowest stream map")])
def test_a_run_records_where_its_network_points(method: str, name: str) -> None:
    trained = run(spec_of(method, "toy-points", epochs="2"))
    found = trained.pointing
    assert isinstance(found, Pointing)
    assert (found.map, list(found.tasks)) == (name, ["upper", "lower"])
    for task, pointing in found.tasks.items():
        assert pointing.outcomes is not None
        counts = dataclasses.astuple(pointing.outcomes)
        assert sum(counts) == pointing.count < trained.results["test"][task].count
        assert (counts[0] + counts[1]) / pointing.count == pytest.approx(pointing.peak.within_10)
        assert {"accuracy", "known-accuracy"} <= set(trained.results["test"][task].metrics)


def test_a_run_without_a_map_or_without_points_records_none() -> None:
    assert run(spec_of("branches", "toy-points", epochs="1")).pointing is None
    assert run(spec_of("td", "toy-all", epochs="1")).pointing is None


def test_training_losses_are_reported_without_the_localization_loss() -> None:
    first, second = (
        run(spec_of(f"td:loc_loss={weight}", "toy-points", epochs="1", lr="1e-12")) for weight in (".5", "50")
    )
    assert first.curve[0].train_losses == second.curve[0].train_losses
    plain = run(spec_of("td", "toy-points", epochs="1", lr="1e-12"))
    assert first.curve[0].train_losses == pytest.approx(plain.curve[0].train_losses)


def test_balancers_see_the_localization_loss() -> None:
    """At a learning rate of next to 0 GLS gives each task the weight sqrt(L_1 L_2) / (2 L_t) of its total loss."""
    weights = [
        run(spec_of(f"td:loc_loss={weight}+gls", "toy-points", epochs="1", lr="1e-12")).curve[0].weights
        for weight in ("1", "50")
    ]
    assert weights[0] != weights[1]
