"""Sentences of a caption on gains over single-task networks."""

from mtbench.report.data.choices import AVERAGES, BASES, REFERENCES, Convention
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.gains.relative import has_shares, other_averages, zeros
from mtbench.report.text import listed

__all__ = ["gain_caption", "gain_details"]

_VISIBLE = 0.005
"""Smallest difference of a Δm that two decimals may show."""


def gain_caption(comparison: Comparison, single: str, convention: Convention) -> str:
    """Return a short sentence on Δm; empty where there is none.

    Args:
        comparison: the runs.
        single: the reference of Δm: the title of the single-task method, or a convention's reference; empty if there
            is neither.
        convention: the convention of Δm.
    """
    if not single or not has_shares(comparison):
        return ""
    return f"Δm: mean relative {_change(convention)} {single} (%{', lower is better' * (convention.sign == 'drop')})."


def gain_details(comparison: Comparison, single: str, convention: Convention, gap: float) -> str:
    """Return sentences on Δm and Δerr: their convention, their metrics, and undefined values.

    Args:
        comparison: the runs.
        single: see `gain_caption`.
        convention: the convention of Δm.
        gap: largest change of the mean of a method's Δm by the choice of the divisor.
    """
    if not single:
        return "Δm, the gain over single-task networks, needs runs of them: add single to the methods."
    if not has_shares(comparison):
        return f"No Δm: a metric is below 0 here, so that a gain relative to {single} has no meaning."
    others = [f"Δm {each}: {AVERAGES[each].rstrip(',')}" for each in other_averages(comparison, convention.average)]
    mean = AVERAGES[convention.average] if others else "the mean over tasks"
    base = {
        "seed": f"{single} with the same seed and backbone",
        "mean": f"the mean of the runs of {single} with the same backbone",
    } | dict.fromkeys(REFERENCES, single)
    said = [f"Δm: {mean} of the relative {_change(convention)} {base[convention.base]}."]
    if all(task.unit == "%" and task.higher_is_better for task in comparison.tasks):
        said.append("Δerr: the same for the error rate (lower is better).")
    if others:
        said.append(f"{'; '.join(others)}.")
    if left := sorted({metric.name for task in comparison.tasks for metric in task.metrics} - _in_delta(comparison)):
        said.append(f"Not part of Δm: {listed(left)}.")
    if zero := zeros(comparison, convention):
        said.append(f"Δm is undefined where it includes {listed(zero)}, in which {single} has 0.")
    if gap >= _VISIBLE and convention.base in BASES:
        other = {"seed": f"the mean of the runs of {single}", "mean": f"{single} with the same seed"}[convention.base]
        said.append(f"Relative to {other} instead, a method's Δm differs by up to {gap:.2f}.")
    return " ".join(said)


def _change(convention: Convention) -> str:
    return {"gain": "gain over", "drop": "drop from"}[convention.sign]


def _in_delta(comparison: Comparison) -> set[str]:
    return {metric.name for task in comparison.tasks for metric in task.delta_metrics}
