"""Classification and segmentation against scikit-learn, torchmetrics and cases worked out by hand."""

import pytest
import torch
from sklearn import metrics
from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

from mtbench.contract import Classification, Segmentation
from tests.contract.tasks.kinds import scores

UNSEEN = pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
NAN = pytest.approx(float("nan"), nan_ok=True)


def draw(*shape: int, high: int, seed: int = 0) -> Tensor:
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(seed))


def answers(count: int, classes: int) -> tuple[Tensor, Tensor]:
    """Targets, a tenth of them undefined, and predictions that are right for about half."""
    targets, predictions = draw(count, high=classes), draw(count, high=classes, seed=1)
    right = draw(count, high=2, seed=2) == 0
    predictions = predictions.where(~right, targets).to(Classification(classes=classes).stored_as)
    return targets.where(draw(count, high=10, seed=3) > 0, -1), predictions


@UNSEEN
@pytest.mark.parametrize("classes", [3, 10, 300])
def test_the_metrics_of_classes_are_those_of_scikit_learn(classes: int) -> None:
    targets, predictions = answers(999, classes)
    found = scores(Classification(classes=classes), predictions, targets, sizes=[700])
    true, predicted = targets[targets >= 0].numpy(), predictions[targets >= 0].numpy()
    assert list(found) == ["accuracy", "balanced-accuracy", "macro-f1"]
    assert found["accuracy"] == pytest.approx(100 * metrics.accuracy_score(true, predicted))
    assert found["balanced-accuracy"] == pytest.approx(100 * metrics.balanced_accuracy_score(true, predicted))
    labels = sorted(set(true.tolist()))
    f1 = metrics.f1_score(true, predicted, average="macro", labels=labels, zero_division=0)
    assert found["macro-f1"] == pytest.approx(100 * f1)


def test_of_two_classes_the_f1_of_class_1_is_reported_too() -> None:
    targets, predictions = answers(200, 2)
    found = scores(Classification(classes=2), predictions, targets, sizes=[130])
    true, predicted = targets[targets >= 0].numpy(), predictions[targets >= 0].numpy()
    assert found["f1"] == pytest.approx(100 * metrics.f1_score(true, predicted))
    assert [metric.name for metric in Classification(classes=2).metrics] == list(found)


@UNSEEN
def test_known_accuracy_is_the_accuracy_over_examples_of_all_classes_but_the_unknown() -> None:
    targets, predictions = answers(999, 5)
    kind = Classification(classes=5, unknown=3)
    found = scores(kind, predictions, targets, sizes=[700])
    assert [metric.name for metric in kind.metrics] == list(found)
    known = (targets >= 0) & (targets != 3)
    expected = metrics.accuracy_score(targets[known].numpy(), predictions[known].numpy())
    assert found["known-accuracy"] == pytest.approx(100 * expected)
    assert not next(metric for metric in kind.metrics if metric.name == "known-accuracy").in_delta


def test_where_everything_is_unknown_there_is_no_known_accuracy() -> None:
    found = scores(Classification(classes=3, unknown=2), torch.tensor([0, 2]).byte(), torch.tensor([2, 2]), sizes=[1])
    assert found["accuracy"] == 50
    assert found["known-accuracy"] == NAN


@UNSEEN
def test_a_class_absent_from_the_truth_is_neither_0_nor_1() -> None:
    """Class 2 is predicted once and never true; class 3 is neither; by hand, as scikit-learn and unlike torchmetrics.

    Recalls of classes 0 and 1 are 2/3 and 1/1; F1 = 2 * 2 / (3 + 2) and 2 * 1 / (1 + 1).
    """
    targets, predictions = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 2, 1], dtype=torch.uint8)
    found = scores(Classification(classes=4), predictions, targets, sizes=[3])
    assert found["accuracy"] == pytest.approx(75)
    assert found["balanced-accuracy"] == pytest.approx(100 * (2 / 3 + 1) / 2)
    assert found["macro-f1"] == pytest.approx(100 * (4 / 5 + 1) / 2)
    theirs = metrics.balanced_accuracy_score(targets.numpy(), predictions.numpy())
    assert found["balanced-accuracy"] == pytest.approx(100 * theirs)
    macro = MulticlassAccuracy(num_classes=4, average="macro")(predictions.long(), targets)
    assert float(macro) == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_f1_of_class_1_is_undefined_without_an_example_of_it() -> None:
    targets, predictions = torch.tensor([0, 0]), torch.tensor([0, 1], dtype=torch.uint8)
    found = scores(Classification(classes=2), predictions, targets)
    assert found["f1"] == NAN
    assert found["macro-f1"] == pytest.approx(100 * 2 / 3)


@pytest.mark.parametrize(
    ("classes", "dtype"), [(256, torch.uint8), (257, torch.uint16), (65_536, torch.uint16), (65_537, torch.int32)]
)
def test_predicted_classes_fit_their_dtype(classes: int, dtype: torch.dtype) -> None:
    output = torch.zeros(2, classes)
    output[0, classes - 1] = output[1, 3] = 1
    predicted = Classification(classes=classes).predict(output)
    assert predicted.dtype == dtype
    assert predicted.tolist() == [classes - 1, 3]


def maps(classes: int, ignore: int = -1) -> tuple[Tensor, Tensor]:
    """Five label maps without the last class, which is predicted; a row of the first and all of the last undefined."""
    targets, predictions = draw(5, 8, 9, high=classes - 1), draw(5, 8, 9, high=classes, seed=1)
    right = draw(5, 8, 9, high=2, seed=2) == 0
    predictions = predictions.where(~right, targets).to(torch.uint8)
    targets[0, 3] = ignore
    targets[4] = ignore
    return targets, predictions


@pytest.mark.parametrize("ignore", [-1, 255])
def test_miou_is_the_mean_of_scikit_learns_over_the_classes_in_the_truth(ignore: int) -> None:
    targets, predictions = maps(4, ignore)
    found = scores(Segmentation(classes=4, ignore=ignore), predictions, targets, sizes=[3])
    known = targets != ignore
    true, predicted = targets[known].numpy(), predictions[known].numpy()
    assert found["miou"] == pytest.approx(
        100 * metrics.jaccard_score(true, predicted, average="macro", labels=[0, 1, 2])
    )
    assert found["pixel-accuracy"] == pytest.approx(100 * metrics.accuracy_score(true, predicted))
    theirs = MulticlassJaccardIndex(num_classes=4, average="none", ignore_index=ignore)
    for rows in (slice(0, 3), slice(3, 5)):
        theirs.update(predictions[rows].long(), targets[rows])
    per_class = theirs.compute()
    assert found["miou"] == pytest.approx(100 * float(per_class[:3].mean()), rel=1e-6)
    assert per_class[3] == 0  # which their macro mean counts


def test_miou_pools_the_pixels_of_all_images() -> None:
    """Image 1 has 3 of 4 pixels of class 0 right and one taken for 1; image 2 has 1 pixel of class 1, right.

    The set: IoU of class 0 is 3/4, of class 1 is 1/2. The mean over images would be ((3/4) + 1) / 2.
    """
    targets = torch.tensor([[[0, 0], [0, 0]], [[1, -1], [-1, -1]]])
    predictions = torch.tensor([[[0, 0], [0, 1]], [[1, 0], [0, 0]]], dtype=torch.uint8)
    found = scores(Segmentation(classes=2), predictions, targets, sizes=[1])
    assert found == {"miou": pytest.approx(100 * (3 / 4 + 1 / 2) / 2), "pixel-accuracy": pytest.approx(80)}


def test_the_loss_of_a_map_is_the_mean_over_its_defined_pixels() -> None:
    targets, _ = maps(4)
    output = torch.randn(5, 4, 8, 9, generator=torch.Generator().manual_seed(0))
    kind = Segmentation(classes=4)
    assert kind.defined(targets).tolist() == [True] * 4 + [False]
    losses = kind.losses(output[:4], targets[:4])
    for example, loss in enumerate(losses):
        known = targets[example] >= 0
        logs = output[example].log_softmax(0)[:, known]
        by_hand = -logs.gather(0, targets[example][known][None]).mean()
        assert float(loss) == pytest.approx(float(by_hand), rel=1e-6)


@pytest.mark.parametrize("kind", [Classification(classes=2), Classification(classes=5), Segmentation(classes=3)])
def test_metrics_of_nothing_are_undefined(kind: Classification | Segmentation) -> None:
    assert kind.tally().score() == {metric.name: NAN for metric in kind.metrics}


@pytest.mark.parametrize("sizes", [[1] * 40, [39], [20, 1, 19]])
def test_any_split_into_batches_gives_the_same_bits(sizes: list[int]) -> None:
    targets, predictions = answers(60, 7)
    kind = Classification(classes=7)
    assert scores(kind, predictions, targets, sizes) == scores(kind, predictions, targets)
