"""`mtbench why` beside the tables: the number is the table's, and its runs make it."""

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median, stdev

import pytest

from mtbench.errors import UsageError
from mtbench.report import text
from mtbench.report.data.choices import ALL, DEFAULT, Choices, Convention
from mtbench.report.data.comparison import compare
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.quantities import RANK_INTERVAL
from mtbench.report.page.words import DASH
from mtbench.report.provenance.find import find_origin
from mtbench.report.provenance.origin import Origin, known_columns, known_methods, origin
from mtbench.store.status import RunStatus
from mtbench.store.union import survey_all
from tests.builders.kept import RESULTS, kept
from tests.report.records import INDOOR_SINGLE, INDOOR_UNIFORM, QUICK, beside, finished, indoor, unfinished

KEPT = RESULTS.parent / "reports" / "2026-11-24-demo"


def results_of(runs: Sequence[RunStatus], choices: Choices = DEFAULT) -> Results:
    return Results(comparisons=tuple(compare(runs)), choices=choices)


def cells(results: Results) -> list[Origin]:
    """Return the origin of every cell of the only table."""
    (comparison,) = results.comparisons
    return [
        origin(results, comparison, method, column)
        for method in known_methods(results, comparison)
        for column in known_columns(results, comparison)
    ]


def of_runs(found: Origin, title: str) -> list[float]:
    """Return the values in the first column of the list of runs, of a method's runs that have one."""
    numbers = (line.numbers[0] for line in found.runs.methods[title].lines if line.numbers)
    return [number for number in numbers if not math.isnan(number)]


def remade(found: Origin) -> float:
    """Return the number as its sentences say that it is made of the runs in the list."""
    values = of_runs(found, found.title)
    match found.column:
        case "n":
            return sum(line.machine > 0 for line in found.runs.methods[found.title].lines)
        case "params" | "macs":
            return values[-1]
        case "memory":
            return max(values)
        case "time":
            others = [title for title in found.runs.methods if title != found.title]
            relative = f" over that of {found.title}," in found.says[0]
            unit = median(of_runs(found, others[0])) if others else median(values) if relative else 1
            return median(values) / unit
    return fmean(values)


def test_every_number_of_a_kept_report_is_that_of_its_macro_and_of_its_csv(tmp_path: Path) -> None:
    found = {(each.method, each.column): each for each in cells(results_of(survey_all(kept(KEPT.name), tmp_path)))}
    macros = (KEPT / "numbers.tex").read_text()
    for sign, letter in ((r"\ensuremath{-}", "-"), (r"\ensuremath{\times}", "\N{MULTIPLICATION SIGN}")):
        macros = macros.replace(sign, letter)
    lines = re.findall(r"\\mtb@number\{mmnist3, quick\}\{(.*?)\}\{(.*?)\}\{\{(.*?)\}\{(.*?)\}\{(.*?)\}\{", macros)
    lines = [line for line in lines if line[1] != RANK_INTERVAL]
    assert {(method, column): (says, std, n) for method, column, says, std, n in lines} == {
        names: (each.number.says, each.number.std, "" if each.number.n is None else str(each.number.n))
        for names, each in found.items()
        if each.number.says and names[1] != RANK_INTERVAL
    }
    for row in csv.DictReader((KEPT / "mmnist3-quick-table.csv").read_text().splitlines()):
        named = {row["task"]: "mean"}
        if row["delta_m"]:
            named |= {"delta-m": "delta_m", "delta-err": "relative_error", "params": "parameter_ratio"}
            named |= {"macs": "macs_per_input", "labels": "label_uses", "time": "seconds_per_epoch"}
            named |= {"memory": "peak_memory", "n": "n"}
        for column, field in named.items():
            assert found[row["method"], column].number.value == pytest.approx(float(row[field]), rel=1e-12, abs=1e-12)
    assert len(lines) > 40


def test_the_runs_in_the_list_make_the_number_as_its_sentences_say(tmp_path: Path) -> None:
    made = [
        *cells(results_of(survey_all(kept(KEPT.name), tmp_path))),
        *cells(results_of([finished(name, seed, seconds=seed + 2.5) for name in ("uniform", "td") for seed in (0, 1)])),
        *cells(results_of([finished("td", 7)])),
    ]
    numbers = [each for each in made if each.title and each.number.says and each.column != "rank-interval"]
    assert len(numbers) > 70
    for each in numbers:
        assert remade(each) == pytest.approx(each.number.value, rel=1e-12, abs=1e-12), (each.method, each.column)
        if each.number.std:
            digits = len(each.number.std.partition(".")[2])
            assert text.fixed(stdev(of_runs(each, each.title)), digits) == each.number.std


def test_the_single_task_run_of_each_seed_stands_below_and_makes_each_gain() -> None:
    runs = [
        indoor(method, seed, [value * (1 + 0.01 * seed) for value in values])
        for method, values in (("single", INDOOR_SINGLE), ("uniform", INDOOR_UNIFORM))
        for seed in (0, 1)
    ]
    choices = Choices(metrics=(ALL,), delta=Convention(average="metric", sign="drop", base="seed"))
    found = find_origin([results_of(runs, choices)], "mmnist2", "uniform", "delta-m")
    ours, theirs = (found.runs.methods[name].lines for name in ("uniform", "single"))
    assert list(found.runs.methods) == ["uniform", "single"]
    assert [line.seed for line in ours] == [line.seed for line in theirs] == [0, 1]
    higher = (1, 1, -1, -1, -1, -1, 1, 1, 1)
    for line, partner in zip(ours, theirs, strict=True):
        pairs = zip(higher, line.numbers[1:], partner.numbers[1:], strict=True)
        assert line.numbers[0] == pytest.approx(-100 * fmean(sign * (m - b) / b for sign, m, b in pairs))
    assert "the run of single of the same seed" in found.says[0]


def test_a_rank_interval_is_said_to_be_of_the_pairs_of_all_methods(tmp_path: Path) -> None:
    found = find_origin([results_of(survey_all(kept(KEPT.name), tmp_path))], "mmnist3", "td", "rank-interval", "quick")
    assert found.number.says == "1 to 3"
    assert "one family-wise error of 5 % over all 6 pairs of 4 methods" in found.says[0]
    mean = find_origin([results_of(survey_all(kept(KEPT.name), tmp_path))], "mmnist3", "td", "mean", "quick")
    assert of_runs(found, "td") == of_runs(mean, "td")


def test_each_average_of_a_gain_has_its_own_values() -> None:
    runs = [
        indoor(method, seed, values)
        for method, values in (("single", INDOOR_SINGLE), ("uniform", INDOOR_UNIFORM))
        for seed in (0, 1)
    ]
    names = ("delta-m", "delta-m metric", "delta-m main")
    found = [find_origin([results_of(runs)], "mmnist2", "uniform", name) for name in names]
    assert len({each.number.value for each in found}) == 3
    for each in found:
        assert remade(each) == pytest.approx(each.number.value)


def test_a_gain_that_has_no_meaning_says_why() -> None:
    losses = [finished(name, 0, (-1.5, 2.0), metric="loss", unit="") for name in ("single", "td")]
    found = find_origin([results_of(losses)], "mmnist2", "td", "delta-m")
    assert found.number.cell == DASH
    assert "No Δm: a metric is below 0 here" in found.says[1]


def test_marks_are_said_in_words_with_the_runs_that_are_not_as_they_should_be() -> None:
    runs = [finished("td", 0, stale="NUMERICS 5 -> 6"), finished("td", 1, torch="2.10"), unfinished("failed", "td", 2)]
    found = find_origin(
        [results_of([beside(each, {"LU": 99.0}) if each.record else each for each in runs])], "mmnist2", "td", "LU"
    )
    assert dict(found.marks).keys() == {*"†‡§#"}
    assert "a run is stale" in dict(found.marks)["†"]
    assert "1 stale (seed 0: NUMERICS 5 -> 6)" in found.note
    stale, _, failed = found.runs.methods["td"].lines
    assert (stale.state, stale.why) == ("stale", "NUMERICS 5 -> 6")
    assert (failed.state, failed.values) == ("failed", ())
    assert len(found.runs.machines) == 2


def test_the_constant_prediction_has_a_number_and_no_runs() -> None:
    found = find_origin(
        [results_of([beside(finished("td", 0), {"LU": 11.25, "RL": 9.75})])], "mmnist2", "majority class", "mean"
    )
    assert (found.number.says, found.runs.methods, found.title) == ("10.50", {}, "")


def test_ranks_and_further_metrics_are_found_though_the_table_does_not_show_them() -> None:
    runs = [indoor(method, 0, values) for method, values in (("td", INDOOR_SINGLE), ("uniform", INDOOR_UNIFORM))]
    found = find_origin([results_of(runs)], "mmnist2", "td", "normals within-30")
    assert (found.number.value, found.number.marks) == (69.15, "")
    ranks = find_origin([results_of(runs)], "mmnist2", "td", "rank")
    # td is better in depth's two errors never, in the three fractions and two angles always, in the two of maps never.
    assert ranks.number.value == pytest.approx((4 * 2 + 5 * 1) / 9)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("mnist2", "td", "mean"), "Did you mean 'mmnist2'? Datasets with a table: mmnist2."),
        (("mmnist2", "tdd", "mean"), "Did you mean 'td'? Methods there: td."),
        (("mmnist2", "td", "means"), "Did you mean 'mean'? Columns there: LU, RL, mean, rank,"),
        (("mmnist2", "td", "delta-m"), "It needs finished runs of single-task networks: add single to the methods."),
        (("mmnist2", "td", "mean", "papers"), "Did you mean 'paper'? Protocols there: paper; quick"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_those_that_are(names: Sequence[str], expected: str) -> None:
    results = results_of([finished("td", 0), finished("td", 0, protocol=QUICK)])
    with pytest.raises(UsageError) as caught:
        find_origin([results], *names)
    assert expected in str(caught.value)


def test_without_a_protocol_the_only_table_that_is_no_preview_counts() -> None:
    preview, paper = finished("td", 0, protocol=QUICK), finished("td", 0, (70.0, 60.0))
    longer = finished("td", 0, protocol=replace(QUICK, name="paper", epochs=7), title="paper, epochs=7")
    names = ("mmnist2", "td", "mean")
    assert find_origin([results_of([preview, paper])], *names).table == "mmnist2, paper"
    assert find_origin([results_of([preview])], *names).table == "mmnist2, quick"
    with pytest.raises(UsageError, match=r"there are 2 tables of dataset 'mmnist2'\. Name one with --protocol\."):
        find_origin([results_of([paper, longer])], *names)
    assert find_origin([results_of([preview, paper])], "mmnist2, quick", "td", "mean").quick
