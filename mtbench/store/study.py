"""Trials of a search, in ``search.json``: which they were, what they were worth on validation, which were chosen.

A study is of one method on one dataset. Its trials are ordinary runs, kept where every run is; this names them. It is
read without Optuna, whose journal lies beside it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mtbench.contract import TrainingProtocol
from mtbench.errors import DamagedRecord, NewerResults
from mtbench.plan.spec import Titles, composition
from mtbench.store.atomic import write_text
from mtbench.store.record import TaskInfo
from mtbench.store.record.formats import study_from_1
from mtbench.store.record.sealed import Later, Number, Unsealed, seal, unseal

__all__ = [
    *("FILE", "FORMAT", "SEARCHES", "Spent", "Study", "Trial"),
    *("in_order", "mean", "read_studies", "read_study", "write_study"),
]

FORMAT = 2
"""Raised when a study can no longer be read by the mtbench before it."""
SEARCHES = "searches"
"""The folder of a results folder that studies lie in, as ``<dataset>/<method>-<id>/``."""
FILE = "search.json"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One setting that was tried.

    Attributes:
        number: from 0, which is the default.
        state: ``asked`` (proposed, not finished), ``done`` or ``failed``.
        asked: by name what differs from what was asked of the study, as on the command line.
        titles: of its runs.
        values: by task the metric that tables show, on the validation split after the last epoch, the mean over the
            tuning seeds; None unless done.
        front: whether no other trial is better: in the mean, or in one task and no worse in the others.
        runs: the folders of its runs below the results folder, in the order of the tuning seeds.
        why: what went wrong, if it failed.
    """

    number: int
    state: str
    asked: Mapping[str, str]
    titles: Titles
    values: Mapping[str, Number] | None = None
    front: bool = False
    runs: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """The cost of finished trials; what was retrained is not in it.

    Attributes:
        trials: finished ones, failed ones among them.
        runs: different runs that have a record.
        epochs: that these runs trained, together.
        seconds: on the clock, that these runs took, together.
    """

    trials: int = 0
    runs: int = 0
    epochs: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Study:
    """A search over one method on one dataset.

    Attributes:
        id: stands for everything that was asked of it but the number of trials.
        dataset: as on the command line.
        method: likewise; what is searched is at its default.
        backbone: likewise.
        protocol: that of the runs that are trained again; trials hold a validation split out besides.
        titles: of the default, trained again.
        space: by name what is searched, as after ``--space``.
        sampler: how trials are proposed: ``tpe``, ``nsga2``, ``qmc`` or ``grid``.
        objective: ``tasks`` (one objective per task) or ``mean`` (of the tasks).
        tasks: in the dataset's order.
        seed: of the proposals.
        tuning_seeds: of the trials' runs.
        report_seeds: of the runs that are trained again.
        round: how many trials are proposed before any of them is run.
        planned: how many trials were asked for last.
        trials: in the order of their numbers.
        chosen: the numbers of the trials that are trained again, the default first.
        retrained: by number, the folders of the runs that were trained again on all training images, in the order of
            the report seeds; one that has no record is not among them.
        spent: see `Spent`.
        set_aside: the folders of the runs of trials beyond those that were asked for last, which an earlier and longer
            search left; they are kept for a longer one to come.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    format: int = FORMAT
    id: str
    dataset: str
    method: str
    backbone: str
    protocol: TrainingProtocol
    titles: Titles
    space: Mapping[str, str]
    sampler: str
    objective: str
    tasks: tuple[TaskInfo, ...]
    seed: int
    tuning_seeds: tuple[int, ...]
    report_seeds: tuple[int, ...]
    round: int
    planned: int
    trials: tuple[Trial, ...] = ()
    chosen: tuple[int, ...] = ()
    retrained: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    spent: Spent = Spent()
    set_aside: tuple[str, ...] = ()

    @property
    def network(self) -> str:
        """Its network with options, as on the command line."""
        return composition(self.method)[0]

    @property
    def finished(self) -> int:
        """The number of trials that are done or failed."""
        return sum(trial.state != "asked" for trial in self.trials)

    @property
    def higher_is_better(self) -> tuple[bool, ...]:
        """The direction of each objective."""
        return tuple(task.higher_is_better for task in self.tasks[: 1 if self.objective == "mean" else None])

    def score(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """Return what the objectives are worth, from a value per task: these, or their mean."""
        each = tuple(values[task.name] for task in self.tasks)
        return (mean(each),) if self.objective == "mean" else each

    @property
    def trial_runs(self) -> frozenset[str]:
        """The folders of all runs of trials below the results folder, those that were set aside among them."""
        return frozenset(run for trial in self.trials for run in trial.runs) | frozenset(self.set_aside)


def mean(values: Sequence[float]) -> float:
    """Return the unweighted mean."""
    return math.fsum(values) / len(values)


def write_study(folder: Path, study: Study) -> None:
    """Put the study down in its folder, at once and for good.

    Raises:
        StoreError: it cannot be written.
    """
    write_text(folder / FILE, seal("study", asdict(study)))


def read_study(path: Path) -> Study:
    """Read a ``search.json`` and check it against its checksum.

    Raises:
        DamagedRecord: it is not a study, or was changed after it was written.
        NewerResults: a newer mtbench wrote it.
    """
    try:
        body = unseal("study", path.read_bytes(), newest=FORMAT)
    except Later as cause:
        raise NewerResults(
            f"{path} has format {cause.found}, and this mtbench reads studies up to {FORMAT}.",
            mend="Upgrade mtbench, or give another folder with --results.",
        ) from None
    except (OSError, Unsealed) as cause:
        raise _damaged(path, str(cause)) from None
    try:
        return _READER.validate_python(study_from_1(body) if body["format"] == 1 else body)
    except (ValidationError, AttributeError, LookupError, TypeError):
        raise _damaged(path, "it is not a study") from None


def read_studies(results: Path) -> list[Study]:
    """Return every study below a results folder, by dataset and method.

    Raises:
        DamagedRecord, NewerResults: see `read_study`.
    """
    return in_order(read_study(path) for path in sorted(results.glob(f"{SEARCHES}/*/*/{FILE}")))


def in_order(studies: Iterable[Study]) -> list[Study]:
    """Return studies by dataset, method and protocol."""
    return sorted(studies, key=lambda study: (study.dataset, study.titles.method, study.titles.protocol, study.id))


def _damaged(path: Path, what: str) -> DamagedRecord:
    return DamagedRecord(
        f"the study {path} is damaged: {what}.",
        mend="Give the command again that made it: it is written anew from the journal beside it.",
    )


_READER = TypeAdapter(Study)
