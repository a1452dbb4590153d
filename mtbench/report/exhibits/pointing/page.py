"""Tables of pointing: distances of maps' peaks from the tasks' objects, and accuracy by these."""

from collections.abc import Iterator

import pandas as pd

from mtbench.report import marks, text
from mtbench.report.data.columns import MANY
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.pointing.data import COUNTS, MEASURES
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import STALE
from mtbench.report.page.words import DASH, Words, plain, written
from mtbench.stats.summary import summarize

__all__ = ["CONSTANT", "outcomes_page", "pointing_pages"]

CONSTANT = "constant point"


def pointing_pages(comparison: Comparison, frame: pd.DataFrame) -> dict[str, Page]:
    """Return the table of pointing, and that of outcomes where they are known.

    Args:
        frame: the frame from `pointing_frame`, not empty.
    """
    pages = {"pointing": _pointing_page(comparison, frame)}
    if frame[list(COUNTS)].notna().any(axis=None):
        pages["outcomes"] = outcomes_page(comparison, frame)
    return pages


def _pointing_page(comparison: Comparison, frame: pd.DataFrame) -> Page:
    """Return per method the fraction localized of each task and the means over tasks; last the constant point."""
    tasks = list(dict.fromkeys(frame["task"]))
    shown = tasks if 1 < len(tasks) <= MANY else []
    header = ("method", "map", *shown, "within 5 %", "within 10 %", "median", "misses")
    lines = []
    for name, runs in _methods(comparison, frame):
        ratio = _misses(runs, "") / _misses(runs, "constant_")
        lines.append(
            plain(
                (
                    name,
                    runs["map"].iloc[0],
                    *(_written(runs[runs["task"] == task], "within_10") for task in shown),
                    *(_written(runs, measure) for measure in MEASURES),
                    DASH if pd.isna(ratio) else text.ratio(ratio),
                )
            )
        )
    low = [_plain(frame[frame["task"] == task], "constant_within_10") for task in shown]
    means = [_plain(frame, f"constant_{measure}") for measure in MEASURES]
    lines.append(plain((CONSTANT, DASH, *low, *means, text.ratio(1) if means[1] != DASH else DASH)))
    return _page(
        comparison,
        frame,
        "pointing",
        Layout(header=header, lines=tuple(lines), tasks=1 + len(shown), costs=0),
        (
            f"Pointing on {comparison.dataset_title}, protocol {comparison.title}: distance of the largest value of "
            "the network's map from the point of the task's object, mean ± standard deviation over seeds.",
        ),
        (
            "Examples are the test examples with a visible point. Within 5 % and 10 %: distance in % of the image's "
            "side, in % of the examples; median: median distance in % of the side. The mean over tasks is computed "
            "within each run" + ("; columns of tasks are within 10 %." if shown else "."),
            f"{CONSTANT.capitalize()}: one point for all images, the one with the most training points within 10 %. "
            "Misses: examples that are not within 10 %, relative to those of the constant point.",
        ),
    )


def outcomes_page(comparison: Comparison, frame: pd.DataFrame) -> Page:
    """Return per method and task the 2 x 2 table, localized or not and right or wrong; of many tasks all together."""
    known = frame.dropna(subset=list(COUNTS))
    tasks = list(dict.fromkeys(known["task"]))
    lines = []
    for name, runs in _methods(comparison, known):
        if len(tasks) <= MANY:
            lines += [_outcomes(f"{name}, {task}", runs[runs["task"] == task]) for task in tasks]
        if len(tasks) > 1:
            lines.append(_outcomes(f"{name}, all", runs))
    heads = ("n", "right place, right", "right place, wrong", "elsewhere, right", "elsewhere, wrong")
    rates = ("accuracy in the right place", "accuracy elsewhere")
    return _page(
        comparison,
        known,
        "outcomes",
        Layout(header=("method, task", *heads, *rates), lines=tuple(lines), tasks=0, costs=0),
        (
            f"Places and predictions on {comparison.dataset_title}, protocol {comparison.title}: in % of the n test "
            "examples with a visible point, mean ± standard deviation over seeds.",
        ),
        (
            "Right place: the largest value of the network's map is within 10 % of the image's side from the point. "
            "Accuracy: right predictions in % of the examples of either kind. Counts of all tasks are added within "
            "each run.",
        ),
    )


def _page(
    comparison: Comparison,
    frame: pd.DataFrame,
    name: str,
    layout: Layout,
    caption: tuple[str, ...],
    details: tuple[str, ...],
) -> Page:
    shown = set(frame["method"])
    stale = any(method.stale and method.title in shown for method in comparison.methods)
    return Page(
        title=f"{comparison.dataset_title}, protocol {comparison.title}: {name}",
        label=f"{text.slug(comparison.dataset_title)}-{text.slug(comparison.title)}-{name}",
        quick=comparison.quick,
        layout=layout,
        caption=caption,
        details=details,
        footnotes=(STALE,) if stale else (),
    )


def _methods(comparison: Comparison, frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each method with rows, with a dagger if a run is stale, and its rows."""
    for method in comparison.methods:
        rows = frame[frame["method"] == method.title]
        if len(rows):
            yield method.title + marks.STALE * method.stale, rows


def _written(rows: pd.DataFrame, measure: str) -> str:
    """Return a measure in %, the mean over tasks within each run, over runs."""
    return written(summarize(100 * rows.groupby("seed")[measure].mean()))


def _plain(rows: pd.DataFrame, measure: str) -> str:
    mean = rows.groupby("seed")[measure].mean().mean()
    return DASH if pd.isna(mean) else text.fixed(100 * mean)


def _misses(rows: pd.DataFrame, of: str) -> float:
    """Return the fraction of examples that are not within 10 %, the mean over tasks within each run, over runs."""
    return float((1 - rows.groupby("seed")[f"{of}within_10"].mean()).mean())


def _outcomes(name: str, rows: pd.DataFrame) -> tuple[Words, ...]:
    counts = rows.groupby("seed")[list(COUNTS)].sum().astype(float)
    whole = counts.sum(axis=1)
    here, there = (counts[f"{place}_right"] + counts[f"{place}_wrong"] for place in ("localized", "elsewhere"))
    return plain(
        (
            name,
            text.counts([int(count) for count in whole]),
            *(written(summarize(100 * counts[column] / whole)) for column in COUNTS),
            written(summarize(100 * counts["localized_right"] / here.where(here > 0))),
            written(summarize(100 * counts["elsewhere_right"] / there.where(there > 0))),
        )
    )
