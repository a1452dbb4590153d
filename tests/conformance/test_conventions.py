"""The check of a dataset's conventions."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mtbench.conformance.dataset.conventions import conventions_fit
from mtbench.conformance.fault import Fault
from mtbench.contract import PeerConvention
from mtbench.plan.parse import parse_dataset

FINE = parse_dataset("toy-surfaces").dataset_class.conventions["last-ten"]


def check(convention: PeerConvention) -> None:
    dataset = parse_dataset("toy-surfaces").open(Path())
    dataset.conventions = {"mine": convention}  # type: ignore[misc]
    conventions_fit(dataset)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (
            {"protocols": ("paper", "other")},
            "its convention 'mine' belongs to training protocol 'other', which it lacks.",
        ),
        ({"together": ("iou",)}, "its convention 'mine' names 'iou' in `together`, which is a metric of no task."),
        ({"average": "main"}, "for task 'class' are of miou, pixel-accuracy, and should be of miou, in this order."),
    ],
)
def test_what_a_convention_names_and_the_dataset_has_not_is_found(changed: dict[str, Any], fault: str) -> None:
    check(FINE)
    with pytest.raises(Fault) as caught:
        check(dataclasses.replace(FINE, **changed))
    assert fault in str(caught.value)


def test_constants_have_every_metric_of_the_gain_in_the_order_of_the_kind() -> None:
    constants = FINE.constants
    assert constants is not None
    values = {**constants.values, "depth": {"relative-error": "0.30", "absolute-error": "0.400"}}
    with pytest.raises(Fault, match="are of relative-error, absolute-error, and should be of absolute-error, relative"):
        check(dataclasses.replace(FINE, constants=dataclasses.replace(constants, values=values)))
