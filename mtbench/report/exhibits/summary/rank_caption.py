"""Sentences of a caption on intervals of ranks."""

from mtbench.report import marks
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.gains.rank_intervals import Ranked
from mtbench.report.data.unlike import grouped
from mtbench.report.text import listed
from mtbench.stats.ranks.differences import LEAST

__all__ = ["RANK_HEAD", "rank_caption", "rank_details", "rank_footnote"]

RANK_HEAD = "rank (95 %)"
"""Head of the column of intervals."""
_LETTERS = "Letters: two methods have one in common if and only if they are not significantly different."
_BEST = "A method that is worse than the one with the best mean is not the best, whichever that is."


def rank_caption(ranks: Ranked | None) -> str:
    """Return a short sentence on the intervals that names the family of pairs; empty where there is none."""
    if ranks is None or not ranks.found.differences.pairs:
        return ""
    shared = " Methods that share a letter are not significantly different." * (ranks.family.pairs == "letters")
    family = f"{_pairs(ranks)}, one family-wise error"
    return f"Rank: by {ranks.by}, 95 % confidence for all methods together ({family}).{shared}"


def rank_details(comparison: Comparison, ranks: Ranked | None) -> str:
    """Return sentences on the intervals: their definition, the test and the family of pairs."""
    if ranks is None:
        return _no_ranks(comparison) if comparison.tasks else ""
    found = ranks.found.differences
    if not found.pairs:
        return ""
    seeds = "in blocks of seeds" if ranks.family.blocks else "of unpaired runs, as the suite fixes"
    apart = f" but {listed(ranks.apart)}, whose variance is significantly larger" if ranks.apart else ""
    least = f"{found.least:.2g}{f' {ranks.unit}' if ranks.unit else ''}"
    sentences = (
        f"Rank intervals are for {ranks.by}: from 1 + the number of methods that are significantly better to "
        f"{ranks.methods}, the number of methods, minus the number that are significantly worse; all of them hold with "
        "95 % confidence.",
        f"Methods are significantly different if both Tukey's range test {seeds} (one variance of all methods{apart}; "
        f"{found.freedom:g} degrees of freedom; from a difference of {least}) and the test of Games and Howell "
        f"(variances of the two methods alone) say so, with one family-wise error of 5 % over {_pairs(ranks)}.",
        _BEST if ranks.family.pairs == "baselines" else "",
        _LETTERS if ranks.family.pairs == "letters" else "",
    )
    return " ".join(sentence for sentence in sentences if sentence)


def rank_footnote(ranks: Ranked | None) -> str:
    """Return sentences on the methods that have no interval, and on those that are compared with runs of unlike
    numerics; empty if there are none."""
    if ranks is None:
        return ""
    shared = " that other methods have too" if ranks.family.blocks else ""
    sentences = (
        f"No rank interval of {listed(ranks.without)}: one needs {LEAST} seeds{shared}." if ranks.without else "",
        grouped(f"{marks.UNLIKE} Rank intervals compare runs of unlike numerics", ranks.unlike),
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _no_ranks(comparison: Comparison) -> str:
    chosen = comparison.reading is not None and comparison.reading.chosen_on_test
    reason = "epochs were chosen on the test split" if chosen else "metrics are unlike, and there is no Δm"
    return f"No rank interval: {reason}."


def _pairs(ranks: Ranked) -> str:
    pairs = ranks.found.differences.pairs
    if ranks.family.pairs != "baselines":
        return f"all {pairs} pairs of {ranks.methods} methods" if pairs > 1 else "one pair"
    return f"the {pairs} pairs with {listed([*ranks.baselines, 'the best'])}"
