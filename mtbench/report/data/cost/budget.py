"""Budgets of searches: tuned methods are comparable only if their searches had the same budget."""

from collections.abc import Mapping
from dataclasses import dataclass

from mtbench.store.study import Study

__all__ = ["Budget", "budget_of", "unequal"]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The budget of a search for a setting, all of whose choices are made on the validation split.

    Attributes:
        trials: number of finished trials, failed ones among them.
        epochs: epochs of each run of a trial.
        seeds: number of tuning seeds, each with a run in every trial.
        images: number of images of the training split that training and validation share; 0 for all.
        fraction: the fraction of these that is used.
    """

    trials: int
    epochs: int
    seeds: int
    images: int
    fraction: float

    def __str__(self) -> str:
        parts = [
            f"{self.trials} trial{'s' * (self.trials != 1)} of {self.epochs} epoch{'s' * (self.epochs != 1)}",
            f"with {self.seeds} tuning seed{'s' * (self.seeds != 1)}",
            f"on {self.images:,} images" if self.images else "",
            f"on the fraction {self.fraction:g} of the data" if self.fraction != 1 else "",
        ]
        return " ".join(part for part in parts if part)


def budget_of(study: Study) -> Budget:
    """Return the budget that a study has used until now."""
    protocol = study.protocol
    return Budget(
        trials=study.finished,
        epochs=protocol.epochs,
        seeds=len(study.tuning_seeds),
        images=protocol.images,
        fraction=protocol.fraction,
    )


def unequal(studies: Mapping[str, Study]) -> str:
    """Return a clause with the budget of each method if they are not all equal; else an empty text.

    Args:
        studies: the search of each method, by its name for people.
    """
    budgets = {name: budget_of(study) for name, study in studies.items()}
    if len(set(budgets.values())) <= 1:
        return ""
    return "; ".join(f"{name}: {budget}" for name, budget in budgets.items())
