"""The command on a run of embeddings: the page, the table of pictures, and the figures."""

import csv
from pathlib import Path

import pytest
import torch
from matplotlib.image import imread

from mtbench.cli.app import app
from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.store.run.folder import RunFolder
from mtbench_toys.datasets import draw
from tests.cli.commands import call

STEM = "toy-retrieval-chmod-seed-0"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    results = tmp_path_factory.mktemp("results")
    spec = plan(Request(methods=["chmod"], datasets=["toy-retrieval"], settings={"epochs": "1"}, seeds=[0]))[0]
    folder = RunFolder(results / spec.folder)
    folder.write_spec(spec)
    execute(folder, folder.spec(), results, "cpu")
    return folder


@pytest.fixture(scope="module")
def pages(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages")
    call(app, "explain", str(run.path), "--images", "3", "--out", str(out), "--device", "cpu")
    return out


def test_a_line_per_task_has_the_figures_of_the_record(run: RunFolder, pages: Path) -> None:
    record = run.record()
    assert record is not None
    page = next(pages.glob("*.md")).read_text()
    for name in ("upper", "lower"):
        accuracy, precision = (f"{record.value(name, metric):.2f}" for metric in ("triplet-accuracy", "map"))
        right = round(48 * record.value(name, "triplet-accuracy") / 100)
        cells = (name, 48, accuracy, accuracy, right, 48 - right, 48, 48, precision, precision)
        assert f"| {' | '.join(map(str, cells))} |" in page
    assert "A query is not its own candidate." in page
    assert "Different from the record" not in page


def test_there_are_figures_of_queries_and_of_triplets_for_each_task(run: RunFolder, pages: Path) -> None:
    stem = f"{STEM}-{run.spec().id}"
    names = ["query-best", "query-worst"]
    names += [f"task-{task}-{what}" for task in ("1-upper", "2-lower") for what in ("nearest", "triplets")]
    page, latex = (next(pages.glob(f"*.{kind}")).read_text() for kind in ("md", "tex"))
    for name in names:
        assert f"]({stem}-{name}.png)" in page
        assert f"{{{stem}-{name}.pdf}}" in latex
        assert imread(pages / f"{stem}-{name}.png").shape[1] == 1380
        assert (pages / f"{stem}-{name}.pdf").read_bytes().startswith(b"%PDF")
    assert len(list(pages.iterdir())) == 2 * len(names) + 3


def test_the_pictures_that_are_shown_stand_in_a_table_with_their_true_classes(pages: Path) -> None:
    rows = list(csv.DictReader(next(pages.glob("*.csv")).read_text().splitlines()))
    places = draw("test")[1]
    assert {row["case"] for row in rows} == {"best query", "worst query", "right triplet", "wrong triplet"}
    for row in rows:
        assert int(row["class"]) == int(places[int(row["image"]), ("upper", "lower").index(row["task"])])
    queries = [row for row in rows if row["role"] == "query"]
    assert [row["case"] for row in queries] == ["best query", "best query", "worst query"] * 2
    for query in queries:
        nearest = [
            row for row in rows if (row["task"], row["case"], row["of"]) == (query["task"], query["case"], query["of"])
        ][1:]
        assert [row["role"] for row in nearest] == ["1", "2", "3", "4", "5"]
        distances = torch.tensor([float(row["distance"]) for row in nearest])
        assert (distances.diff() >= 0).all()
        for row in nearest:
            assert row["image"] != query["image"]
            assert (row["class"] == query["class"]) == (row["right"] == "True")
