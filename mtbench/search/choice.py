"""Which trials are chosen: by what they were worth on the validation split, and by nothing else."""

from collections.abc import Sequence

from mtbench.store.study import Study

__all__ = ["choose", "front", "leading"]


def front(points: Sequence[Sequence[float]], higher: Sequence[bool]) -> list[bool]:
    """Which points no other dominates: is no worse than in every objective, and better in one. Equal points all stay.

    Args:
        points: (P, T) a row per point.
        higher: (T,) the direction of each objective.
    """
    turned = [[value if is_higher else -value for value, is_higher in zip(p, higher, strict=True)] for p in points]
    return [not any(_dominates(other, point) for other in turned) for point in turned]


def leading(study: Study) -> list[int]:
    """The numbers of the trials that are on the front; with one objective, the first of the best."""
    done = [(trial.number, study.score(trial.values)) for trial in study.trials if trial.values is not None]
    flags = front([score for _, score in done], study.higher_is_better)
    numbers = [number for (number, _), is_on_front in zip(done, flags, strict=True) if is_on_front]
    return numbers[:1] if len(study.higher_is_better) == 1 else numbers


def choose(study: Study, points: str) -> tuple[int, ...]:
    """The trials to be trained again, the default first; none if no trial was done.

    Args:
        points: ``front``: the default and those that lead; ``all``: with more than one objective, all that were done.
    """
    done = [trial.number for trial in study.trials if trial.values is not None]
    chosen = done if points == "all" and len(study.higher_is_better) > 1 else leading(study)
    return tuple(dict.fromkeys([0, *chosen])) if done else ()


def _dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    pairs = list(zip(first, second, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)
