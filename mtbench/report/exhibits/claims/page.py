"""A suite's claims in words: the table of verdicts, and the frame of all numbers behind them."""

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mtbench.plan.suite import AcrossClaim, AnyClaim, Setting, SettingsClaim, rendered
from mtbench.plan.suite.claims.quantity import QUANTITIES
from mtbench.report import marks
from mtbench.report.data.convergence import BOUND
from mtbench.report.data.cost.budget import budget_of
from mtbench.report.data.studies import setting
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.data.suite.tuned import judged_runs
from mtbench.report.exhibits.claims.evidence import settings_in_words
from mtbench.report.exhibits.claims.judged import Judged
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import ADDED, STALE, reported
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import decimals, fixed, listed, p_value, signed, span

__all__ = ["claims_frame", "claims_page", "counted", "notes", "short_verdict"]

_HEADER = (
    *("claim", "claimed", "verdict", "holds", "ours", "paper", "n"),
    *("margin", "ours 95 %", "paper 95 %", "runs & images", "p", "flips", "r", "detect"),
)
_ASIDE = (
    "Differences are first minus second. runs & images: 95 % interval with seeds and test images resampled; p: after "
    "Holm's correction; flips: exact sign-flip test; r: correlation of pairs; detect: detectable with 80 % power."
)

_ACROSS = (
    "A claim across datasets compares the task's metric, first minus second dataset, for one method or for the "
    "difference of two. It is paired by seed where both datasets have the same initial backbone and data order."
)
_EQUAL = (
    "Some claims hold steps, label uses or training MACs equal: the table of resources has the numbers, and such a "
    "claim is not judged where they differ."
)
_SETTINGS = (
    "A claim across settings compares the metric, first minus second settings of training, for one method or for the "
    "difference of two. It is paired by seed: runs of one seed start alike and see the same examples in the same order."
)
_CONVERGED = (
    "Not converged stands for a verdict that would be decided if the mean over runs of a compared method gains more "
    f"than the margin (without one {BOUND:g}) in the last tenth of training."
)
_DELTA = "Δm: mean relative gain over the single-task run with the same seed, not over the mean of such runs."


def claims_page(runs: SuiteRuns, judged: Sequence[Judged]) -> Page:
    """Return a line per claim: what was claimed, the verdict, our difference, the paper's, and then what it rests
    on."""
    lines = [plain(_line(each)) for each in judged]
    return Page(
        title=f"{runs.title}: claims",
        label=f"{runs.slug}-claims",
        quick=runs.quick,
        layout=Layout(header=_HEADER, lines=tuple(lines), tasks=0, costs=0),
        caption=_caption(runs),
        details=_details(runs, judged),
        footnotes=tuple(notes(judged)),
        aside=_ASIDE,
    )


def claims_frame(runs: SuiteRuns, judged: Sequence[Judged]) -> pd.DataFrame:
    """Return one row per claim, at full precision."""
    judges = {} if runs.suite.judges == "default" else {"judges": runs.suite.judges}
    start = {"suite": runs.suite.name, "size": runs.size, **judges}
    across = any(isinstance(each.claim, SettingsClaim) for each in judged)
    return pd.DataFrame([{**start, **_numbers(each, across=across)} for each in judged])


def _line(each: Judged) -> Iterator[str]:
    ours, digits = each.ours, decimals([each.ours.difference], each.unit)
    yield each.name
    yield each.claim.direction
    yield short_verdict(each)
    yield each.holds
    yield DASH if math.isnan(ours.difference) else signed(ours.difference, digits)
    yield DASH if each.paper is None else signed(each.paper.difference, digits)
    yield counted(each)
    yield f"{each.claim.margin:g}" if each.claim.margin else DASH
    yield _interval(ours.interval(), digits)
    yield _interval(each.paper.interval() if each.paper else None, digits)
    yield _interval(each.resampled.interval if each.resampled else None, digits)
    yield DASH if math.isnan(each.adjusted.difference) else p_value(each.adjusted.difference)
    yield DASH if ours.sign_flip is None else p_value(ours.sign_flip)
    yield DASH if ours.correlation is None else signed(ours.correlation)
    yield DASH if ours.detectable is None else fixed(ours.detectable, digits)


def short_verdict(each: Judged) -> str:
    """Return the verdict's word, with the margin itself where it speaks of it."""
    return each.verdict.word.replace("more than the margin", f"> {each.claim.margin:g}")


def counted(each: Judged) -> str:
    """Return the number of seeds, with a slash before the planned number if some are missing."""
    return str(each.ours.n) if each.ours.n >= each.planned else f"{each.ours.n}/{each.planned}"


def _interval(bounds: tuple[float, float] | None, digits: int) -> str:
    return DASH if bounds is None else span(bounds, digits)


def notes(judged: Sequence[Judged]) -> Iterator[str]:
    """Yield a sentence for each verdict, then those on runs that are not as they should be."""
    for each in judged:
        if not math.isnan(each.ours.difference):
            yield f"{each.name}: {each.verdict.sentence.replace(': ', ', ', 1)}."
    for each in judged:
        if each.refused:
            yield f"{each.name}: not compared, as {each.refused}."
    for each in judged:
        if each.unpaired:
            places = "datasets" if isinstance(each.claim, AcrossClaim) else "settings"
            yield f"{each.name}: runs are not paired, as the {places} have {each.unpaired}."
    for why in dict.fromkeys(each.unread for each in judged if each.unread):
        yield f"No interval of runs & images where predictions are needed that are not there: {why}."
    if any(each.stale for each in judged):
        yield STALE
    if any(each.grown and each.course is None for each in judged):
        yield ADDED
    if any(each.mixed for each in judged):
        yield f"{marks.UNLIKE} Compares runs of unlike numerics; the notes below the tables name the differences."


def _caption(runs: SuiteRuns) -> tuple[str, ...]:
    return (
        f"Claims of suite {runs.title}: differences of the mean over tasks, first minus second method, unless the "
        "claim names another metric; n: number of seeds, with a slash before the number planned if some are missing.",
        *(["Runs are those with tuned settings."] if runs.suite.judges == "tuned" else []),
        "Verdicts are at the 5 % level after Holm's correction.",
    )


def _details(runs: SuiteRuns, judged: Sequence[Judged]) -> tuple[str, ...]:
    families = len({each.claim.family for each in judged})
    named = {"paired": "the paired t-test over common seeds", "welch": "Welch's t-test"}
    tests = [named[test] for test in sorted({"paired" if each.ours.matched else "welch" for each in judged})]
    together = f"all {len(judged)} claims" if families == 1 else f"{len(judged)} claims in {families} families"
    return (
        "Claims, margins and tests are those that the suite declares.",
        *(text for text in (runs.declared, runs.changed) if text),
        *_tuning(runs),
        f"Metrics are measured {reported(sheet.comparison.protocol for sheet in runs.sheets)}.",
        *([_ACROSS] if any(isinstance(each.claim, AcrossClaim) for each in judged) else []),
        *(QUANTITIES[name].words for name in dict.fromkeys(each.claim.quantity for each in judged) if name),
        *([_EQUAL] if any(each.claim.equal for each in judged) else []),
        *([_SETTINGS] if any(isinstance(each.claim, SettingsClaim) for each in judged) else []),
        *([_DELTA] if any(each.claim.is_relative for each in judged) else []),
        f"Verdict, by {' or '.join(tests)}: better or worse if p < 0.05 and the 95 % confidence interval excludes 0; "
        "by more than the margin if the interval lies beyond the margin and p < 0.05 for this too; equivalent if the "
        "90 % confidence interval lies within the margin and p < 0.05 in two one-sided tests; else undecided. A claim "
        "is also undecided if neither side is above the best constant prediction, such as the majority class.",
        *([] if runs.quick else [_CONVERGED]),
        "The paper's interval is Welch's, from its printed numbers. The interval of runs & images resamples seeds and "
        "test images, and is too narrow with few seeds; for triplets it resamples images, not triplets, many of which "
        "share an image.",
        f"p: p-value of no difference after Holm's correction over {together}; flips: p-value of the exact sign-flip "
        f"test, uncorrected{_least(judged)}.",
        "r: correlation of the pairs; detect: difference that is detectable with 80 % power.",
    )


def _tuning(runs: SuiteRuns) -> Iterator[str]:
    """Yield a sentence on the budgets and the chosen settings of tuned runs; none for default runs."""
    found = [(sheet, each) for sheet in judged_runs(runs).sheets for each in sheet.searches.values()]
    if found:
        said = [
            f"{each.title} on {each.study.titles.dataset}"
            f"{f' with {settings_in_words(sheet.variation)}' if sheet.variation else ''} "
            f"{setting(each.study.trials[each.chosen])} ({budget_of(each.study)})"
            for sheet, each in found
            if each.chosen is not None
        ]
        yield f"Settings chosen on the validation split: {'; '.join(said)}. Δm is over tuned single-task networks."


def _subject(claim: AnyClaim) -> dict[str, object]:
    """Datasets, the metric and methods; of a claim across datasets the metric is a task's."""
    methods = claim.methods if len(claim.methods) > 1 else (*claim.methods, None)
    datasets = claim.datasets if isinstance(claim, AcrossClaim) else (claim.dataset, None)
    names = {"metric": claim.measured, "first": methods[0], "second": methods[1]}
    return {"dataset": datasets[0], "other_dataset": datasets[1], **names}


def _variations(claim: AnyClaim, *, across: bool) -> dict[str, object]:
    """The variation of the grid; if some claims are across settings the other one too."""

    def said(settings: Mapping[str, Setting]) -> str:
        return ", ".join(f"{name}={value}" for name, value in rendered(settings).items())

    other = said(claim.settings[1]) if isinstance(claim, SettingsClaim) else None
    return {"variation": said(claim.where[0][1]), **({"other_variation": other} if across else {})}


def _least(judged: Sequence[Judged]) -> str:
    """Return the smallest p that sign flips of so many pairs can give."""
    known = sorted({(each.ours.n, each.ours.least) for each in judged if each.ours.least is not None})
    floors = [f"{least:.2g} with {n} pair{'s' * (n > 1)}" for n, least in known]
    return f" (no less than {listed(floors)})" if floors else ""


def _numbers(each: Judged, *, across: bool) -> dict[str, object]:
    low, high = each.ours.interval() or (None, None)
    paper_low, paper_high = (each.paper.interval() if each.paper else None) or (None, None)
    both_low, both_high = each.resampled.interval if each.resampled else (None, None)
    return {
        **_subject(each.claim),
        **_variations(each.claim, across=across),
        "unit": each.unit,
        "direction": each.claim.direction,
        "margin": each.claim.margin or None,
        "family": each.claim.family,
        "test": "paired" if each.ours.matched else "welch",
        "paper_difference": each.paper.difference if each.paper else None,
        "paper_t95_low": paper_low,
        "paper_t95_high": paper_high,
        "n": each.ours.n,
        "planned": each.planned,
        "difference": each.ours.difference,
        "std": each.ours.std,
        "t95_low": low,
        "t95_high": high,
        "p": each.ours.p,
        "holm_p": each.adjusted.difference,
        "holm_beyond_p": each.adjusted.beyond,
        "holm_equivalence_p": each.adjusted.equivalence,
        "welch_p": each.ours.welch,
        "sign_flip_p": each.ours.sign_flip,
        "least_sign_flip_p": each.ours.least,
        "runs_and_images_low": both_low,
        "runs_and_images_high": both_high,
        "detectable": each.ours.detectable,
        "correlation": each.ours.correlation,
        "verdict": each.verdict.word,
        "seeds_to_decide": each.verdict.runs,
        "holds": each.holds,
        "stale": each.stale,
        "unlike_numerics": each.mixed,
    }
