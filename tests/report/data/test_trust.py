"""Levels of trust in tables, from runs that were checked."""

import dataclasses
import re
from pathlib import Path

import pytest

from mtbench.report.assemble import make_report
from mtbench.report.check.folder import check_text
from mtbench.report.data.comparison import compare
from mtbench.report.data.trust import trust_sentence, without_levels
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.report.web.document import render_document
from mtbench.store.status import RunStatus
from mtbench.store.trust import Earned
from tests.report.records import finished


def checked(
    method: str, seed: int, *, recomputed: bool = True, rerun: str = "", without: tuple[str, ...] = ()
) -> RunStatus:
    earned = Earned(run="", record="", recomputed=recomputed, rerun=rerun, without=without, mtbench="0.2.0")
    return dataclasses.replace(finished(method, seed), earned=earned)


def sentence(*runs: RunStatus) -> str:
    (comparison,) = compare(runs)
    return trust_sentence(comparison.methods)


MIXED = (
    *(checked("td", seed) for seed in range(3)),
    *(checked("moo", seed) for seed in range(2)),
    checked("moo", 2, rerun="bits"),
    checked("single", 0),
    *(finished("single", seed) for seed in (1, 2)),
)


def test_runs_of_each_level_are_counted_and_named() -> None:
    assert sentence(*MIXED) == (
        "Level of trust: 6 of 9 runs recomputed (td: all; moo: 2 of 3; single: 1 of 3), 1 re-executed (moo seed 2). "
        "Recomputed: every metric was derived again from stored predictions and labels; re-executed: retrained "
        "with an equal result."
    )


def test_one_level_of_all_runs_needs_no_names() -> None:
    assert sentence(checked("td", 0), checked("moo", 0)).startswith(
        "Level of trust: all 2 runs recomputed. Recomputed: "
    )


def test_nothing_is_said_where_all_runs_are_only_reported() -> None:
    assert sentence(finished("td", 0), finished("moo", 0)) == ""


def test_metrics_that_were_not_derived_and_loose_comparisons_are_said() -> None:
    said = sentence(checked("td", 0, without=("map",)), checked("td", 1, recomputed=False, rerun="interval"))
    assert said.endswith(
        "; without map, which needs more than what is stored; 1 of the runs retrained by the prediction interval "
        "of the seeds."
    )


def test_a_run_whose_files_changed_since_is_only_reported() -> None:
    run = dataclasses.replace(checked("td", 0), changed=("predictions.npz has another size than the record says",))
    assert run.level == "reported"


def test_tables_have_the_sentence_and_rows_of_the_page_the_lowest_level_of_their_runs(tmp_path: Path) -> None:
    report = make_report(MIXED)
    said = sentence(*MIXED)
    page = next(report.pages())
    assert said in page.details
    assert said in page.aside
    assert said in render_markdown(page)
    assert "Level of trust: 6 of 9 runs recomputed" in render_latex(page).replace("\n", " ")
    text = render_document(report.shown, {}, tmp_path)
    rows = re.findall(r'<tr data-method="(\w+)".*?</th>', text, flags=re.S)
    levels = re.findall(r'data-method="(\w+)"[^>]*>\s*<th scope="row">.*?<span class="level">(\S+)</span></th>', text)
    assert dict(levels) == {"moo": "recomputed", "single": "reported", "td": "recomputed"}
    assert len(rows) >= 3
    assert text.count('fresh<span class="level">, re-executed</span>') == text.count("re-executed</span>")


@pytest.mark.parametrize("levels", [("reported", "recomputed"), ("recomputed", "recomputed")])
def test_the_page_says_the_level_of_each_run(levels: tuple[str, str], tmp_path: Path) -> None:
    runs = [checked("td", seed, recomputed=level == "recomputed") for seed, level in enumerate(levels)]
    text = render_document(make_report(runs).shown, {}, tmp_path)
    assert re.findall(r'fresh<span class="level">, (\w+)</span>', text)[:2] == list(levels)


def test_files_of_readers_who_have_earned_other_levels_are_alike(tmp_path: Path) -> None:
    runs = [
        checked("td:channels=6.5", 0, rerun="interval", without=("within-11.25",)),
        checked("td:channels=6.5", 1),
        finished("moo", 0),
    ]
    mine, others = (make_report(each) for each in (runs, [dataclasses.replace(run, earned=None) for run in runs]))
    pages = [next(report.pages()) for report in (mine, others)]
    for name, render in (("x.md", render_markdown), ("x.tex", render_latex)):
        first, second = (render(page) for page in pages)
        assert "Level of trust: " in first
        assert check_text(Path(name), first.encode(), second.encode()) is None
        assert without_levels(first) == second
    html = [render_document(report.shown, {}, tmp_path) for report in (mine, others)]
    assert html[0] != html[1]
    assert check_text(Path("index.html"), html[0].encode(), html[1].encode()) is None
