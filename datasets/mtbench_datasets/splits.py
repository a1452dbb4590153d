"""Names of datasets and of their splits, as a person writes them."""

from typing import Any

from mtbench.contract.options import differences, render_value
from mtbench.errors import UsageError

__all__ = ["check_split", "title"]


def title(name: str, options: Any) -> str:
    """Return a dataset as written on the command line, with the options that differ, e.g. ``clevr4:size=64``."""
    given = differences(options).items()
    return ":".join([name, *(f"{key}={render_value(value)}" for key, value in given)])


def check_split(dataset: str, split: str, *, validation: bool) -> None:
    """Refuse a split that is not there: train and test are, and val where a validation split is held out.

    Raises:
        UsageError: there is no such split.
    """
    splits = ("train", "val", "test") if validation else ("train", "test")
    if split not in splits:
        raise UsageError(
            f"dataset '{dataset}' has no split '{split}' {'with' if validation else 'without'} validation.",
            mend="Hold one out with --set validation=true." if split == "val" else "",
            allowed=f"Its splits: {', '.join(splits)}.",
        )
