"""The runs that the options of a command ask for: a grid of methods, datasets and seeds, or a suite."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import WHAT
from mtbench.cli.training.execution import protocol_name
from mtbench.door.given import names
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.door.training.staged import Staged
    from mtbench.plan.spec import RunSpec
    from mtbench.plan.suite import Suite
    from mtbench.search.request import SearchRequest

__all__ = ["Asked", "Methods", "Seeds", "SuiteName", "ask", "refuse_beside_suite", "suite_base"]

Methods: TypeAlias = Annotated[
    str,
    typer.Option(
        "--methods",
        "--method",
        help="Methods, separated by commas, e.g. td:channels=6,branches+mgda; by default all that are installed.",
        metavar="NAMES",
        rich_help_panel=WHAT,
        autocompletion=completion.methods,
    ),
]
SuiteName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--suite",
        help="A suite by name or as a TOML file, in place of methods and datasets.",
        metavar="SUITE",
        rich_help_panel=WHAT,
        autocompletion=completion.suites,
    ),
]
Seeds: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        help="Seeds: a count (10 is 0 to 9), a range (0-5 is 0 to 5), or a list (0,3,7-9; '7,' is 7 alone); by "
        "default as many as the training protocol has.",
        metavar="SEEDS",
        rich_help_panel=WHAT,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The runs that a command is to do.

    Attributes:
        specs: the runs, each once; without the trials of searches, and without rows that wait for other runs.
        preview: returns the same runs with the training protocol ``quick``; None if these are such already.
        suite: the suite, if there is one.
        base: the training protocol of the suite's runs, if another one was given.
        searches: the searches of the suite.
        staged: the runs of the suite by stages; None if it has one stage, or there is no suite.
    """

    specs: "Sequence[RunSpec]"
    preview: "Callable[[], Sequence[RunSpec]] | None"
    suite: "Suite | None" = None
    base: str = ""
    searches: "Sequence[SearchRequest]" = field(default=())
    staged: "Staged | None" = None


def ask(
    *,
    methods: str,
    dataset: str,
    suite: str,
    seeds: Sequence[int] | None,
    backbone: str,
    protocol: str,
    quick: bool,
    changed: Mapping[str, str],
    say: Callable[[str], None],
) -> Asked:
    """Return the runs that options ask for.

    Args:
        methods, dataset, suite, backbone, protocol, quick: the options of these names.
        seeds: the seeds; None for those of the suite or of the training protocol.
        changed: the settings of the training protocol that were given.
        say: called with a line on each method that is left out.

    Raises:
        UsageError: something does not exist or does not fit.
    """
    from mtbench.door.training.staged import Staged
    from mtbench.plan.grid import Request, plan
    from mtbench.plan.suite.file import find_suite
    from mtbench.plan.suite.planned import plan_suite
    from mtbench.search.planning import plan_search
    from mtbench.search.suite import suite_requests

    has_preview = protocol in ("", "paper") and not quick
    if not suite:
        grid = Request(
            methods=names(methods) or ["all"],
            datasets=names(dataset),
            protocol=protocol_name(protocol, quick),
            settings=changed,
            seeds=seeds,
            backbone=backbone,
        )
        preview = partial(plan, replace(grid, protocol="quick")) if has_preview else None
        return Asked(specs=plan(grid, left_out=say), preview=preview)
    refuse_beside_suite(suite, dataset=dataset, methods=methods, backbone=backbone)
    found, base = find_suite(suite), suite_base(protocol, quick)
    searches = suite_requests(found, base=base, settings=changed, seeds=seeds)
    for request in searches:
        plan_search(request)  # an error in the last is found before the first has taken its hours
    staged = Staged(suite=found, base=base, settings=changed, seeds=seeds)
    if staged.is_staged:
        staged.check()
    return Asked(
        specs=staged.specs(),
        preview=partial(plan_suite, found, base="quick", settings=changed, seeds=seeds) if has_preview else None,
        suite=found,
        base=base,
        searches=searches,
        staged=staged if staged.is_staged else None,
    )


def suite_base(protocol: str, quick: bool) -> str:
    """Return the training protocol that was given for the runs of a suite; empty for the suite's own.

    Raises:
        UsageError: two were given.
    """
    return protocol_name(protocol, quick) if quick or protocol else ""


def refuse_beside_suite(suite: str, **others: str) -> None:
    """Refuse options that a suite has no use for, by their names.

    Raises:
        UsageError: one was given.
    """
    for option in (option for option, value in others.items() if value):
        raise UsageError(
            f"--{option} and --suite {suite} were both given, and a suite has its own methods and datasets.",
            mend=f"For other runs write a suite of your own: `mtbench suite show {suite}` names a file to begin with.",
        )
