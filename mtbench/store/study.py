"""Trials of a search, in ``search.json``: their settings, their validation metrics, and the chosen ones.

A study is of one method on one dataset. Its trials are ordinary runs, stored like any run; the study names them. It is
read without Optuna, whose journal is in the same folder.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from mtbench.contract import TrainingProtocol
from mtbench.contract.options.files import with_short_hashes
from mtbench.errors import DamagedRecord, NewerResults, StoreError, UsageError
from mtbench.plan.checked import check_protocol, method_title, protocol_title
from mtbench.plan.spec import Choice, Titles, composition
from mtbench.store.files.atomic import write_text
from mtbench.store.files.guard import Refused, read_guarded
from mtbench.store.files.reading import files_below
from mtbench.store.record import TaskInfo
from mtbench.store.record.formats import study_from_1
from mtbench.store.record.sealed import Later, Number, Unsealed, seal, unseal

__all__ = [
    *("FILE", "FORMAT", "JOURNAL", "SEARCHES", "Spent", "Study", "Trial"),
    *("in_order", "mean", "read_studies", "read_study", "study_files", "trials_of_unread", "write_study"),
]

FORMAT = 2
"""Raised when an earlier mtbench can no longer read a study."""
SEARCHES = "searches"
"""The folder of a results folder that contains studies, as ``<dataset>/<method>-<id>/``."""
FILE = "search.json"
JOURNAL = "journal.log"
"""The journal of Optuna beside it."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One setting that was tried.

    Attributes:
        number: the number of the trial, from 0, which is the default.
        state: ``asked`` (proposed, not finished), ``done`` or ``failed``.
        asked: differences from the request of the study by name, as on the command line.
        titles: titles of its runs.
        values: for each task the metric that tables show, on the validation split after the last epoch, the mean over
            the tuning seeds; None unless done.
        front: True if no other trial is better: in the mean, or in one task and no worse in the others.
        runs: the folders of its runs below the results folder, in the order of the tuning seeds.
        why: the reason, if it failed.
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
    """The cost of finished trials, without retrained runs.

    Attributes:
        trials: number of finished trials, including failed ones.
        runs: number of different runs that have a record.
        epochs: total number of epochs of these runs.
        seconds: total wall-clock seconds of these runs.
    """

    trials: int = 0
    runs: int = 0
    epochs: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Study:
    """A search over one method on one dataset.

    Attributes:
        id: identity of the request without the number of trials.
        dataset: the dataset as on the command line.
        method: the method as on the command line; searched settings are at their defaults.
        backbone: the backbone as on the command line.
        protocol: the training protocol of retrained runs; trials also hold out a validation split.
        titles: titles of the retrained default.
        space: the searched spaces by name, as after ``--space``.
        sampler: the sampler of trials: ``tpe``, ``nsga2``, ``qmc`` or ``grid``.
        objective: ``tasks`` (one objective per task) or ``mean`` (over the tasks).
        tasks: the tasks in the dataset's order.
        seed: the seed of the proposals.
        tuning_seeds: seeds of the trials' runs.
        report_seeds: seeds of the retrained runs.
        round: the number of trials that are proposed before any of them is run.
        planned: the number of trials of the last request.
        trials: the trials in the order of their numbers.
        chosen: the numbers of the trials that are retrained, the default first.
        retrained: folders of the runs that were retrained on all training images, by number of the trial, in the order
            of the report seeds; without runs that have no record.
        spent: see `Spent`.
        set_aside: the folders of the runs of trials beyond the number of the last request, from an earlier and longer
            search; they are kept for a longer one to come.
        optuna: the versions of Optuna that proposed the trials after the default, each once, in the order of the
            trials; an empty text stands for trials before it was stored. Empty if none is known, or if no sampler of
            Optuna proposed them.
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
    optuna: tuple[str, ...] = ()

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
        """Return the objectives from a value per task: these values, or their mean."""
        each = tuple(values[task.name] for task in self.tasks)
        return (mean(each),) if self.objective == "mean" else each

    @property
    def trial_runs(self) -> frozenset[str]:
        """The folders of all runs of trials below the results folder, including those that were set aside."""
        return frozenset(run for trial in self.trials for run in trial.runs) | frozenset(self.set_aside)


def mean(values: Sequence[float]) -> float:
    """Return the unweighted mean."""
    return math.fsum(values) / len(values)


def write_study(folder: Path, study: Study) -> None:
    """Write the study into its folder, atomically and durably.

    Raises:
        StoreError: it cannot be written.
    """
    body = asdict(study)
    if not study.optuna:
        del body["optuna"]  # studies of earlier versions are written as they were
    write_text(folder / FILE, seal("study", body))


def read_study(path: Path) -> Study:
    """Read a ``search.json`` and check it against its checksum.

    Raises:
        DamagedRecord: it is not a study, or was changed after it was written.
        NewerResults: a newer mtbench wrote it.
    """
    try:
        body = unseal("study", read_guarded(path), newest=FORMAT)
    except Later as cause:
        raise NewerResults(
            f"{path} has format {cause.found}, and this mtbench reads studies up to {FORMAT}.",
            mend="Upgrade mtbench, or give another folder with --results.",
        ) from None
    except (OSError, Refused, Unsealed) as cause:
        raise _damaged(path, str(cause)) from None
    try:
        study = _READER.validate_python(study_from_1(body) if body["format"] == 1 else body)
        check_protocol(study.protocol)
        return dataclasses.replace(study, titles=_checked_titles(study))
    except UsageError as cause:
        raise _damaged(path, cause.given.rstrip(".")) from None
    except (ValueError, AttributeError, LookupError, TypeError):  # ValidationError is a ValueError
        raise _damaged(path, "it is not a study") from None


def read_studies(results: Path, unread: Callable[[str], None] | None = None) -> list[Study]:
    """Return every study below a results folder or in a pack, by dataset and method.

    Args:
        unread: called with a sentence on each study that cannot be read, which is left out. Without it, it is an error.

    Raises:
        DamagedRecord, NewerResults: see `read_study`.
    """
    found = []
    for path in study_files(results):
        try:
            found.append(read_study(path))
        except StoreError as cause:
            if unread is None:
                raise
            unread(f"{cause} The search is left out.")
    return in_order(found)


def trials_of_unread(results: Path) -> frozenset[str]:
    """Return the folder names of the runs of trials whose study cannot be read, as far as its journal names them."""
    found: set[str] = set()
    for path in study_files(results):
        try:
            read_study(path)
        except StoreError:
            with suppress(OSError, Refused, StoreError):
                journal = read_guarded(path.with_name(JOURNAL)).decode(errors="replace")
                found.update(re.findall(r"seed-\d+-[0-9a-f]{12}", journal))
    return frozenset(found)


def study_files(results: Path) -> list[Path]:
    """Return the file of every study below a results folder or in a pack, sorted."""
    searches = results / SEARCHES
    names = files_below(searches)
    return [searches / name for name in names if name.count("/") == 2 and name.endswith(f"/{FILE}")]


def in_order(studies: Iterable[Study]) -> list[Study]:
    """Return studies by dataset, method and protocol."""
    return sorted(studies, key=lambda study: (study.dataset, study.titles.method, study.titles.protocol, study.id))


def _checked_titles(study: Study) -> Titles:
    """Return the titles of a study, each as it is if it describes the study, else made from its parts."""
    network, balancer = (Choice(name=part.partition(":")[0]) for part in composition(study.method))
    return dataclasses.replace(
        study.titles,
        dataset=with_short_hashes(study.dataset),
        method=method_title(study.titles.method, network, balancer, study.backbone, searched=True),
        protocol=protocol_title(study.titles.protocol, study.protocol),
    )


def _damaged(path: Path, what: str) -> DamagedRecord:
    return DamagedRecord(
        f"the study {path} is damaged: {what}.",
        mend="Run the command that made it again: it is rewritten from the journal beside it.",
    )


_READER = TypeAdapter(Study)
