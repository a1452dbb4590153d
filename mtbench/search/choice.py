"""The choice of trials: by their metrics on the validation split, and by nothing else."""

from mtbench.stats.pareto import front
from mtbench.store.study import Study

__all__ = ["choose", "leading"]


def leading(study: Study) -> list[int]:
    """Return the numbers of the trials that are on the front; with one objective, the first of the best."""
    done = [(trial.number, study.score(trial.values)) for trial in study.trials if trial.values is not None]
    if not done:
        return []
    flags = front([score for _, score in done], maximize=study.higher_is_better)
    numbers = [number for (number, _), is_on_front in zip(done, flags, strict=True) if is_on_front]
    return numbers[:1] if len(study.higher_is_better) == 1 else numbers


def choose(study: Study, points: str) -> tuple[int, ...]:
    """Return the trials to be retrained, the default first; none if no trial was done.

    Args:
        points: ``front``: the default and the leading trials; ``all``: with several objectives, all finished trials.
    """
    done = [trial.number for trial in study.trials if trial.values is not None]
    chosen = done if points == "all" and len(study.higher_is_better) > 1 else leading(study)
    return tuple(dict.fromkeys([0, *chosen])) if done else ()
