"""The command on a run of maps: the page, the table of images, and the figures."""

import csv
import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from matplotlib.image import imread

from mtbench.cli.app import app
from mtbench.engines.job import execute
from mtbench.explanation.dense.material import dense_material
from mtbench.explanation.trained import open_run
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.report.page.markdown import render_markdown
from mtbench.store.run.folder import RunFolder
from tests.cli.commands import call

STEM = "toy-surfaces-uniform-seed-0"
PRIMARY = {"class": "miou", "depth": "absolute-error", "normal": "mean-angle"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    results = tmp_path_factory.mktemp("results")
    spec = plan(Request(methods=["uniform"], datasets=["toy-surfaces"], settings={"epochs": "1"}, seeds=[0]))[0]
    folder = RunFolder(results / spec.folder)
    folder.write_spec(spec)
    execute(folder, folder.spec(), results, "cpu")
    return folder


@pytest.fixture(scope="module")
def pages(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages")
    call(app, "explain", str(run.path), "--images", "3", "--out", str(out), "--device", "cpu")
    return out


@pytest.fixture(scope="module")
def rows(pages: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(next(pages.glob("*.csv")).read_text().splitlines()))


def test_the_metrics_of_an_image_are_the_kinds_of_its_stored_prediction(
    run: RunFolder, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    record = run.record()
    assert record is not None
    stored = run.predictions(record)
    dataset = parse_dataset("toy-surfaces").open(tmp_path)
    test = dataset.load("test", validation=False)
    assert [int(row["row"]) for row in rows] == list(range(48))
    for row in (0, 1, 47):
        for task, target in zip(dataset.tasks, test.targets, strict=True):
            tally = task.kind.tally()
            tally.add(torch.from_numpy(stored[task.name][row : row + 1]), target[row : row + 1])
            for name, value in tally.score().items():
                cell = rows[row][f"{task.name} {name}"]
                if task.name == "normal" and row == 0:  # none of its pixels is defined
                    assert cell == ""
                else:
                    assert float(cell) == pytest.approx(value, rel=1e-9)


def test_a_line_per_task_has_the_value_of_the_record_and_of_single_images(
    run: RunFolder, pages: Path, rows: list[dict[str, str]]
) -> None:
    record = run.record()
    assert record is not None
    page = next(pages.glob("*.md")).read_text()
    for task, metric in PRIMARY.items():
        value = record.value(task, metric)
        values = sorted(float(row[f"{task} {metric}"]) for row in rows if row[f"{task} {metric}"])
        if task == "class":
            values.reverse()
        middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
        written = {"class": "{:.1f} %", "depth": "{:.3g}", "normal": "{:.1f}°"}[task]
        cells = [written.format(each) for each in (value, value, values[0], middle, values[-1])]
        assert f"| {task} | {len(values)} | {metric} | {' | '.join(cells)} |" in page
    assert "Different from the record" not in page


def test_there_are_figures_of_whole_images_and_of_each_task(run: RunFolder, pages: Path) -> None:
    stem = f"{STEM}-{run.spec().id}"
    names = ["images-best", "images-worst", "task-1-class", "task-2-depth", "task-3-normal"]
    page, latex = (next(pages.glob(f"*.{kind}")).read_text() for kind in ("md", "tex"))
    for name in names:
        assert f"]({stem}-{name}.png)" in page
        assert f"{{{stem}-{name}.pdf}}" in latex
        assert imread(pages / f"{stem}-{name}.png").shape[1] == 1380
    assert len(list(pages.iterdir())) == 2 * len(names) + 3


def test_sheets_show_the_images_that_the_table_has_at_its_ends(
    run: RunFolder, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    material = dense_material(open_run(run, tmp_path, torch.device("cpu")), 3)
    above = {
        shown.name.removeprefix(f"{STEM}-{run.spec().id}-"): [
            [panel.above if panel else "" for panel in line.panels] for line in sheet.lines
        ]
        for shown, sheet in material.sheets
    }
    errors = {int(row["row"]): float(row["depth absolute-error"]) for row in rows}
    order = sorted(errors, key=lambda row: errors[row])
    best, worst = order[0], order[-1]
    lines = above["task-2-depth"]
    prediction = f"prediction, absolute-error {errors[best]:.3g}"
    assert lines[0] == [f"best: test image {best}", "truth", prediction, "absolute error"]
    assert [line[0] for line in lines[1:]] == [f"median: test image {order[23]}", f"worst: test image {worst}"]
    ranks = {int(row["row"]): float(row["mean rank"]) for row in rows if row["mean rank"]}
    assert sorted(set(range(48)) - set(ranks)) == [0, 8, 16, 24, 32, 40]  # without normals
    for which, row in (
        ("best", min(ranks, key=lambda row: ranks[row])),
        ("worst", max(ranks, key=lambda row: ranks[row])),
    ):
        first, second = above[f"images-{which}"][:2]
        assert first == [
            f"test image {row}, mean rank {ranks[row]:.3g}",
            "class: truth",
            "depth: truth",
            "normal: truth",
        ]
        assert second[0] == ""
        assert second[1].startswith("prediction, miou ")


def test_the_same_run_gives_the_same_bytes_with_and_without_its_stored_predictions(
    run: RunFolder, pages: Path, tmp_path: Path
) -> None:
    copy = tmp_path / run.path.name
    shutil.copytree(run.path, copy, ignore=shutil.ignore_patterns("predictions.npz"))
    out = tmp_path / "pages"
    call(app, "explain", str(copy), "--images", "3", "--out", str(out), "--device", "cpu")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in pages.iterdir()
    }


def test_tasks_of_other_kinds_and_values_unlike_the_record_are_named(run: RunFolder, tmp_path: Path) -> None:
    opened = open_run(run, tmp_path, torch.device("cpu"))
    with torch.no_grad():
        for value in opened.network.parameters():
            value.zero_()
    page = render_markdown(dense_material(dataclasses.replace(opened, indices=(1,)), 1).page)
    assert "Left out, because they are of another kind: class, normal." in page.replace(" and ", ", ")
    assert "Different from the record: absolute-error of depth." in page
