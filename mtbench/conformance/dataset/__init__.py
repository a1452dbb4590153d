"""The checks of a dataset."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mtbench.conformance.dataset.augmentation import augments
from mtbench.conformance.dataset.conventions import conventions_fit
from mtbench.conformance.dataset.kinds import kinds_keep
from mtbench.conformance.dataset.measuring import can_be_learned, measures_as_declared
from mtbench.conformance.dataset.splits import holds_out, offers_protocols, prepares, repeats, splits_fit, targets_fit
from mtbench.contract import Dataset
from mtbench.plan.parse import parse_dataset

__all__ = ["dataset_checks", "opened_checks"]


def dataset_checks(name: str, root: Path) -> Mapping[str, Callable[[], None]]:
    """Return the checks by name; the first prepares the files, which all others need."""
    return {
        **opened_checks(lambda: parse_dataset(name).open(root)),
        "its kinds of tasks predict and measure as they declare": lambda: measures_as_declared(name, root),
        "a network can be trained on it": lambda: can_be_learned(name, root),
    }


def opened_checks(opened: Callable[[], Dataset]) -> Mapping[str, Callable[[], None]]:
    """Return the checks that need the dataset alone, from a function that opens it."""
    dataset = opened()
    return {
        "its files can be prepared and verified": lambda: prepares(dataset),
        "it offers the protocols 'paper' and 'quick'": lambda: offers_protocols(dataset),
        "its conventions name what there is": lambda: conventions_fit(dataset),
        "splits are as its tasks and its input shape say": lambda: splits_fit(dataset),
        "each target is valid for its kind": lambda: targets_fit(dataset),
        "its kinds keep what every kind promises": lambda: kinds_keep(dataset),
        "it gives the same examples every time": lambda: repeats(dataset, opened()),
        "only training examples are augmented, and stay as its tasks say": lambda: augments(dataset),
        "no example of the validation split is in the training split": lambda: holds_out(dataset),
    }
