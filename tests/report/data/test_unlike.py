"""Comparisons that mix runs of unlike numerics carry a mark."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mtbench.door.contents import read_contents
from mtbench.report.data.choices import Choices, Convention, RankFamily
from mtbench.report.data.comparison import MethodRuns, compare
from mtbench.report.data.unlike import differences, mixed
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.latex import render_latex
from mtbench.store.record.numerics import UNKNOWN
from mtbench.store.status import RunStatus
from tests.report.records import finished

WOBBLE = (0.0, 0.3, -0.2)


def of(method: str, score: float, *threads: int) -> list[RunStatus]:
    """Return runs with one seed for each number of threads."""
    return [
        finished(method, seed, (score + seed + WOBBLE[seed] * (method == "td"), 50.0 + seed), threads=count)
        for seed, count in enumerate(threads)
    ]


def marked(*runs: list[RunStatus], base: str = "seed") -> tuple[list[str], list[str]]:
    """Return the methods' names in the table, and the footnotes on comparisons."""
    (comparison,) = compare([run for each in runs for run in each])
    page = page_of(build_table(comparison, Choices(delta=Convention(base=base))))
    return [line[0].says for line in page.layout.lines], [note for note in page.footnotes if note.startswith("‡")]


def test_a_gain_over_runs_of_unlike_numerics_is_marked_at_the_method() -> None:
    names, notes = marked(of("single", 80, 1, 1), of("moo", 80, 1, 1), of("film", 80, 2, 2))
    assert names == ["film‡", "moo", "single"]
    assert notes == ["‡ Bold or Δm compares runs of unlike numerics: film with single."]


def test_a_mean_over_runs_of_unlike_numerics_is_marked_without_any_comparison() -> None:
    names, notes = marked(of("moo", 80, 1, 1, 2), of("film", 80, 1, 1, 1))
    assert names == ["film", "moo‡"]
    assert notes == ["‡ A mean is over runs of unlike numerics: moo."]


def test_runs_that_are_alike_seed_by_seed_are_compared_as_such_unless_seeds_are_averaged() -> None:
    runs = of("single", 80, 1, 2), of("moo", 80, 1, 2)
    means = "‡ A mean is over runs of unlike numerics: moo and single."
    assert marked(*runs) == (["moo‡", "single‡"], [means])
    assert marked(*runs, base="mean")[1] == [f"{means} Bold or Δm compares runs of unlike numerics: moo with single."]


def test_what_is_bold_is_marked_if_it_beats_a_run_of_unlike_numerics() -> None:
    names, notes = marked(of("td", 90, 1, 1, 1), of("moo", 70, 2, 2, 2), of("film", 60, 1, 1, 1))
    assert names == ["film", "moo", "td‡"]
    assert notes == ["‡ Bold or Δm compares runs of unlike numerics: td with moo."]


def test_rank_intervals_that_compare_runs_of_unlike_numerics_are_marked_and_named_with_the_pairs() -> None:
    threads = {"td": 1, "moo": 1, "film": 2}
    runs = [run for method, count in threads.items() for run in of(method, 80, count, count, count)]
    (comparison,) = compare(runs)
    table = build_table(comparison, Choices(rank_intervals=RankFamily()))
    assert [line[0].says for line in page_of(table).layout.lines] == ["film‡", "moo‡", "td‡"]
    said = "‡ Rank intervals compare runs of unlike numerics: film with moo and td; moo and td with film."
    assert said in table.footnotes
    without = build_table(comparison)
    assert not any(note.startswith("‡") for note in without.footnotes)
    alike = build_table(compare([run for run in runs if run.spec.titles.method != "film"])[0])
    assert alike.ranks is not None
    assert alike.ranks.unlike == {}


def test_of_pairs_with_baselines_alone_the_others_are_not_unlike() -> None:
    threads = {"single": 1, "td": 1, "moo": 2, "film": 2}
    runs = [run for method, count in threads.items() for run in of(method, 80 + 5 * (method == "td"), *[count] * 3)]
    table = build_table(compare(runs)[0], Choices(rank_intervals=RankFamily(pairs="baselines")))
    assert table.ranks is not None
    assert table.ranks.baselines == ("single",)
    assert table.ranks.unlike == {
        "film": ("single", "td"),
        "moo": ("single", "td"),
        "single": ("film", "moo"),
        "td": ("film", "moo"),
    }


def test_methods_with_the_same_unlike_partner_share_a_sentence_and_latex_prints_the_mark() -> None:
    runs = [*of("single", 80, 2, 2), *of("moo", 80, 1, 1), *of("film", 80, 1, 1)]
    (comparison,) = compare(runs)
    page = page_of(build_table(comparison))
    assert "‡ Bold or Δm compares runs of unlike numerics: film and moo with single." in page.footnotes
    assert r"film$^\ddagger$ &" in render_latex(page)


def test_what_is_unknown_or_of_one_method_alone_is_no_difference() -> None:
    known, unknown = finished("td", 0), finished("moo", 0, torch_instructions=UNKNOWN)
    assert unknown.record is not None
    numerics = unknown.record.numerics
    solver = replace(numerics, libraries={**numerics.libraries, "clarabel": "0.11.1"})
    unknown = replace(unknown, record=replace(unknown.record, numerics=solver))
    assert not mixed(MethodRuns(title="td", runs=(known,)), MethodRuns(title="moo", runs=(unknown,)))


def test_a_record_that_reverses_the_direction_of_a_metric_is_named() -> None:
    runs = [finished("single", 0, (80.0, 50.0)), finished("moo", 0, (80.0, 50.0))]
    records = [run.record for run in runs if run.record is not None]
    assert differences(records) == []
    first, *others = records[1].tasks
    reversed_ = replace(first, metrics=(replace(first.metrics[0], higher_is_better=False), *first.metrics[1:]))
    assert first.metrics[0].higher_is_better
    records[1] = replace(records[1], tasks=(reversed_, *others))
    (said,) = differences(records)
    assert said == (
        f"The runs differ in the accuracy of task '{first.name}': %, higher is better (1 run) and %, lower is better "
        "(1 run)."
    )


TRAIN = """
import sys
from pathlib import Path
from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.store.run.folder import RunFolder
for spec in plan(Request(methods=[sys.argv[2]], datasets=["toy-all"], settings={"epochs": "1"}, seeds=[0, 1])):
    folder = RunFolder(Path(sys.argv[1], spec.folder))
    folder.write_spec(spec)
    execute(folder, spec, Path(sys.argv[1]), "cpu")
"""


@pytest.mark.skipif(torch.backends.cpu.get_cpu_capability() == "DEFAULT", reason="has one set of instructions")
def test_trained_runs_with_fewer_instructions_of_the_processor_are_named_and_their_pairs_marked(tmp_path: Path) -> None:
    known = torch.backends.cpu.get_cpu_capability()
    fewer = "AVX2" if known == "AVX512" else "DEFAULT"
    paths = os.pathsep.join(path for path in sys.path if path)
    for method, limits in {"single": {}, "uniform": {"ATEN_CPU_CAPABILITY": fewer.lower()}}.items():
        command = [sys.executable, "-c", TRAIN, str(tmp_path), method]
        subprocess.run(command, env=os.environ | {"PYTHONPATH": paths} | limits, check=True, timeout=300)
    (comparison,) = read_contents(tmp_path, tmp_path).comparisons()
    records = [record for method in comparison.methods for record in method.records.values()]
    assert [record.numerics.torch_instructions for record in records] == [known, known, fewer, fewer]
    first, last = sorted((known, fewer))
    expected = f"The runs differ in instruction set of torch: {first} (2 runs) and {last} (2 runs)."
    assert differences(records) == [expected]
    page = page_of(build_table(comparison, Choices(delta=Convention(base="seed"))))
    assert [line[0].says for line in page.layout.lines[:2]] == ["single", "uniform‡"]
    assert "‡ Bold or Δm compares runs of unlike numerics: uniform with single." in page.footnotes
    assert any(expected in note for note in page.footnotes)
