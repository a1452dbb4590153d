"""Versions of Optuna, which may propose other trials from the same seed, settings and earlier trials."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from mtbench.errors import StoreError, UsageError
from mtbench.search.planning import StudyPlan
from mtbench.search.request import BY_OPTUNA
from mtbench.store.study import FILE, read_study

__all__ = ["check_versions", "unlike_versions"]


def unlike_versions(plans: Sequence[StudyPlan], results: Path) -> Iterator[str]:
    """Yield a sentence on each search that will have trials proposed by different versions of Optuna.

    Trials of Optuna 5.0 differ from those of 4.6 to 4.9 from the first one on that TPE models; those of NSGA-II do not.

    Args:
        plans: the searches.
        results: the folder of the runs, and of the studies.
    """
    now = version("optuna")
    for plan in plans:
        if plan.request.sampler not in BY_OPTUNA:
            continue
        try:
            study = read_study(plan.folder(results) / FILE)
        except StoreError:  # missing, or to be rewritten
            continue
        there = len(study.trials) + len(study.set_aside) // len(study.tuning_seeds)
        others = [each or "an unknown version" for each in study.optuna or ("",) if each != now]
        if 1 < there < plan.trials and others:
            yield (
                f"The trials of {plan.title} on {plan.dataset.choice} so far were proposed by Optuna "
                f"{' and '.join(others)}. Optuna {now} proposes the next ones, and may propose others than it would. "
                "Reports say so."
            )


def check_versions(plans: Sequence[StudyPlan], results: Path) -> None:
    """Refuse searches that would have trials proposed by different versions of Optuna.

    Raises:
        UsageError: there is one.
    """
    for sentence in unlike_versions(plans, results):
        raise UsageError(
            sentence.removesuffix(" Reports say so."),
            mend="Install that version, search into another folder with --results, or leave --strict out.",
        )
