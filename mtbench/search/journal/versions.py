"""Versions of Optuna, which may propose other trials from the same seed, settings and earlier trials."""

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.search.planning import StudyPlan
from mtbench.search.request import BY_OPTUNA
from mtbench.store.files.guard import Refused, read_guarded
from mtbench.store.study import JOURNAL

__all__ = ["check_versions", "unlike_versions"]


def unlike_versions(plans: Sequence[StudyPlan], results: Path) -> Iterator[str]:
    """Yield a sentence on each search that will have trials proposed by different versions of Optuna.

    Trials of Optuna 5.0 differ from those of 4.6 to 4.9 from the first one on that TPE models; those of NSGA-II do not.
    The journal is read, which is there before the file of the study and may have more trials.

    Args:
        plans: the searches.
        results: the folder of the runs, and of the studies.
    """
    now = version("optuna")
    for plan in plans:
        if plan.request.sampler not in BY_OPTUNA:
            continue
        found = _proposers(plan.folder(results) / JOURNAL)
        others = [each or "an unknown version" for each in dict.fromkeys(found[1:]) if each != now]
        if len(found) < plan.trials and others:
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


def _proposers(journal: Path) -> list[str]:
    """Return the version of Optuna of each trial in a journal; empty where it was not stored.

    There are none in a journal that is missing or cannot be read, which the search itself refuses.
    """
    try:
        lines = read_guarded(journal).rpartition(b"\n")[0].splitlines()
        attributes = [line["user_attrs"] for line in map(json.loads, lines) if "user_attrs" in line]
        return [str(each.get("optuna", "")) for each in attributes]
    except (OSError, Refused, ValueError, TypeError, AttributeError):
        return []
