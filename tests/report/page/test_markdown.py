# ruff: noqa: RUF001
import csv
import io
import math

import pandas as pd

from mtbench.contract import Metric
from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.numbers import table_frame
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.layout import page_of_frame
from mtbench.report.page.markdown import escape_markdown, render_markdown
from mtbench.report.write import csv_text
from mtbench.store.record import TaskInfo
from tests.report.records import MANY, QUICK, finished, many_runs, mixed_runs, unfinished


def table_of(runs: list) -> Table:  # type: ignore[type-arg]
    (comparison,) = compare(runs)
    return build_table(comparison)


def test_a_table_reads_as_markdown() -> None:
    table, caption, details, notes = render_markdown(page_of(table_of(mixed_runs()))).split("\n\n", 1)[1].split("\n\n")
    assert table == (
        "| method | LU | RL | mean | Δm ↑ | n | \\#P | MACs | labels | s/epoch | memory |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| chmod† | 69.52 ± 0.74 | 62.02 ± 1.44 | 65.77 ± 1.09 | – | 2/4 | ×1.0025 | 800.0k | 12.0M | 1.50 | 300 MB |\n"
        "| moo | 88.50 ± 1.05 | 81.00 ± 1.53 | 84.75 ± 1.28 | – | 3 | ×2.00 | 800.0k | 12.0M | 1.50 | 300 MB |\n"
        "| single | – | – | – | – | 0/2 | – | – | – | – | – |\n"
        "| td | **91.00 ± 1.00** | 82.00 ± 2.00 | **86.50 ± 1.50** | – | 3 | ×1.25 | 800.0k | 12.0M | 1.50 | 300 MB |"
    )
    assert caption == (
        "mmnist2, protocol paper. Test accuracy (%, higher is better), mean ± standard deviation over n seeds; bold: "
        "best mean, significantly better than every other method (paired t-test, Holm-corrected, 5 %)."
    )
    assert details.startswith(
        "**Details.** Training: 100 epochs, batch size 512, adam with learning rate 0.001, halved"
    )
    assert notes == (
        "- chmod†: 1 failed (seed 2: loss of task LU became NaN at step 14), 1 missing (seed 3), "
        "1 stale (seed 0: the network's code changed).\n"
        "- single: 1 damaged (seed 1: its checksum is wrong), 1 running (seed 0).\n"
        "- † Stale runs: code or data that their numbers depend on has changed since they were trained.\n"
    )


def test_a_preview_is_marked_in_heading_and_caption() -> None:
    text = render_markdown(page_of(table_of([finished(protocol=QUICK)])))
    assert text.startswith("### mmnist2, protocol quick (preview, not a result)\n")
    assert "\n**Preview, not a result.** mmnist2, protocol quick. Test accuracy" in text


def test_one_seed_prints_no_spread() -> None:
    assert "| td | 90.00 | 80.00 | 85.00 | – | 1 | ×1.25 | 800.0k | 12.0M | 1.50 | 300 MB |" in render_markdown(
        page_of(table_of([finished()]))
    )


def test_unlike_metrics_name_themselves_and_their_better_direction() -> None:
    tasks = [
        TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),)),
    ]
    text = render_markdown(page_of(table_of([finished(scores={"shape": 90, "depth": 0.51237}, tasks=tasks)])))
    assert (
        "| method | shape (accuracy % ↑) | depth (error m ↓) | Δm ↑ | n | \\#P | MACs | labels | s/epoch | memory |"
        in text
    )
    assert "| td | 90.00 | 0.5124 | – | 1 | ×1.25 | 800.0k | 12.0M | 1.50 | 300 MB |" in text


def test_signs_of_markdown_are_shown_as_they_are() -> None:
    assert escape_markdown("a_b*c|d\n<e> `f` [g] #h $i ~j \\k") == (
        "a\\_b\\*c\\|d \\<e\\> \\`f\\` \\[g\\] \\#h \\$i \\~j \\\\k"
    )


def test_the_csv_has_full_precision_and_a_line_per_method_and_task() -> None:
    runs = [finished("td", seed, (100 / 3 + seed, 80)) for seed in range(2)] + [unfinished("missing", "moo")]
    rows = list(csv.DictReader(io.StringIO(csv_text(table_frame(table_of(runs))))))
    assert [(row["method"], row["task"], row["n"]) for row in rows] == [
        *(("moo", task, "0") for task in ("LU", "RL", "mean")),
        *(("td", task, "2") for task in ("LU", "RL", "mean")),
    ]
    assert float(rows[3]["mean"]) == (100 / 3 + 100 / 3 + 1) / 2
    assert (rows[0]["mean"], rows[0]["std"], rows[0]["note"]) == ("", "", "moo: 1 missing (seed 0).")


def test_the_csv_has_what_a_method_takes() -> None:
    runs = [finished("uniform", seconds=2.0), finished("td", seconds=5.0, macs=1_234_567, memory=98_765_432)]
    row = next(csv.DictReader(io.StringIO(csv_text(table_frame(table_of(runs))))))
    taken = ("parameter_ratio", "macs_per_input", "label_uses", "seconds_per_epoch", "relative_time", "peak_memory")
    assert [float(row[name]) for name in taken] == [1.25, 1_234_567, 12_000_000, 5, 2.5, 98_765_432]


def test_all_methods_are_a_line_each() -> None:
    table = render_markdown(page_of(table_of(many_runs()))).split("\n\n")[1].splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in table[2:]] == sorted(MANY)
    assert {line.count(" | ") for line in table} == {11}
    rows = list(csv.DictReader(io.StringIO(csv_text(table_frame(table_of(many_runs()))))))
    assert [row["method"] for row in rows] == [method for method in sorted(MANY) for _ in range(3)]


def test_methods_are_in_the_csv_even_if_nothing_has_finished() -> None:
    (row,) = csv.DictReader(io.StringIO(csv_text(table_frame(table_of([unfinished("running")])))))
    assert (row["method"], row["task"], row["n"], row["planned"]) == ("td", "", "0", "1")


def test_a_frame_is_a_table_of_numbers_with_two_decimals_and_a_dash_where_there_is_none() -> None:
    frame = pd.DataFrame({"method": ["td", "moo"], "accuracy": [81.25, math.nan], "n": [3, 0]})
    page = page_of_frame(frame, title="t", label="l", quick=False, caption="c")
    assert render_markdown(page).splitlines()[2:6] == [
        "| method | accuracy | n |",
        "| --- | ---: | ---: |",
        "| td | 81.25 | 3 |",
        "| moo | \N{EN DASH} | 0 |",
    ]
