"""Sentences of a caption on gains over single-task networks."""

from mtbench.report.data.choices import AVERAGES, BASES, REFERENCES, Convention
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.gains.relative import has_shares, other_averages, zeros
from mtbench.report.text import listed

__all__ = ["delta_sentences"]

_VISIBLE = 0.005
"""The least difference of a Δm that two decimals may show."""


def delta_sentences(comparison: Comparison, single: str, convention: Convention, gap: float) -> str:
    """Return sentences on Δm and Δerr: by which convention, of which metrics, and what is undefined.

    Args:
        single: the reference of Δm, the title of the single-task method or a reference of a convention; empty
            if there is neither.
        convention: the convention of Δm.
        gap: the largest difference that the divisor makes to the mean of a method's Δm.
    """
    if not single:
        return "Δm, the gain over single-task networks, takes runs of them: add single to the methods."
    if not has_shares(comparison):
        return f"No Δm: a metric falls below 0 here, so that a gain over {single} is no share of anything."
    error = (
        " Δerr: likewise of the error rate, where lower is better."
        if all(task.unit == "%" and task.higher_is_better for task in comparison.tasks)
        else ""
    )
    others = [f"Δm {each}: {AVERAGES[each].rstrip(',')}" for each in other_averages(comparison, convention.average)]
    mean = AVERAGES[convention.average] if others else "the mean over tasks"
    base = {
        "seed": f"{single} of the same seed and backbone",
        "mean": f"the mean of the runs of {single}, backbone alike",
    } | dict.fromkeys(REFERENCES, single)
    change = {"gain": "gain over", "drop": "drop from"}[convention.sign]
    lower = ", lower is better" if convention.sign == "drop" else ""
    said = [f"Δm: {mean} of the relative {change} {base[convention.base]}, in %{lower}.{error}"]
    if others:
        said.append(f"{'; '.join(others)}.")
    if left := sorted({metric.name for task in comparison.tasks for metric in task.metrics} - _in_delta(comparison)):
        said.append(f"No part of Δm: {listed(left)}.")
    if zero := zeros(comparison, convention):
        said.append(f"Where {single} has 0 in {listed(zero)}, a Δm that includes it is undefined.")
    if gap >= _VISIBLE and convention.base in BASES:
        other = {"seed": f"the mean of the runs of {single}", "mean": f"{single} of the same seed"}[convention.base]
        said.append(f"Divided by {other} instead, a method's Δm differs by up to {gap:.2f}.")
    return " ".join(said)


def _in_delta(comparison: Comparison) -> set[str]:
    return {metric.name for task in comparison.tasks for metric in task.delta_metrics}
