"""Regression, depth and normals against scikit-learn, torchmetrics and cases worked out by hand."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from sklearn import metrics
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError, MeanSquaredError, R2Score

from mtbench.contract import Depth, Kind, Normals, Regression
from tests.contract.tasks.kinds import scores

NAN = pytest.approx(float("nan"), nan_ok=True)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def numbers(mean: float = 3.0) -> tuple[Tensor, Tensor]:
    """Return predictions and targets of 101 examples, every seventh target undefined."""
    targets = mean + normal(101)
    predictions = targets + 0.5 * normal(101, seed=1)
    targets[::7] = math.nan
    return predictions, targets


def test_the_metrics_of_numbers_are_those_of_scikit_learn_and_torchmetrics() -> None:
    predictions, targets = numbers()
    found = scores(Regression(), predictions, targets, sizes=[70])
    known = ~targets.isnan()
    true, predicted = targets[known], predictions[known]
    assert found["mse"] == pytest.approx(metrics.mean_squared_error(true.numpy(), predicted.numpy()), rel=1e-6)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(true.numpy(), predicted.numpy()), rel=1e-6)
    assert found["r2"] == pytest.approx(metrics.r2_score(true.numpy(), predicted.numpy()), rel=1e-6)
    for name, theirs in (("mse", MeanSquaredError()), ("mae", MeanAbsoluteError()), ("r2", R2Score())):
        theirs.update(predicted[:60], true[:60])
        theirs.update(predicted[60:], true[60:])
        assert found[name] == pytest.approx(float(theirs.compute()), rel=1e-5)


def test_r2_does_not_cancel_where_the_mean_is_large() -> None:
    """1e6 + k / 8 is exact in float32, so that the deviations of the truth are those of k / 8."""
    steps = torch.arange(100) / 8
    found = scores(Regression(), 1e6 + steps + 0.125, 1e6 + steps, sizes=[33, 1])
    assert found["r2"] == pytest.approx(1 - 100 * 0.125**2 / float((steps - steps.mean()).square().sum()), rel=1e-9)


def test_r2_of_a_constant_truth_is_undefined() -> None:
    found = scores(Regression(), torch.zeros(7, dtype=torch.float64), torch.full((7,), 0.1).double() / 3, sizes=[3])
    assert found["r2"] == NAN
    assert found["mse"] > 0


def surfaces() -> tuple[Tensor, Tensor]:
    """Predicted and true depths of four maps, of which pixels are undefined in each way, and one map as a whole."""
    targets = 1 + normal(4, 5, 6).abs()
    predictions = Depth().predict((targets + 0.3 * normal(4, 5, 6, seed=1))[:, None])
    targets[0, 0], targets[1, 1], targets[2, 2, 3], targets[2, 3, 3] = 0, -1, math.nan, math.inf
    targets[3] = 0
    return predictions, targets


def test_the_errors_of_depths_are_those_of_scikit_learn_over_all_defined_pixels() -> None:
    predictions, targets = surfaces()
    found = scores(Depth(), predictions, targets, sizes=[1])
    known = targets.isfinite() & (targets > 0)
    true, predicted = targets[known].double().numpy(), predictions[known].double().numpy()
    assert known.flatten(1).sum(1).tolist() == [24, 24, 28, 0]  # so that a mean of the maps' means would be another
    assert found["absolute-error"] == pytest.approx(metrics.mean_absolute_error(true, predicted), rel=1e-12)
    assert found["relative-error"] == pytest.approx(metrics.mean_absolute_percentage_error(true, predicted), rel=1e-12)


def test_the_loss_of_depths_is_the_mean_absolute_error_of_each_map() -> None:
    _, targets = surfaces()
    output = normal(4, 1, 5, 6, seed=2).requires_grad_()
    assert Depth().defined(targets).tolist() == [True, True, True, False]
    losses = Depth().losses(output[:3], targets[:3])
    for example in range(3):
        known = targets[example].isfinite() & (targets[example] > 0)
        by_hand = (output[example, 0] - targets[example])[known].abs().mean()
        assert float(losses[example].detach()) == pytest.approx(float(by_hand.detach()), rel=1e-6)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None
    assert output.grad.isfinite().all()
    assert not output.grad[2, 0, 2, 3]


def turned(degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Return vectors (n, 3) of lengths .5 to 2, and unit vectors at these angles to them, in float64."""
    count = len(degrees)
    first = torch.nn.functional.normalize(normal(count, 3).double(), dim=1)
    axes = torch.nn.functional.normalize(torch.linalg.cross(first, normal(count, 3, seed=1).double()), dim=1)
    turns = Rotation.from_rotvec((axes * degrees[:, None].deg2rad()).numpy())
    lengths = torch.linspace(0.5, 2, count, dtype=torch.float64)[:, None]
    return first * lengths, torch.from_numpy(turns.apply(first.numpy()))


def as_maps(vectors: Tensor) -> Tensor:
    """Return vectors (12 N, 3) as maps (N, 3, 3, 4)."""
    return vectors.view(-1, 3, 4, 3).permute(0, 3, 1, 2)


def test_angles_between_normals_are_those_that_vectors_were_turned_by() -> None:
    """In each of the first four of five maps one pixel is undefined, in two ways; the last map is undefined as a
    whole."""
    degrees = torch.cat([torch.linspace(1e-4, 60, 40), torch.tensor([11.249, 11.251, 22.499, 22.501, 29.999, 30.001])])
    degrees = torch.cat([degrees, torch.linspace(90, 180, 14)]).double()  # 60 angles
    targets, predictions = (as_maps(vectors) for vectors in turned(degrees))
    targets[:3, :, 0, 0] = 0
    targets[3, 1, 0, 0] = math.nan
    targets[4] = 0
    known = (torch.arange(60) % 12 > 0) & (torch.arange(60) < 48)
    found, angles = scores(Normals(), predictions, targets, sizes=[3]), degrees[known].numpy()
    assert found["mean-angle"] == pytest.approx(angles.mean(), rel=1e-6)
    assert found["median-angle"] == pytest.approx(np.median(angles), abs=1 / 8192)
    for limit in (11.25, 22.5, 30):
        assert found[f"within-{limit:g}"] == pytest.approx(100 * (angles < limit).mean())


def test_a_predicted_normal_that_is_not_finite_makes_the_mean_nan_and_is_last_in_the_median() -> None:
    degrees = torch.tensor([*range(11), math.nan]).double()
    targets, predictions = (as_maps(vectors) for vectors in turned(degrees.nan_to_num(0)))
    predictions[0, :, 2, 3] = math.nan
    found = scores(Normals(), predictions, targets, sizes=[1])
    assert math.isnan(found["mean-angle"])
    assert found["median-angle"] == pytest.approx(5.5, abs=1 / 8192)


def test_angles_of_a_thousandth_of_a_degree_are_not_lost() -> None:
    """In float32 the cosine of a thousandth of a degree is 1."""
    targets, predictions = (as_maps(vectors.float()) for vectors in turned(torch.full((12,), 1e-3).double()))
    assert scores(Normals(), predictions, targets)["mean-angle"] == pytest.approx(1e-3, rel=0.02)


def test_a_normal_whose_components_add_up_to_0_is_defined() -> None:
    targets = torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1)
    assert Normals().defined(targets).tolist() == [True]
    assert scores(Normals(), targets.half(), targets)["mean-angle"] == pytest.approx(0, abs=1e-6)


def test_a_prediction_without_a_direction_is_a_right_angle_off() -> None:
    kind, targets = Normals(), torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
    assert scores(kind, kind.predict(torch.zeros(1, 3, 1, 1)), targets)["mean-angle"] == 90


def test_the_loss_of_normals_is_1_minus_the_cosine_over_the_defined_pixels_of_each_map() -> None:
    degrees = torch.linspace(0, 170, 24).double()
    targets, output = (as_maps(vectors) for vectors in turned(degrees))
    targets[0, :, 0, 0], targets[1, 0, 0, 0] = 0, math.nan
    output = (3 * output).requires_grad_()
    losses, cosines = Normals().losses(output, targets), degrees.deg2rad().cos().view(2, 12)[:, 1:]
    assert losses.tolist() == pytest.approx((1 - cosines).mean(1).tolist(), rel=1e-6)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None
    assert output.grad.isfinite().all()
    assert not output.grad[:, :, 0, 0].any()


@pytest.mark.parametrize("kind", [Regression(), Depth(), Normals()])
def test_metrics_of_nothing_are_undefined(kind: Kind) -> None:
    assert kind.tally().score() == {metric.name: NAN for metric in kind.metrics}


@pytest.mark.parametrize("sizes", [[1, 1, 1], [3], [2, 1]])
def test_any_split_into_batches_gives_the_same_metrics(sizes: list[int]) -> None:
    depths, (first, second) = surfaces(), (as_maps(vectors) for vectors in turned(torch.linspace(0, 90, 48).double()))
    for kind, predictions, targets in ((Regression(), *numbers()), (Depth(), *depths), (Normals(), first, second)):
        whole = scores(kind, predictions, targets)
        assert scores(kind, predictions, targets, sizes) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_losses_of_normals_and_their_gradients_are_those_of_normalized_vectors(
    memory_format: torch.memory_format,
) -> None:
    output, target = torch.randn(2, 3, 3, 4, 5, generator=torch.Generator().manual_seed(0)).unbind()
    output[0, :, 0] = 0  # without a length
    output[1, :, 0] *= 1e-4
    target[:, :, 1] = 0  # undefined
    target[2] *= 1e-3
    given = output.to(memory_format=memory_format).requires_grad_()
    exact = output.double().requires_grad_()
    truth = nn.functional.normalize(target.double(), dim=1)
    cosines = (nn.functional.normalize(exact, dim=1, eps=1e-6) * truth).sum(1)
    expected = (1 - cosines)[:, [0, 2, 3]].mean((1, 2))
    losses = Normals().losses(given, target)
    assert torch.allclose(losses.double(), expected, atol=1e-6)
    (found,) = torch.autograd.grad(losses.sum(), given)
    (wanted,) = torch.autograd.grad(expected.sum(), exact)
    assert torch.allclose(found.double(), wanted, rtol=1e-4, atol=1e-6)
    assert torch.allclose(Normals().predict(given).double(), nn.functional.normalize(exact, dim=1, eps=1e-6), atol=1e-3)
