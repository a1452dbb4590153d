"""The runs of results folders, as the functions that read results share them."""

import dataclasses
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtbench.door.given import Folder, Folders, data_root, folders
from mtbench.engines.screen.say import capped
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.suite.stages.resolution import Resolution
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.comparison import compare as comparisons_of
from mtbench.report.data.kept.runs import beside, twice
from mtbench.report.data.kept.searches import beside_searches, tuned_alone
from mtbench.report.data.studies import StudyRuns, find_studies, in_tables, without_trials
from mtbench.store.files.reading import is_there
from mtbench.store.pack.index import SUFFIX
from mtbench.store.results import MARKER
from mtbench.store.status import RunStatus, by_title
from mtbench.store.study import trials_of_unread
from mtbench.store.suites.looks import LookPlan, read_look_plans, with_added
from mtbench.store.suites.resolutions import read_resolutions
from mtbench.store.union import studies_of, survey_all

__all__ = ["Contents", "read_and_warn", "read_beside", "read_contents"]

_STALE = "stale, and left out"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The runs and searches of some results folders.

    Attributes:
        folders: the folders.
        root: the folder of the data files.
        runs: all runs, each once.
        studies: the searches with their runs.
        looks: the plans of looks of suites.
        resolutions: the weights of rows of suites that take them from other runs.
        unread: sentences on what cannot be read and is left out, and on specs that differ from their records.
    """

    folders: Sequence[Path]
    root: Path
    runs: Sequence[RunStatus]
    studies: Sequence[StudyRuns]
    looks: Sequence[LookPlan] = ()
    resolutions: Sequence[Resolution] = ()
    unread: list[str] = field(default_factory=list)

    @property
    def shown(self) -> list[RunStatus]:
        """All runs but the trials of searches, of which nobody is to see the test split."""
        return without_trials(self.runs, self.studies)

    def of_datasets(self, names: Sequence[str]) -> "Contents":
        """Return the runs and searches of these datasets alone; of all where none is named.

        Raises:
            UsageError: there are no runs of one of them.
        """
        if not names:
            return self
        there = sorted({run.spec.titles.dataset for run in self.runs})
        for name in names:
            if name not in there:
                raise UsageError(
                    f"there are no runs of dataset '{name}' in {_listed(self.folders)}.",
                    mend=did_you_mean(name, there),
                    allowed=f"Datasets there: {', '.join(there)}.",
                )
        return dataclasses.replace(
            self,
            runs=[run for run in self.runs if run.spec.titles.dataset in names],
            studies=[found for found in self.studies if found.study.titles.dataset in names],
        )

    def comparisons(self) -> list[Comparison]:
        """Return the runs that are shown, by dataset and training protocol."""
        return comparisons_of(self.shown)


def read_contents(results: Folders, root: Folder | None = None, *, fresh_only: bool = False) -> Contents:
    """Read one or several results folders. A file that cannot be read costs its own run or search.

    Args:
        results: the folders, or packs.
        root: the folder of the data files.
        fresh_only: True to leave the records of stale runs out, so that tables count these runs as missing.

    Raises:
        UsageError: there is no run in them.
        StoreError: a folder cannot be read, or two have unlike records of one run.
    """
    given, place = folders(results), data_root(root)
    unread: list[str] = []
    runs = survey_all(given, place, unread.append) if len(given) > 1 or is_there(given[0]) else []
    if not runs:
        raise UsageError(
            f"there are no runs in {_listed(given)}.",
            mend=_packs_of(given)
            or "Train some: mtbench run --methods td,uniform --dataset mmnist3; or name the folder that they are in.",
            where=" ".join(unread[:1]),
        )
    if fresh_only:
        runs = [_left_out(run) if run.state == "stale" else run for run in runs]
    looks = read_look_plans(given, unread)
    runs = with_added(runs, looks)
    read = len(unread)
    studies = find_studies(studies_of(given, unread.append), runs)
    if len(unread) > read:  # nobody is to see the test split of trials, even if their search cannot be read
        trials = frozenset().union(*map(trials_of_unread, given))
        runs = [_as_trial(run) if run.folder.name in trials else run for run in runs]
    resolutions = read_resolutions(given, unread)
    return Contents(
        folders=given,
        root=place,
        runs=runs,
        studies=studies,
        looks=looks,
        resolutions=resolutions,
        unread=list(dict.fromkeys(unread)),
    )


def read_beside(
    results: Folders, baselines: Folders | None, root: Folder | None = None, *, fresh_only: bool = False
) -> Contents:
    """Read results folders, and set runs and searches of kept packs beside them (see `mtbench.report.data.kept`).

    A run that is in both counts as the reader's own. What was retrained with settings that a kept search chose is shown
    by that search alone. Sentences on kept runs and searches that are left out are among `Contents.unread`.

    Args:
        results: the folders of the reader's runs, or packs.
        baselines: the packs, results folders, or folders with packs; None or an empty list for none.
        root, fresh_only: see `read_contents`.

    Raises:
        UsageError: a pack does not exist, or there is no run in the reader's folders or in the packs.
        StoreError: see `read_contents`.
    """
    own = read_contents(results, root, fresh_only=fresh_only)
    kept = {} if not baselines else _named(folder for folder in folders(baselines) if folder not in own.folders)
    if not kept:
        return own
    there = read_contents(list(kept), root, fresh_only=fresh_only)
    packed = [_of_pack(run, kept) for run in there.runs if run.record is not None]
    mine = {run.folder.name: run.record for run in own.runs if run.record is not None}
    others = [run for run in packed if run.folder.name not in mine]
    searches = _kept_searches(kept, own, there, others)
    tuned = tuned_alone(searches)
    shown = [run for run in without_trials(others, searches) if run.folder.name not in tuned]
    taken, unlike = beside(in_tables(own.runs, own.studies)[0], shown)
    studies, unequal = beside_searches(own.studies, searches, own.shown)
    names = {run.folder.name for run in taken}
    return dataclasses.replace(
        own,
        folders=[*own.folders, *kept],
        runs=by_title([*(run for run in own.runs if run.folder.name not in names), *taken]),
        studies=[*own.studies, *studies],
        looks=[*own.looks, *there.looks],
        unread=[*own.unread, *there.unread, *_stale(kept, there.runs), *twice(mine, packed), *unlike, *unequal],
    )


def read_and_warn(results: Folders, root: Folder | None = None) -> Contents:
    """Return the contents of `read_contents`, with one warning on what cannot be read.

    Raises:
        UsageError, StoreError: see `read_contents`.
    """
    found = read_contents(results, root)
    if found.unread:
        warnings.warn("\n".join(capped(found.unread)), stacklevel=3)
    return found


def _kept_searches(
    kept: Mapping[Path, str], own: Contents, there: Contents, runs: Sequence[RunStatus]
) -> list[StudyRuns]:
    """Return the searches of packs that are not among the reader's own, each with the pack that it is in.

    Args:
        kept: the packs, and the name of each.
        there: their contents.
        runs: their runs that are not among the reader's own, with the name of their pack.
    """
    mine = {found.study.id for found in own.studies}
    studies = [found.study for found in there.studies if found.study.id not in mine]
    origins = {study.id: name for pack, name in kept.items() for study in studies_of([pack], lambda _: None)}
    return [
        dataclasses.replace(found, origin=origins[found.study.id])
        for found in find_studies(studies, [*own.runs, *runs])
    ]


def _named(given: Iterable[Path]) -> dict[Path, str]:
    """Return kept packs, each with the name that reports give it: of a folder with packs, that of the folder.

    Raises:
        UsageError: one does not exist.
    """
    found: dict[Path, str] = {}
    for place in given:
        if not is_there(place):
            raise UsageError(
                f"the kept pack is '{place}', and there is nothing.",
                mend="Name a pack: one that mtbench store pack wrote, or one of mtbench's repository in results/.",
            )
        packs = [] if (place / MARKER).exists() else sorted(place.glob(f"*{SUFFIX}"))
        found |= dict.fromkeys(packs or [place], place.name)
    return found


def _of_pack(run: RunStatus, packs: Mapping[Path, str]) -> RunStatus:
    """Return a run with the name of the pack that it is in."""
    return dataclasses.replace(run, origin=next(packs[pack] for pack in packs if run.folder.is_relative_to(pack)))


def _as_trial(run: RunStatus) -> RunStatus:
    return dataclasses.replace(run, spec=dataclasses.replace(run.spec, trial=True))


def _left_out(run: RunStatus) -> RunStatus:
    return dataclasses.replace(run, state="missing", why=_STALE, record=None)


def _stale(kept: Mapping[Path, str], runs: Sequence[RunStatus]) -> list[str]:
    """Return for each pack a sentence on stale runs that are left out."""
    counts = Counter(_of_pack(run, kept).origin for run in runs if run.why == _STALE)
    return [f"{name}: {count} run{'s' * (count > 1)} left out that are stale." for name, count in counts.items()]


def _packs_of(given: Sequence[Path]) -> str:
    """Return a sentence on packs in the folders, which are read if they are named; empty if there are none."""
    packs = [folder for folder in given if any(folder.glob(f"*{SUFFIX}"))]
    return f"Name the packs in it: {' '.join(f'{folder}/*{SUFFIX}' for folder in packs)}" if packs else ""


def _listed(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))
