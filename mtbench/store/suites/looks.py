"""Plans of looks: the numbers of seeds at which a suite's claims are judged, in ``suites/looks/`` of a results folder.

Seeds that are added until a claim is significant prove nothing, unless the looks were fixed before the first one. So
``mtbench run --suite S --until-decided`` writes the plan before its first run, and never changes it. A report judges
the claims by the plan, and marks methods with seeds that were added after the first look.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from mtbench.errors import StoreError
from mtbench.store.files.atomic import make_folder, write_text
from mtbench.store.files.reading import files_below
from mtbench.store.record.sealed import seal
from mtbench.store.results import mark_results
from mtbench.store.status import RunStatus
from mtbench.store.suites.files import LOOKS, read_sealed

__all__ = [
    "FORMAT",
    "LookPlan",
    "look_plan_path",
    "read_look_plan",
    "read_look_plans",
    "with_added",
    "write_look_plan",
]

FORMAT = 1
"""Raised when an earlier mtbench can no longer read a plan of looks."""
_KIND = "plan of looks"
_MEND = (
    "Restore it from a copy. If there is none, its looks are not known any more: claims on these runs are judged with "
    "new seeds only, in another results folder."
)


@dataclass(frozen=True, kw_only=True)
class LookPlan:
    """The looks at the claims of a suite in a results folder.

    Attributes:
        suite: the name of the suite.
        size: the size of its runs, e.g. ``paper`` or ``quick, epochs=2``.
        at: date and time in UTC, as in ``2026-11-29T18:00:00+00:00``.
        looks: number of seeds at each look, ascending; the seeds of a look are 0 to its number - 1.
        alpha: the level of each family of claims.
        spending: the spending function, ``obrien-fleming``.
        correction: the correction for several claims, ``holm``.
        claims: the claims, as in the declaration of the suite.
        seen: number of runs of the plan that had a record then.
        later: identities of the runs whose seeds are not those of the first look.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    format: int = FORMAT
    suite: str
    size: str
    at: str
    looks: tuple[int, ...]
    alpha: float
    spending: str
    correction: str
    claims: tuple[Mapping[str, Any], ...]
    seen: int
    later: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The looks in words."""
        return ", ".join(map(str, self.looks))


def look_plan_path(results: Path, slug: str) -> Path:
    """Return the path of a plan in a results folder; `slug` is the suite's name and the size."""
    return results / LOOKS / f"{slug}.json"


def write_look_plan(results: Path, slug: str, plan: LookPlan) -> LookPlan:
    """Write a plan into a results folder, with the present time.

    Raises:
        StoreError: it cannot be written.
    """
    mark_results(results)
    path, now = look_plan_path(results, slug), datetime.now(UTC).isoformat(timespec="seconds")
    make_folder(path.parent)
    write_text(path, seal(_KIND, {**asdict(plan), "at": now}))
    written = read_look_plan(results, slug)
    assert written is not None
    return written


def read_look_plan(results: Path, slug: str) -> LookPlan | None:
    """Read a plan and check it against its checksum; None if there is none.

    Raises:
        DamagedRecord: it is no plan of looks, or was changed after it was written.
        NewerResults: a newer mtbench wrote it.
    """
    return read_sealed(_KIND, look_plan_path(results, slug), _READER, newest=FORMAT, mend=_MEND)


def read_look_plans(folders: Iterable[Path], unread: list[str]) -> Sequence[LookPlan]:
    """Return the plans in some results folders or packs, each once; sentences on those that cannot be read are added to
    `unread`."""
    found: dict[tuple[str, str], LookPlan] = {}
    for folder in folders:
        for name in files_below(folder / LOOKS):
            try:
                plan = read_look_plan(folder, name.removesuffix(".json"))
            except StoreError as cause:
                unread.append(str(cause))
                continue
            if plan is not None:
                known = found.setdefault((plan.suite, plan.size), plan)
                if (plan.looks, plan.claims) != (known.looks, known.claims):
                    unread.append(
                        f"Looks at suite {plan.suite}, size {plan.size}, are planned differently in two folders; the "
                        "earlier plan counts."
                    )
                found[plan.suite, plan.size] = min(known, plan, key=lambda each: each.at)
    return list(found.values())


def with_added(runs: Sequence[RunStatus], plans: Sequence[LookPlan]) -> list[RunStatus]:
    """Return runs, with `RunStatus.added` where a plan of looks adds them after its first look."""
    later = {identity for plan in plans for identity in plan.later}
    return [replace(run, added=True) if later and run.spec.id in later else run for run in runs]


_READER = TypeAdapter(LookPlan)
