"""Tables of many tasks: quantiles over tasks in the place of a column for each."""

import re
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from mtbench.contract import Metric
from mtbench.report.assemble import make_report
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.numbers import table_frame
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.latex import render_latex
from mtbench.report.page.terminal import print_page
from mtbench.report.write import csv_text
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import beside, finished

MAJORITY = 70.0


def accuracy(place: int, task: int, seed: int) -> float:
    return 60 + (13 * task + 7 * place) % 31 + seed / 8


def runs(tasks: int, *, constants: bool = True) -> list[RunStatus]:
    found = []
    for place, method in enumerate(("moo", "td", "uniform")):
        for seed in range(3):
            run = finished(method, seed, {f"q{task:02}": accuracy(place, task, seed) for task in range(tasks)})
            found.append(beside(run, {f"q{task:02}": MAJORITY for task in range(tasks)}) if constants else run)
    return found


def comparison(tasks: int, *, constants: bool = True) -> Comparison:
    (found,) = compare(runs(tasks, constants=constants))
    return found


def table(tasks: int, *, constants: bool = True) -> Table:
    return build_table(comparison(tasks, constants=constants))


def test_up_to_twelve_tasks_have_a_column_each() -> None:
    assert page_of(table(12)).layout.header[:14] == ("method", *(f"q{task:02}" for task in range(12)), "mean")


def test_of_more_tasks_there_are_quantiles_and_how_many_are_above_the_constant() -> None:
    page = page_of(table(40))
    assert page.layout.header[:6] == ("method", "10 %", "median", "90 %", "above", "mean")
    for place, line in enumerate(page.layout.lines[:-1]):
        means = np.array([accuracy(place, task, 1) for task in range(40)])  # the seeds lie evenly about the second
        low, middle, high = np.percentile(means, [10, 50, 90])
        assert [cell.says for cell in line[1:4]] == [f"{value:.2f}" for value in (low, middle, high)]
        # Half a t-interval of three seeds 1/8 apart is 0.31; means are whole numbers and 1/8.
        assert line[4].says == f"{(means > MAJORITY + 0.31).sum()}/40"
        assert line[5].says.startswith(f"{means.mean():.2f} ")
    assert [cell.says for cell in page.layout.lines[-1][:6]] == [
        *("majority class", "70.00", "70.00", "70.00", "\N{EN DASH}", "70.00")
    ]
    assert page.caption[-1].startswith("10 %, median, 90 %: quantiles over 40 tasks of their means over seeds; above: ")


def test_without_constants_nothing_is_counted_above_them() -> None:
    header = page_of(table(13, constants=False)).layout.header
    assert header[:5] == ("method", "10 %", "median", "90 %", "mean")


def test_tasks_of_unlike_metrics_have_quantiles_of_each() -> None:
    tasks = [
        TaskInfo(name=f"{metric}{task}", metrics=(Metric(name=metric, unit=unit, higher_is_better=unit != ""),))
        for metric, unit in (("accuracy", "%"), ("mse", ""))
        for task in range(7)
    ]
    scores = {task.name: 0.5 if task.metric == "mse" else 90.0 for task in tasks}
    (found,) = compare([finished("td", 0, scores, tasks=tasks)])
    layout = page_of(build_table(found)).layout
    heads = ["accuracy 10 %", "accuracy median", "accuracy 90 %", "mse 10 %", "mse median", "mse 90 %"]
    assert list(layout.header[1:7]) == heads
    assert [cell.says for cell in layout.lines[0][1:7]] == ["90.00"] * 3 + ["0.5000"] * 3


@pytest.mark.parametrize("width", [80, 200])
def test_a_table_of_forty_tasks_fits_a_screen(width: int) -> None:
    console = Console(width=width, file=StringIO())
    print_page(page_of(table(40)), console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) < 30
    assert max(map(len, lines)) <= width


def test_a_table_of_forty_tasks_has_one_number_per_cell_of_few_columns_in_latex() -> None:
    text = render_latex(page_of(table(40)))
    assert max(int(count) + 1 for count in re.findall(r"\*\{(\d+)\}\{r\}", text)) < 12
    assert "q07" not in text


def test_each_task_is_in_the_csv_and_in_an_appendix(tmp_path: Path) -> None:
    frame = pd.read_csv(StringIO(csv_text(table_frame(table(40)))))
    assert len(frame) == 4 * 41
    files = {file.name: file for file in make_report(runs(40)).write(tmp_path)}
    appendix = files["mmnist2-paper-tasks.md"].read_text()
    assert appendix.splitlines()[2].startswith("| method | q00 | q01 |")
    assert "q39" in appendix
    assert "mmnist2-paper-unequal.md" not in files
    assert "| method | 10 % |" in files["mmnist2-paper-table.md"].read_text()
