"""The rules by which numbers are read from records: which epoch, averaged over what, relative to what."""

from dataclasses import dataclass, field

from mtbench.contract import Batches, PeerConvention, SingleTaskValues
from mtbench.report.data.choices import Convention

__all__ = ["EPOCHS", "Rules", "rules_of"]

EPOCHS = {
    "last": "after the last epoch",
    "last10": "in the mean over the last ten epochs",
    "val": "after the epoch that is best on the validation split, by the mean over tasks of the gain over the first "
    "epoch (of single-task networks, each task's best)",
    "own-start": "after the epoch that is best on the test split, by the Δm (task) over the run's own first epoch (of "
    "single-task networks, each task's best)",
    "test": "after the epoch that is best on the test split, by Δm (of single-task networks, each task's best)",
}
"""Rules for the epoch in words; see `mtbench.contract.PeerConvention`, which has all but ``val``."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Rules for the numbers of one table.

    Attributes:
        epoch: one of `EPOCHS`.
        batches: the batches that metrics are averaged over; None for all test examples together.
        together: metrics of all test examples together even so.
        delta: the convention of Δm.
        constants: the values that Δm is relative to with the base ``constants``.
    """

    epoch: str = "last"
    batches: Batches | None = None
    together: tuple[str, ...] = ()
    delta: Convention = field(default_factory=Convention)
    constants: SingleTaskValues | None = None


def rules_of(convention: PeerConvention, base: str) -> Rules:
    """Return the rules of a convention.

    Args:
        base: the base of Δm: the convention's own, or ``mean``.
    """
    return Rules(
        epoch=convention.epoch,
        batches=convention.batches,
        together=convention.together,
        delta=Convention(average=convention.average, sign=convention.sign, base=base),
        constants=convention.constants if base == "constants" else None,
    )
