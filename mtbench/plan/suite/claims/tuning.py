"""Claims about tuned runs: every method of them needs a search of the suite, all with the same budget."""

from collections.abc import Iterator, Sequence

from mtbench import registry
from mtbench.errors import MtbenchError
from mtbench.plan.parse import parse_method
from mtbench.plan.suite.claims.claim import SettingsClaim, Where
from mtbench.plan.suite.names import listed_settings
from mtbench.plan.suite.parts import Search
from mtbench.plan.suite.settings import rendered
from mtbench.plan.suite.suite import Suite
from mtbench.plan.toml_lines import Fault, Lines

__all__ = ["tuning_misfits"]


def tuning_misfits(suite: Suite, numbers: Sequence[int], lines: Lines) -> Iterator[Fault]:
    """Yield a fault for each claim about tuned runs with a method that is not tuned, or with unequal budgets.

    Args:
        suite: a suite that judges tuned runs.
        numbers: the positions of the suite's claims in the file.
        lines: the lines of the file.
    """
    for number, claim in zip(numbers, suite.claim, strict=True):
        line = lines.find(("claim", number))
        budgets: dict[str, tuple[int, int]] = {}
        exact = isinstance(claim, SettingsClaim)
        for dataset, settings in claim.where:
            place = f"{dataset}, {listed_settings(settings)}" if exact else dataset
            searches = _searches(suite, (dataset, settings), exact=exact)
            for method in claim.methods:
                part = next((part for part in searches if {method, "all"} & {*part.methods}), None)
                if part is None or not _is_in_grid(suite, dataset, method):
                    where = "no [[search]] tunes" if part is None else "no [[grid]] runs"
                    varied = f" with the settings {listed_settings(settings)}" if exact else ""
                    yield Fault(line=line, text=_untuned(f"{where} '{method}' on dataset '{dataset}'{varied}"))
                else:
                    budgets[f"{method} on {place}"] = (part.trials, part.seeds)
            if claim.is_relative:
                base = [(part, method) for part in searches for method in part.methods if _is_single(method)]
                if base:
                    part, method = base[0]
                    budgets[f"{method} on {place}"] = (part.trials, part.seeds)
                else:
                    text = f"no [[search]] tunes single-task networks on dataset '{dataset}', over which Δm is"
                    yield Fault(line=line, text=_untuned(text))
        if len(set(budgets.values())) > 1:
            each = "; ".join(f"{name}: {trials} trials, {seeds} seeds" for name, (trials, seeds) in budgets.items())
            yield Fault(
                line=line,
                text=f"the claim compares tuned runs with unequal budgets ({each}). Give their [[search]] tables the "
                "same 'trials' and 'seeds'.",
            )


def _searches(suite: Suite, where: Where, *, exact: bool) -> list[Search]:
    """Return the searches that choose settings by the mean over tasks where a claim looks.

    Args:
        where: a place of the claim.
        exact: True if no settings stand for a search without any, False if they stand for any search.
    """
    dataset, settings = where
    return [
        part
        for part in suite.search
        if dataset in part.datasets
        and part.objective != "tasks"
        and ((not settings and not exact) or rendered(settings) == rendered(part.set))
    ]


def _is_in_grid(suite: Suite, dataset: str, method: str) -> bool:
    return any(dataset in part.datasets and {method, "all"} & {*part.methods} for part in suite.grid)


def _is_single(method: str) -> bool:
    try:
        return parse_method(method).network_class.role == registry.SINGLE_TASK
    except MtbenchError:
        return False  # reported where the search names it


def _untuned(given: str) -> str:
    return f'{given}, and the suite judges tuned runs. Add it there, or write judges = "default".'
