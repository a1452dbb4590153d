"""The command on runs of a toy world: what it writes, what it refuses, and what it says."""

import csv
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from matplotlib.image import imread
from torch import Tensor

import mtbench
from mtbench.cli.app import app
from mtbench.engines.job import execute
from mtbench.errors import DamagedRecord, StoreError, UsageError
from mtbench.explanation.answers import answers
from mtbench.explanation.examples import cases
from mtbench.explanation.figures import Album
from mtbench.explanation.grid import spread
from mtbench.explanation.maps import TaskMaps
from mtbench.explanation.page import page_of, render_page_markdown
from mtbench.explanation.trained import find_run, open_run
from mtbench.plan.grid import Request, plan
from mtbench.report.page.words import DASH
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.run.folder import RunFolder
from mtbench.train.diagnostics.pointing import FAR
from tests.cli.commands import call
from tests.report.typesetting import needs_latex, typeset


def trained(results: Path, method: str, dataset: str, *, trial: bool = False) -> RunFolder:
    settings = {"epochs": "1", "validation": str(trial).lower()}
    spec = replace(plan(Request(methods=[method], datasets=[dataset], settings=settings, seeds=[0]))[0], trial=trial)
    run = RunFolder(results / spec.folder)
    run.write_spec(spec)
    execute(run, run.spec(), results, "cpu")
    return run


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    trained(folder, "td", "toy-points")
    trained(folder, "uniform", "toy-three")
    return folder


@pytest.fixture(scope="module")
def td(results: Path) -> RunFolder:
    return find_run(results / "toy-points")


@pytest.fixture(scope="module")
def uniform(results: Path) -> RunFolder:
    return find_run(results / "toy-three" / "uniform")


@pytest.fixture(scope="module")
def pages(td: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages")
    mtbench.explain(td.path, images=2, out=out, data_root=out, device="cpu")
    return out


def test_cases_and_distances_are_those_of_the_record(td: RunFolder, pages: Path) -> None:
    record = td.record()
    assert record is not None
    assert record.pointing is not None
    page = next(pages.glob("*.md")).read_text()
    assert set(record.pointing.tasks) == {"upper", "lower"}
    for name, measured in record.pointing.tasks.items():
        counts = measured.outcomes
        assert counts is not None
        four = (counts.localized_right, counts.elsewhere_right, counts.localized_wrong, counts.elsewhere_wrong)
        accuracy, labels = record.value(name, "accuracy"), record.results["test"][name].count
        cells = (name, labels, f"{accuracy:.2f}", f"{accuracy:.2f}", *four, labels - measured.count)
        assert f"| {' | '.join(map(str, cells))} | {100 * measured.peak.median:.1f} % |" in page


def test_the_images_that_are_shown_stand_in_a_table(td: RunFolder, pages: Path) -> None:
    rows = list(csv.DictReader(next(pages.glob("*.csv")).read_text().splitlines()))
    stored = td.predictions(record) if (record := td.record()) else {}
    assert {row["task"] for row in rows} == {"upper", "lower"}
    assert {row["case"] for row in rows} <= {
        f"{a} answer, {p} place" for a in ("right", "wrong") for p in ("right", "wrong")
    }
    for row in rows:
        assert int(row["said"]) == stored[row["task"]][int(row["row"])]
        assert (row["true"] == row["said"]) == row["case"].startswith("right")
        assert (float(row["distance"]) <= FAR) == row["case"].endswith("right place")
        y = {"upper": 6.5, "lower": 20.5}[row["task"]]
        assert (float(row["true_x"]), float(row["true_y"])) == pytest.approx((7 * int(row["true"]) + 2.5, y))


def test_there_is_a_figure_for_each_task_and_the_page_names_the_map(pages: Path, td: RunFolder) -> None:
    page = next(pages.glob("*.md")).read_text()
    stem = f"toy-points-td-seed-0-{td.spec().id}"
    names = [f"{stem}-{name}" for name in ("images-right", "images-wrong", "task-1-upper", "task-2-lower")]
    for name in names:
        assert f"]({name}.png)" in page
        assert imread(pages / f"{name}.png").shape[1] == 1380
        assert (pages / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert f"{{{name}.pdf}}" in (pages / f"{stem}-explain.tex").read_text()
    assert "Maps are the network's own: its lowest stream map." in page
    assert len(list(pages.iterdir())) == 2 * len(names) + 3


@needs_latex
@pytest.mark.parametrize("columns", [1, 2])
def test_the_page_is_set_by_latex_within_the_page(pages: Path, tmp_path: Path, columns: int) -> None:
    paper = shutil.copytree(pages, tmp_path / "paper")
    typeset(paper, [next(pages.glob("*.tex")).read_text()], columns=columns)


def test_the_same_run_gives_the_same_bytes_over_what_is_there(td: RunFolder, pages: Path) -> None:
    before = {path.name: path.read_bytes() for path in pages.iterdir()}
    (pages / "mine.txt").write_text("a file of somebody's own")
    call(app, "explain", str(td.path / "spec.json"), "--images", "2", "--out", str(pages), "--device", "cpu")
    assert (pages / "mine.txt").read_text() == "a file of somebody's own"
    (pages / "mine.txt").unlink()
    assert {path.name: path.read_bytes() for path in pages.iterdir()} == before


def test_the_folder_is_named_by_method_and_run_below_the_dataset(
    td: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = mtbench.explain(td.path, images=1, data_root=tmp_path, device="cpu")
    assert {file.parent for file in found.files} == {Path(f"reports/local/toy-points/explain-td-seed-0-{td.spec().id}")}


class Even:
    """Maps with nothing in them."""

    name = "even map"
    says = "Maps show nothing."
    gradient_based = False

    def of(self, inputs: Tensor, index: int, classes: Tensor) -> TaskMaps:  # noqa: ARG002
        return TaskMaps(values=torch.zeros(len(inputs), 2, 2), grid=spread((2, 2), (28, 28)))


def test_even_maps_point_nowhere_and_have_no_median_distance(td: RunFolder, tmp_path: Path) -> None:
    run = open_run(td, tmp_path, torch.device("cpu"))
    found = answers(run.network, run.test, run.indices, Even())
    page = page_of(run, found, [cases(each) for each in found], Even())
    of_tasks = [line for line in render_page_markdown(page, []).splitlines() if line.startswith(("| upper", "| lower"))]
    assert len(of_tasks) == 2
    assert all(line.endswith(f" | {DASH} |") for line in of_tasks)
    album = Album(tasks=run.tasks, split=run.test, maps=Even(), title="even", count=1, quick=False)
    panels = [panel for line in album.of_task(found[0], cases(found[0])).lines for panel in line.panels if panel]
    assert {panel.below[-1] for panel in panels if panel.below} == {"constant map"}


def test_a_network_without_a_map_is_shown_by_gradients(uniform: RunFolder, tmp_path: Path) -> None:
    result = call(app, "explain", str(uniform.path), "--images", "1", "--out", str(tmp_path), "--device", "cpu")
    assert "Attention maps: toy-three, protocol paper, epochs=1, uniform, seed 0" in result.output
    assert "8 figures" not in result.output
    assert "5 figures, each as .pdf and .png" in result.output
    page = next(tmp_path.glob("*.md")).read_text()
    assert "Maps are gradient-based, since the network has none of its own" in page
    assert "8 x 8 map of stage 'conv2'" in page


def test_lost_weights_come_with_a_command_that_makes_them_again(
    uniform: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = tmp_path / "kept runs" / "toy-three" / "uniform" / uniform.path.name
    shutil.copytree(uniform.path, lost, ignore=shutil.ignore_patterns("model.safetensors"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as error:
        call(app, "explain", str(lost.relative_to(tmp_path)))
    text = str(error.value)
    assert text.startswith(
        f"{lost.relative_to(tmp_path)}/model.safetensors cannot be read: No such file or directory. "
    )
    copying, _, exact = text.partition("Make them again: ")[2].partition(" && mtbench exec ")
    subprocess.run(copying, shell=True, check=True, timeout=300)
    again = RunFolder(Path(exact.partition("/spec.json && mtbench explain ")[0]))
    assert exact == f"{again.path}/spec.json && mtbench explain {again.path}"
    assert again.spec() == uniform.spec()
    assert sorted(path.name for path in again.path.iterdir()) == ["spec.json"]
    assert RunFolder(lost).has_record


def test_weights_that_are_not_those_of_the_record_are_refused(uniform: RunFolder, tmp_path: Path) -> None:
    damaged = tmp_path / uniform.path.name
    shutil.copytree(uniform.path, damaged)
    data = bytearray((damaged / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (damaged / "model.safetensors").write_bytes(data)
    with pytest.raises(
        DamagedRecord, match=r"has the checksum .*, and its record another\. Make them again: mkdir -p "
    ):
        call(app, "explain", str(damaged))


def test_a_run_without_a_record_is_not_explained(uniform: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_bytes((uniform.path / "spec.json").read_bytes())
    with pytest.raises(UsageError, match=r"has no record: it is missing\. Finish it: mtbench exec .*/spec\.json$"):
        call(app, "explain", str(tmp_path))


def test_a_trial_of_a_search_is_not_explained_since_it_has_no_test_results(tmp_path: Path) -> None:
    run = trained(tmp_path, "uniform", "toy-all", trial=True)
    assert (record := run.record()) is not None
    assert "test" not in record.results
    with pytest.raises(UsageError) as caught:
        call(app, "explain", str(run.path), "--data-root", str(tmp_path))
    assert str(caught.value) == (
        f"the run in {run.path} is a trial of a search, which is not evaluated on the test split. "
        "Name a run that the search retrained: `mtbench report` lists them."
    )


def test_a_run_in_a_pack_with_its_weights_has_the_page_of_the_run_in_a_folder(
    results: Path, pages: Path, tmp_path: Path
) -> None:
    contents = collect(results, weights=True)
    write_pack(tmp_path / "kept.zip", contents.members, contents.left_out)
    mtbench.explain(tmp_path / "kept.zip" / "toy-points", images=2, out=tmp_path / "out", data_root=pages, device="cpu")
    (page,), (packed,) = pages.glob("*.csv"), (tmp_path / "out").glob("*.csv")
    assert packed.read_bytes() == page.read_bytes()


def test_a_run_is_found_by_a_folder_above_it_that_has_no_other(results: Path, uniform: RunFolder) -> None:
    assert find_run(uniform.path / "record.json").path == uniform.path
    with pytest.raises(UsageError, match=r"^there are 2 runs below .*\. Choose one of them\. .*td.*uniform"):
        find_run(results)
    with pytest.raises(UsageError, match=r"^there is no nowhere\. "):
        find_run(Path("nowhere"))


@pytest.mark.parametrize(
    ("dataset", "says"),
    [
        ("toy-numbers", r"the tasks of this run are of kind Regression, for which there are no pages\. "),
        ("toy2", r"the tasks of this run are of kind .*, for which there are no pages\. "),
    ],
)
def test_what_has_no_classes_in_images_is_refused(dataset: str, says: str, tmp_path: Path) -> None:
    run = trained(tmp_path, "uniform", dataset)
    with pytest.raises(UsageError, match=says):
        call(app, "explain", str(run.path), "--data-root", str(tmp_path))
