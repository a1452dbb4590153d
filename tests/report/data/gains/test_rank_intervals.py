"""Intervals of ranks in tables, files and captions."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.errors import UsageError
from mtbench.plan.suite import Grid, Suite
from mtbench.report.data.choices import Choices, Convention, RankFamily, parse_choices
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.gains.rank_intervals import rank_intervals
from mtbench.report.data.reading import Reading
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.numbers import table_frame
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.exhibits.summary.rank_caption import RANK_HEAD
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.report.write import csv_text
from mtbench.store.status import RunStatus
from tests.report.records import INDOOR_SINGLE, INDOOR_UNIFORM, finished, indoor
from tests.report.suite_runs import filled

ALL, LETTERS, BASELINES = (Choices(rank_intervals=RankFamily(pairs=pairs)) for pairs in ("all", "letters", "baselines"))
LEVELS = {"single": 85.0, "td": 80.0, "moo": 80.4, "uniform": 80.8, "mtan": 90.0}
NOISE = (
    *((0.3, -0.2, 0.1, -0.3, 0.1), (-0.1, 0.2, -0.3, 0.1, 0.1), (-0.2, 0.0, 0.2, 0.2, -0.2)),
    *((0.1, -0.3, 0.1, 0.3, -0.2), (-0.2, 0.2, 0.1, -0.2, 0.1)),
)


def runs(seeds: int = 5) -> list[RunStatus]:
    return [
        finished(method, seed, (level + noise[seed], level - 3 * seed + noise[seed]))
        for (method, level), noise in zip(LEVELS.items(), NOISE, strict=True)
        for seed in range(seeds)
    ]


def only(statuses: Sequence[RunStatus]) -> Comparison:
    (comparison,) = compare(statuses)
    return comparison


def column(table: Table, head: str) -> dict[str, str]:
    layout = page_of(table).layout
    return {line[0].says: line[layout.header.index(head)].says for line in layout.lines}


def test_a_table_has_intervals_and_letters_where_they_are_asked_for() -> None:
    comparison = only(runs())
    expected = {"mtan": "1", "single": "2", "uniform": "3 to 4", "moo": "3 to 5", "td": "4 to 5"}
    assert column(build_table(comparison, ALL), RANK_HEAD) == expected
    lettered = build_table(comparison, LETTERS)
    assert column(lettered, RANK_HEAD) == expected
    assert column(lettered, "letters") == {"mtan": "a", "single": "b", "uniform": "c", "moo": "cd", "td": "d"}
    assert RANK_HEAD not in page_of(build_table(comparison)).layout.header
    assert "letters" not in page_of(build_table(comparison, ALL)).layout.header


def test_markdown_latex_and_csv_have_the_same_intervals() -> None:
    table = build_table(only(runs()), LETTERS)
    page = page_of(table)
    assert "3 to 5 | cd" in render_markdown(page)
    assert "3 to 5 & cd" in render_latex(page)
    rows = list(csv.DictReader(io.StringIO(csv_text(table_frame(table)))))
    found = {(row["method"], row["rank_low"], row["rank_high"], row["rank_letters"]) for row in rows}
    assert found == {
        *(("mtan", "1", "1", "a"), ("single", "2", "2", "b"), ("uniform", "3", "4", "c")),
        *(("moo", "3", "5", "cd"), ("td", "4", "5", "d")),
    }
    assert "rank_low" not in csv_text(table_frame(build_table(only(runs()))))
    assert "rank_letters" not in csv_text(table_frame(build_table(only(runs()), ALL)))


def test_caption_details_and_terminal_name_the_family() -> None:
    table = build_table(only(runs()), ALL)
    family = "all 10 pairs of 5 methods, one family-wise error"
    short = f"Rank: by mean accuracy, 95 % confidence for all methods together ({family})."
    assert short in table.caption
    assert short in page_of(table).aside
    details = " ".join(table.details)
    assert "Tukey's range test in blocks of seeds (one variance of all methods; 16 degrees of freedom" in details
    assert "one family-wise error of 5 % over all 10 pairs of 5 methods." in details
    few = " ".join(build_table(only(runs()), BASELINES).details)
    assert "over the 9 pairs with single, uniform and the best." in few
    assert "is not the best, whichever that is" in few


def test_methods_with_fewer_than_three_seeds_have_a_dash_and_a_footnote() -> None:
    table = build_table(only([*runs(), finished("film", 0, (99, 99)), finished("film", 1, (99, 98))]), LETTERS)
    assert column(table, RANK_HEAD)["film"] == column(table, "letters")["film"] == "\N{EN DASH}"
    assert column(table, RANK_HEAD)["mtan"] == "1"
    assert "No rank interval of film: one needs 3 seeds that other methods have too." in table.footnotes
    none = build_table(only(runs(seeds=2)), ALL)
    assert set(column(none, RANK_HEAD).values()) == {"\N{EN DASH}"}
    assert any(note.startswith("No rank interval of moo, mtan") for note in none.footnotes)
    assert not any("Rank" in sentence for sentence in (*none.caption, *none.details))


def test_a_method_of_larger_variance_is_named() -> None:
    wild = [finished("film", seed, (80 + shift, 70 - shift / 3)) for seed, shift in enumerate((-60, 20, 0, -30, 15))]
    details = " ".join(build_table(only([*runs(), *wild]), ALL).details)
    assert "one variance of all methods but film, whose variance is significantly larger; 16 degrees" in details


def test_of_unlike_metrics_the_relative_gain_is_ranked_in_its_good_direction() -> None:
    shifts = (0, 0.3, -0.2, 0.1)
    made = [
        indoor(method, seed, [value + shift for value in values])
        for method, values in (("single", INDOOR_SINGLE), ("uniform", INDOOR_UNIFORM))
        for seed, shift in enumerate(shifts)
    ]
    comparison = only(made)
    found = rank_intervals(comparison, ALL)
    assert found is not None
    assert (found.by, found.unit) == ("Δm", "%")
    drop = rank_intervals(comparison, replace(ALL, delta=Convention(sign="drop")))
    assert drop is not None
    assert drop.found.intervals == found.found.intervals
    without = build_table(only([run for run in made if run.spec.titles.method != "single"]), ALL)
    assert without.ranks is None
    assert "No rank interval: metrics are unlike, and there is no Δm." in without.details


def test_where_lower_is_better_the_lowest_mean_is_the_first() -> None:
    made = [
        finished(method, seed, (level + noise[seed], level), metric="error", higher_is_better=False)
        for (method, level), noise in zip(LEVELS.items(), NOISE, strict=True)
        for seed in range(5)
    ]
    assert column(build_table(only(made), ALL), RANK_HEAD)["mtan"] == "5"


def test_where_epochs_were_chosen_on_the_test_split_nothing_is_ranked() -> None:
    comparison = only(runs())
    chosen = replace(
        comparison,
        reading=Reading(
            name="best",
            opening=("Chosen.",),
            when="then",
            delta=Convention(),
            chosen_on_test=True,
            reference=None,
            lacking=(),
        ),
    )
    assert rank_intervals(chosen, ALL) is None


def test_a_suite_fixes_that_seeds_are_not_paired() -> None:
    suite = Suite(name="mine", title="Mine", grid=(Grid(datasets=("mmnist2",), methods=tuple(LEVELS)),))
    made = {(run.spec.titles.method, run.spec.seed): run for run in runs()}

    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:  # noqa: ARG001
        return made[method, seed]

    found = dict[str, Table]()
    choices: tuple[Literal["paired", "unpaired"], ...] = ("paired", "unpaired")
    for ranks in choices:
        of_suite = filled(replace(suite, ranks=ranks), run, seeds=5)
        results = Results.of_suite(of_suite, Path(), ALL)
        (comparison,) = results.comparisons
        found[ranks] = build_table(comparison, results.choices_of(comparison))
    assert column(found["paired"], RANK_HEAD)["mtan"] == "1"
    assert column(found["unpaired"], RANK_HEAD)["mtan"] == "1 to 2"
    assert "Tukey's range test of unpaired runs, as the suite fixes (" in " ".join(found["unpaired"].details)


def test_a_family_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"--rank-intervals is 'al'\..*all.*letters, baselines"):
        parse_choices("", Convention(), [], rank_intervals="al")
    assert not parse_choices("", Convention(), []).rank_intervals.shown
