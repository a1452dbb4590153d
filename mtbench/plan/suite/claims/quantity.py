"""Quantities other than test metrics that claims may be about, one number for each run."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["QUANTITIES", "Quantity"]


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A quantity of a run; `mtbench.report.data.quantities` computes it from records.

    Attributes:
        words: the quantity in a sentence.
        unit: e.g. ``%``.
        higher_is_better: the direction that a claim calls better.
        diagnostics: the value in the training protocol's `diagnostics` that measures it; empty if every run has it.
        is_of_contrast: True if its value depends on the methods that are compared, so that both are runs on one dataset
            under the same settings.
    """

    words: str
    unit: str
    higher_is_better: bool
    diagnostics: str = ""
    is_of_contrast: bool = False


QUANTITIES: Mapping[str, Quantity] = {
    "selectivity": Quantity(
        words="Selectivity: 100 S, by probes with a hidden layer, of the features that a head's last layer reads; S is "
        "1 where they contain nothing of the tasks that are not asked for, and 0 where they contain as much of them as "
        "the features for those tasks.",
        unit="%",
        higher_is_better=True,
        diagnostics="selectivity",
    ),
    "gap": Quantity(
        words="Gap: the loss on the test split minus that on training examples, both of the reported weights in "
        "evaluation mode, averaged over tasks.",
        unit="",
        higher_is_better=False,
    ),
    "equal-loss": Quantity(
        words="Equal-loss: the test error at one training loss of each task, averaged over tasks. The training loss is "
        "the larger of the lowest ones that the two methods reach with that seed.",
        unit="%",
        higher_is_better=False,
        is_of_contrast=True,
    ),
}
