"""Searches of kept packs beside a reader's own: a kept method stands tuned beside tuned ones alone.

A search is taken if a search of the reader has the same dataset, data and training protocol, the same budget (trials,
tuning seeds, epochs, data), the same spaces of the settings of training, and a report seed in common.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, auto

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite.parts import DECLARED, OPTIONS
from mtbench.report.data.cost.budget import budget_of
from mtbench.report.data.kept.runs import numbers
from mtbench.report.data.studies import StudyRuns
from mtbench.report.text import listed, seeds
from mtbench.store.status import RunStatus

__all__ = ["beside_searches", "tuned_alone"]

_TRAINING = frozenset(field.name for field in fields(TrainingProtocol))
"""Names of axes that are settings of the training protocol; an option of that name has its plug-in's before it."""


class _Reason(IntEnum):
    """Reasons that a search cannot stand beside the reader's, in the order in which they are stated."""

    OBJECTIVE = auto()
    DATASET = auto()
    LACKING = auto()
    DATA = auto()
    PROTOCOL = auto()
    UNTUNED = auto()
    TWICE = auto()
    BUDGET = auto()
    SPACE = auto()
    SEEDS = auto()


_UNEQUAL = (_Reason.UNTUNED, _Reason.BUDGET, _Reason.SPACE)
"""Reasons that a search with the budget and the spaces of the kept one would remove."""


@dataclass(frozen=True, kw_only=True)
class _Own:
    """The reader's runs, and the searches among them that choose one setting."""

    runs: Sequence[RunStatus]
    searches: Sequence[StudyRuns]

    def alike(self, kept: StudyRuns) -> list[StudyRuns]:
        """Return the searches on the same dataset under the same training protocol."""
        return [each for each in self.searches if _group(each) == _group(kept)]

    def methods(self, kept: StudyRuns) -> list[str]:
        """Return the methods that are searched or run on the dataset of a kept search."""
        named = [each.study.titles.method for each in self.alike(kept)]
        runs = [run.spec.titles.method for run in self.runs if str(run.spec.dataset) == kept.study.dataset]
        return list(dict.fromkeys(named or runs))


def beside_searches(
    own: Sequence[StudyRuns], kept: Iterable[StudyRuns], runs: Sequence[RunStatus]
) -> tuple[list[StudyRuns], list[str]]:
    """Return the kept searches that may stand beside the reader's own, and for each pack sentences on the others.

    Args:
        own: the reader's searches.
        kept: searches of packs, each with its `origin`, without searches that are among the own.
        runs: the reader's runs; those without a record count for nothing.
    """
    mine = _Own(
        runs=[run for run in runs if run.record is not None],
        searches=[each for each in own if each.study.objective == "mean" and each.study.finished],
    )
    taken, left = list[StudyRuns](), dict[str, dict[_Reason, list[StudyRuns]]]()
    for each in kept:
        if (why := _misfit(each, mine)) is None:
            taken.append(each)
        else:
            left.setdefault(each.origin, {}).setdefault(why, []).append(each)
    return taken, [sentence for name, reasons in left.items() for sentence in _said(name, reasons, mine)]


def tuned_alone(studies: Iterable[StudyRuns]) -> set[str]:
    """Return the folder names of runs that were retrained with chosen settings other than the default."""
    return {run.folder.name for each in studies for number, runs in each.again.items() if number for run in runs}


def _misfit(kept: StudyRuns, own: _Own) -> _Reason | None:
    """Return why a search cannot stand beside the others; None if it can."""
    study, there = kept.study, [run for run in own.runs if str(run.spec.dataset) == kept.study.dataset]
    if study.objective != "mean":
        return _Reason.OBJECTIVE
    if not there:
        return _Reason.DATASET
    if not kept.seeds:
        return _Reason.LACKING
    if _sums(run for runs in kept.again.values() for run in runs) - _sums(there):
        return _Reason.DATA
    if not (alike := own.alike(kept)):
        return _Reason.UNTUNED if any(_trained(run) == _group(kept) for run in there) else _Reason.PROTOCOL
    if any(each.title == kept.title for each in alike):
        return _Reason.TWICE
    if budget_of(study) not in [budget_of(each.study) for each in alike]:
        return _Reason.BUDGET
    if _training(kept) not in [_training(each) for each in alike]:
        return _Reason.SPACE
    return None if any(set(each.seeds) & set(kept.seeds) for each in alike) else _Reason.SEEDS


def _said(name: str, reasons: dict[_Reason, list[StudyRuns]], own: _Own) -> list[str]:
    counts = [f"{len(reasons[why])} {_why(why, reasons[why], own)}" for why in sorted(reasons)]
    total = sum(map(len, reasons.values()))
    sentences = [f"{name}: {total} search{'es' * (total > 1)} left out: {', '.join(counts)}."]
    unequal = [each for why in _UNEQUAL for each in reasons.get(why, ())]
    for group in dict.fromkeys(map(_group, unequal)):
        sentences.append(f"To spend what {name} spent: {_command([e for e in unequal if _group(e) == group], own)}")
    return sentences


def _why(reason: _Reason, kept: Sequence[StudyRuns], own: _Own) -> str:
    datasets = listed(sorted({each.study.titles.dataset for each in kept}))
    protocols = "; ".join(sorted({f"{each.study.titles.dataset}, {each.study.titles.protocol}" for each in kept}))
    alike = [each for search in kept for each in own.alike(search)]
    if reason == _Reason.OBJECTIVE:
        return "with an objective per task"
    if reason == _Reason.DATASET:
        return f"of other datasets ({datasets})"
    if reason == _Reason.LACKING:
        return "without a run of what was chosen"
    if reason == _Reason.DATA:
        return f"on other data of {datasets}"
    if reason == _Reason.PROTOCOL:
        return f"under other training protocols ({protocols})"
    if reason == _Reason.UNTUNED:
        return f"beside which none of your methods is tuned ({protocols})"
    if reason == _Reason.TWICE:
        return f"of methods that you have tuned too ({listed(sorted({each.title for each in kept}))})"
    if reason == _Reason.BUDGET:
        theirs, yours = (_each(str(budget_of(each.study)) for each in group) for group in (kept, alike))
        return f"with another budget ({theirs}; yours: {yours})"
    if reason == _Reason.SPACE:
        theirs, yours = (_each(_spaces(each) for each in group) for group in (kept, alike))
        return f"over other settings of training ({theirs}; yours: {yours})"
    return f"of other seeds ({seeds({seed for each in kept for seed in each.seeds})})"


def _command(kept: Sequence[StudyRuns], own: _Own) -> str:
    """Return the command that searches the reader's methods with the budget and the spaces of kept searches."""
    # A pack has one budget as a rule; if not, that of most of its searches.
    budget, _ = Counter(budget_of(each.study) for each in kept).most_common(1)[0]
    first = next(each for each in kept if budget_of(each.study) == budget)
    study = first.study
    protocol, *settings = study.titles.protocol.split(", ")
    words = ["mtbench", "search", "--methods", ",".join(own.methods(first)), "--dataset", study.titles.dataset]
    words += ["--protocol", protocol, *(word for setting in settings for word in ("--set", setting))]
    words += ["--trials", str(study.finished), "--sampler", study.sampler]
    words += ["--seeds", "".join(f"{seed}," for seed in study.tuning_seeds), "--retrain", str(len(study.report_seeds))]
    words += [word for name, text in _training(first).items() for word in ("--space", f"{name}={text}")]
    if any(name not in _TRAINING for each in kept for name in each.study.space):
        words += ["--space", f"{OPTIONS}={DECLARED}"]
    return shlex.join(words)


def _training(found: StudyRuns) -> dict[str, str]:
    """Return the spaces of the settings of training that were searched, by name."""
    return {name: text for name, text in found.study.space.items() if name in _TRAINING}


def _spaces(found: StudyRuns) -> str:
    return ", ".join(f"{name} {text}" for name, text in _training(found).items()) or "none"


def _group(found: StudyRuns) -> tuple[str, TrainingProtocol]:
    return found.study.dataset, found.protocol


def _trained(run: RunStatus) -> tuple[str, TrainingProtocol]:
    return str(run.spec.dataset), numbers(run)


def _sums(runs: Iterable[RunStatus]) -> set[str]:
    return {run.record.fingerprints.data for run in runs if run.record is not None}


def _each(texts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(texts))
