"""GradNorm's regressions: their scales, what they share, and what balancing does for the small ones."""

import math
from pathlib import Path
from typing import cast

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from mtbench.cli.data.samples.page import sample_page
from mtbench.contract import Split
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.train.trained import Trained, train
from mtbench_datasets.toy_regression import ToyRegression, VectorRegression
from tests.builders.keepers import Forgetful


def opened(text: str = "toy-regression") -> ToyRegression:
    dataset = parse_dataset(text).open(Path())
    assert isinstance(dataset, ToyRegression)
    return dataset


@pytest.fixture(scope="module")
def test_split() -> Split:
    return opened().load("test", validation=False)


def inputs(split: Split) -> Tensor:
    return cast(Tensor, split.inputs).flatten(1)


def shared_variance(tasks: int) -> float:
    """Return the fraction of the argument of tanh that two tasks have in common, averaged over pairs and outputs."""
    split = opened(f"toy-regression:count={tasks}").load("test", validation=False)
    scales = opened(f"toy-regression:count={tasks}").scales
    arguments = [torch.atanh(target.double() / scale) for target, scale in zip(split.targets, scales, strict=True)]
    pairs = [(a * b).mean() for i, a in enumerate(arguments) for b in arguments[:i]]
    return float(torch.stack(pairs).mean())


def test_scales_run_from_1_to_100_in_equal_ratios() -> None:
    assert opened("toy-regression:count=2").scales == (1, 100)
    assert opened("toy-regression:count=3").scales == pytest.approx((1, 10, 100))
    assert opened("toy-regression:count=5").scales == pytest.approx((1, 10**0.5, 10, 10**1.5, 100))
    assert [task.name for task in opened().tasks] == [f"f{number}" for number in range(1, 11)]


def test_outputs_have_the_size_of_their_tasks_scale(test_split: Split) -> None:
    """For u standard normal E tanh(u)^2 = 0.394; the constant matrices leave each output's variance near 1."""
    density = lambda u: math.tanh(u) ** 2 * math.exp(-u * u / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    expected = math.sqrt(quad(density, -10, 10)[0])
    assert expected == pytest.approx(0.63, abs=5e-3)  # what the docstring says
    for target, scale in zip(test_split.targets, opened().scales, strict=True):
        assert target.shape == (2000, 100)
        assert target.square().mean().sqrt().item() / scale == pytest.approx(expected, rel=0.03)
        assert target.abs().max() < scale


def test_tasks_share_ten_parts_of_thirteen_and_a_half() -> None:
    assert shared_variance(4) == pytest.approx(10 / 13.5, abs=0.02)


def test_inputs_are_standard_normal_vectors(test_split: Split) -> None:
    x = inputs(test_split)
    assert test_split.inputs.shape == (2000, 250, 1, 1)  # type: ignore[union-attr]
    assert x.mean().item() == pytest.approx(0, abs=0.01)
    assert x.std().item() == pytest.approx(1, abs=0.01)


def test_each_output_is_the_tanh_of_a_linear_function(test_split: Split) -> None:
    x = inputs(test_split).double()
    for index in (0, 9):
        arguments = torch.atanh(test_split.targets[index].double() / opened().scales[index])
        matrix = torch.linalg.lstsq(x, arguments).solution
        # near saturation the targets, in single precision, carry few digits of their arguments
        assert torch.allclose(x @ matrix, arguments, atol=1e-2)


def test_the_data_are_the_same_every_time() -> None:
    for split in ("train", "test"):
        first, second = (opened().load(split, validation=False) for _ in range(2))
        assert torch.equal(inputs(first), inputs(second))
        assert all(torch.equal(a, b) for a, b in zip(first.targets, second.targets, strict=True))


def test_more_tasks_leave_inputs_and_the_first_task_as_they_are(test_split: Split) -> None:
    more = opened("toy-regression:count=12").load("test", validation=False)
    assert torch.equal(inputs(more), inputs(test_split))
    assert torch.equal(more.targets[0], test_split.targets[0])
    assert not torch.equal(more.targets[1] / more.targets[1].max(), more.targets[0] / more.targets[0].max())


def test_validation_holds_out_training_examples_and_test_stays(test_split: Split) -> None:
    whole = opened().load("train", validation=False)
    train, val, test = (opened().load(name, validation=True) for name in ("train", "val", "test"))
    assert [len(split) for split in (whole, train, val, test)] == [10_000, 8_000, 2_000, 2_000]
    assert torch.equal(torch.cat([inputs(train), inputs(val)]), inputs(whole))
    assert torch.equal(torch.cat([train.targets[3], val.targets[3]]), whole.targets[3])
    assert torch.equal(inputs(test), inputs(test_split))
    assert len(set(torch.cat([inputs(whole), inputs(test)])[:, 0].tolist())) > 11_990  # no example comes twice


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^dataset 'toy-regression' has no split 'val' without validation\."):
        opened().load("val", validation=False)


def test_fingerprints_tell_data_apart() -> None:
    assert opened().fingerprint() == opened("toy-regression:count=10").fingerprint()
    assert opened().fingerprint() != opened("toy-regression:count=9").fingerprint()


def test_the_loss_is_the_mean_over_outputs_and_the_metric_its_root_in_units_of_the_scale() -> None:
    kind = VectorRegression(output_size=2, scale=10.0)
    output, target = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.zeros(2, 2)
    assert kind.losses(output, target).tolist() == [12.5, 0]
    tally = kind.tally()
    for row in range(2):
        tally.add(kind.predict(output[row : row + 1]), target[row : row + 1])
    assert tally.score() == {"nrmse": pytest.approx(0.25)}
    assert kind.defined(torch.tensor([[1.0, 2.0], [1.0, math.nan]])).tolist() == [True, False]


def test_it_has_no_page_of_samples(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ToyRegression has no page of samples"):
        sample_page(opened(), tmp_path / "page.png")


def run(method: str) -> Trained:
    request = Request(methods=[method], datasets=["toy-regression:count=2"], protocol="quick", settings={}, seeds=[0])
    return train(plan(request)[0], root=Path(), device=torch.device("cpu"), keeper=Forgetful())


def test_plainly_added_the_task_of_scale_1_is_not_learned_and_balanced_it_is() -> None:
    """With weights 1 / sigma^2 the losses are alike. A network that gives 0 has an nrmse of 0.63."""
    plain, balanced = (run(method).results["test"] for method in ("uniform", "branches+fixed:weights=1/.0001"))
    assert plain["f1"].metrics["nrmse"] > 0.63
    assert balanced["f1"].metrics["nrmse"] < 0.5
    assert plain["f2"].metrics["nrmse"] < balanced["f2"].metrics["nrmse"]
    assert plain["f1"].loss == pytest.approx(plain["f1"].metrics["nrmse"] ** 2)
    assert plain["f2"].loss == pytest.approx((100 * plain["f2"].metrics["nrmse"]) ** 2)
