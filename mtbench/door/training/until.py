"""Seeds that are added until the claims of a suite are decided, by a plan of looks that is sealed before the first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtbench import registry
from mtbench.door.training.looks import choose_looks
from mtbench.door.training.work import Work
from mtbench.errors import UsageError
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import AnyClaim, Suite
from mtbench.plan.suite.planned import Place, later_rows, meant, places, plan_suite, signature, size_of
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.text import slug
from mtbench.stats.contrast import LEVEL
from mtbench.stats.sequential.bounds import OBRIEN_FLEMING
from mtbench.store.status import RunStatus
from mtbench.store.suites.declaration import content
from mtbench.store.suites.looks import LookPlan, look_plan_path, read_look_plan, write_look_plan

__all__ = ["Look", "UntilDecided"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look that was done.

    Attributes:
        place: its place, from 0.
        judged: the claims of the suite, each as of the last look at which it was judged.
        open: places of the claims that were open at this look.
        statuses: the runs of these claims up to its seeds.
    """

    place: int
    judged: Sequence[Judged]
    open: Sequence[int]
    statuses: Sequence[RunStatus]


@dataclass(frozen=True, kw_only=True)
class UntilDecided:
    """A suite whose claims are judged look by look.

    Attributes:
        suite: the suite.
        base, settings: see `mtbench.plan.suite.planned.plan_suite`.
        results: the results folder.
        looks: the looks that were asked for; empty for those of the sealed plan, else the default ones.
        most: the largest number of seeds that was asked for; None likewise.

    Raises:
        UsageError: the suite has no claims, judges tuned runs, or has rows that take their weights from other runs.
    """

    suite: Suite
    base: str
    settings: Mapping[str, str]
    results: Path
    looks: tuple[int, ...] = ()
    most: int | None = None

    def __post_init__(self) -> None:
        name = self.suite.name
        if not self.suite.claim:
            raise UsageError(
                f"suite '{name}' has no claims, so that nothing can be decided.",
                mend=f"Leave --until-decided out, or add claims: `mtbench suite show {name}` names the file.",
            )
        if self.suite.judges != "default":
            raise UsageError(
                f"suite '{name}' judges tuned runs, whose settings are chosen by searches, and --until-decided adds "
                "seeds to the runs of its grid.",
                mend="Leave --until-decided out, and fix the number of seeds by --seeds.",
            )
        if later := later_rows(self.suite, base=self.base):
            raise UsageError(
                f"suite '{name}' has rows that take their weights from all runs of another one, such as "
                f"{later[0].place.method}, and --until-decided adds seeds later.",
                mend="Leave --until-decided out, and fix the number of seeds by --set seeds=N.",
            )

    @cached_property
    def size(self) -> str:
        """The size of the runs, e.g. ``paper``.

        Raises:
            UsageError: the settings make runs that are not the suite's.
        """
        specs = plan_suite(self.suite, base=self.base, settings=self.settings, seeds=[0])
        sizes = {size_of(self.suite, place, spec) for spec in specs if (place := self._places.get(signature(spec)))}
        if len(sizes) != 1 or any(signature(spec) not in self._places for spec in specs):
            raise UsageError(
                f"runs with {', '.join(f'{name}={value}' for name, value in self.settings.items())} are not those of "
                f"suite '{self.suite.name}', and its claims are not about them.",
                allowed="With --until-decided, settings change the size only: epochs, images and batch.",
            )
        return sizes.pop()

    @property
    def path(self) -> Path:
        """The path of the plan of looks."""
        return look_plan_path(self.results, self._slug)

    def sealed(self) -> LookPlan | None:
        """Return the plan of looks that was sealed before; None if there is none.

        Raises:
            UsageError: other looks were asked for, or the claims of the suite have changed since.
            DamagedRecord, NewerResults: see `mtbench.store.suites.looks.read_look_plan`.
        """
        plan = read_look_plan(self.results, self._slug)
        if plan is None:
            return None
        given = {
            "--looks": self.looks and self.looks != plan.looks and _listed(self.looks),
            "--max-seeds": self.most is not None and self.most != plan.looks[-1] and str(self.most),
        }
        for option, value in given.items():
            if value:
                raise UsageError(
                    f"{option} is {value}, and the sealed plan of looks {self.path} of {plan.at.partition('T')[0]} has "
                    f"looks at {plan.listed} seeds.",
                    mend=f"Leave {option} out: the looks are fixed before the first one. For other looks take new "
                    "seeds in another results folder.",
                )
        if list(plan.claims) != content(self.suite)["claim"]:
            raise UsageError(
                f"the claims of suite '{self.suite.name}' are not those of the sealed plan of looks {self.path}.",
                mend="Restore the claims, or give another results folder: claims that were changed after a look need "
                "new runs.",
            )
        return plan

    def new_plan(self, statuses: Sequence[RunStatus] = ()) -> LookPlan:
        """Return a plan of looks that is not sealed yet.

        Args:
            statuses: the present state of the runs of its claims.
        """
        looks = choose_looks(self.looks, self.most)
        later = [spec for spec in self.specs(looks) if spec.seed >= looks[0]]
        return LookPlan(
            suite=self.suite.name,
            size=self.size,
            at="",
            looks=looks,
            alpha=LEVEL,
            spending=OBRIEN_FLEMING,
            correction="holm",
            claims=tuple(content(self.suite)["claim"]),
            seen=sum(status.record is not None for status in statuses),
            later=tuple(spec.id for spec in later),
        )

    def seal(self, work: Work) -> LookPlan:
        """Return the sealed plan of looks; it is written if there is none.

        Raises:
            UsageError, DamagedRecord, NewerResults: see `sealed`.
            StoreError: it cannot be written.
        """
        if (plan := self.sealed()) is not None:
            return plan
        specs = self.specs(choose_looks(self.looks, self.most))
        return write_look_plan(self.results, self._slug, self.new_plan(work.statuses(specs)))

    def specs(self, looks: Sequence[int]) -> list[RunSpec]:
        """Return the runs of all claims up to the last look, each once."""
        return _unique(spec for runs in self._of_claims(looks[-1]) for spec in runs)

    @property
    def idle(self) -> int:
        """The number of methods of the grid, on each dataset and under each variation, that no claim is about."""
        return len(plan_suite(self.suite, base=self.base, settings=self.settings, seeds=[0])) - len(self.specs([1]))

    def follow(self, plan: LookPlan, work: Work) -> Iterator[Look]:
        """Train the runs of each look that open claims need, and judge them, until none is open.

        Raises:
            Stopped: Ctrl-C or SIGTERM was received; the same call resumes it, and judges alike.
            StoreError: the results folder cannot be read or written.
        """
        of_claims = self._of_claims(plan.looks[-1])
        waiting: Sequence[int] = range(len(self.suite.claim))
        for place, count in enumerate(plan.looks):
            wanted = _unique(spec for index in waiting for spec in of_claims[index] if spec.seed < count)
            statuses = work(wanted, f"look {place + 1} of {len(plan.looks)} (n = {count})")
            known = work.statuses([spec for spec in self.specs(plan.looks) if spec.seed < count])
            judged = judge_claims(self._runs(plan, known), work.root)
            yield Look(place=place, judged=judged, open=waiting, statuses=statuses)
            waiting = [index for index in waiting if (course := judged[index].course) and course.lacking == place + 1]
            if not waiting:
                return

    def _runs(self, plan: LookPlan, statuses: Sequence[RunStatus]) -> SuiteRuns:
        (runs,) = suite_runs(self.suite, statuses, plans=[plan])
        return runs

    def _of_claims(self, seeds: int) -> list[list[RunSpec]]:
        """Return the runs of each claim, with so many seeds."""
        placed: dict[Place, list[RunSpec]] = {}
        for spec in plan_suite(self.suite, base=self.base, settings=self.settings, seeds=range(seeds)):
            placed.setdefault(self._places[signature(spec)], []).append(spec)
        return [
            [spec for place, specs in placed.items() if self._is_about(claim, place, specs[0]) for spec in specs]
            for claim in self.suite.claim
        ]

    def _is_about(self, claim: AnyClaim, place: Place, spec: RunSpec) -> bool:
        """Return whether the runs of a place are compared by a claim, or Δm in it is relative to them."""
        wanted = [(dataset, meant(self.suite, dataset, settings)) for dataset, settings in claim.where]
        if (place.dataset, place.variation) not in wanted:
            return False
        single = spec.network.name in registry.with_role("method", registry.SINGLE_TASK)
        return place.method in claim.methods or (claim.is_relative and single)

    @cached_property
    def _places(self) -> dict[str, Place]:
        return places(self.suite)

    @property
    def _slug(self) -> str:
        return f"{self.suite.name}-{slug(self.size)}"


def _unique(specs: "Iterator[RunSpec] | Sequence[RunSpec]") -> list[RunSpec]:
    return list({spec.id: spec for spec in specs}.values())


def _listed(looks: Sequence[int]) -> str:
    return ", ".join(map(str, looks))
