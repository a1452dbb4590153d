import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import mtbench
from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.store.record import render_record
from mtbench.store.status import RunStatus
from tests.report.curves import along, better
from tests.report.records import INDOOR_SINGLE, INDOOR_UNIFORM, finished, indoor


def keep(results: Path, run: RunStatus) -> None:
    """Put a made-up run where a real one would be."""
    folder = results / run.spec.folder
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(run.spec.to_json())
    if run.record:
        (folder / "record.json").write_text(render_record(run.record))


def call(*words: str) -> str:
    result = CliRunner().invoke(app, ["report", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_kept_runs_become_a_table_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keep(tmp_path / "results/local", finished("branches", 0))
    keep(tmp_path / "results/local", finished("branches", 1))
    shown = call("--data-root", str(tmp_path / "data"))
    assert shown.startswith("mmnist2, protocol paper\n")
    assert "branches" in shown
    assert "Written to reports/local/mmnist2:\n  mmnist2-runs.csv\n  mmnist2-paper-table.tex\n" in shown
    assert (tmp_path / "reports/local/mmnist2/mmnist2-paper-points.pdf").exists()


def test_stale_runs_are_left_out_if_asked_and_a_footnote_says_so(tmp_path: Path) -> None:
    for seed in (0, 1):
        keep(tmp_path / "results", finished("branches", seed))  # of code that is not installed
    words = (str(tmp_path / "results"), "--out", str(tmp_path / "out"), "--data-root", str(tmp_path / "data"))
    assert "branches†: 2 stale (seeds 0, 1: " in call(*words)
    shown = call(*words, "--fresh-only")
    assert "branches: 2 missing (seeds 0, 1: stale, and left out)." in shown
    assert " 0/2 " in shown


def test_files_are_written_even_if_nobody_reads_the_tables(tmp_path: Path) -> None:
    keep(tmp_path / "results/local", finished("branches", 0))
    command = [sys.executable, "-m", "mtbench", "report", "--data-root", str(tmp_path / "data")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.close()  # as `head` does when it has seen enough
    process.wait(timeout=300)
    assert {path.suffix for path in (tmp_path / "reports/local/mmnist2").iterdir()} == {
        ".csv",
        ".html",
        ".md",
        ".pdf",
        ".png",
        ".tex",
    }


def test_only_the_datasets_that_were_asked_for_are_reported(tmp_path: Path) -> None:
    for dataset in ("mmnist2", "mmnist3", "mmnist4"):
        keep(tmp_path / "runs", finished("branches", dataset=dataset))
    words = ["--results", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--data-root", str(tmp_path / "data")]
    call(*words, "--dataset", "mmnist2,mmnist4")
    assert sorted(file.name for file in (tmp_path / "out").glob("*-runs.csv")) == [
        "mmnist2-runs.csv",
        "mmnist4-runs.csv",
    ]
    with pytest.raises(UsageError, match=r"no runs of dataset 'mnist3' .* Did you mean 'mmnist3'\? Datasets there: mm"):
        call(*words, "--dataset", "mnist3")


def test_metrics_and_the_convention_of_the_gain_are_chosen_by_options(tmp_path: Path) -> None:
    for run in (indoor("single", 0, INDOOR_SINGLE), indoor("branches", 0, INDOOR_UNIFORM)):
        keep(tmp_path / "runs", run)
    words = ["--results", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--data-root", str(tmp_path / "data")]
    shown = call(*words, "--metrics", "miou", "--delta", "metric", "--delta-sign", "drop", "--delta-base", "mean")
    assert "Δm: drop from single in %, mean over all metrics." in shown
    table = (tmp_path / "out/mmnist2-paper-table.md").read_text()
    assert "| method | segmentation | Δm ↓ | Δm task ↓ | Δm main ↓ |" in table
    assert "| branches† | 39.29 | +5.59 | -0.88 | -2.90 |" in table
    with pytest.raises(UsageError, match=r"the metric 'mIoU'\. Did you mean 'miou'\? Metrics here: absolute-error, "):
        call(*words, "--metrics", "mIoU")
    with pytest.raises(UsageError, match=r"--delta-sign is 'loss'\. Allowed: gain, drop\."):
        call(*words, "--delta-sign", "loss")


def test_the_convention_of_published_code_is_chosen_by_name_and_stands_in_the_names_of_files(tmp_path: Path) -> None:
    rows = {epoch: better(epoch) for epoch in range(1, 11)}
    for method, percent in (("single", 0), ("branches", 2)):
        changed = {epoch: better(percent, row) for epoch, row in rows.items()}
        keep(tmp_path / "runs", along(method, 0, changed, batched={(5, False): changed, (4, True): changed}))
    words = ["--results", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--data-root", str(tmp_path / "data")]
    shown = call(*words, "--convention", "own-start")
    assert shown.startswith("toy-surfaces, protocol paper, convention own-start\n")
    assert "¶: the epoch was chosen on the test split." in " ".join(shown.split())
    table = (tmp_path / "out/toy-surfaces-paper-own-start-table.md").read_text()
    assert "| branches†‖¶ |" in table
    assert not (tmp_path / "out/toy-surfaces-paper-table.md").exists()
    ranked = call(*words, "--convention", "last-ten", "--rank", "--delta", "metric")
    assert "1.00" in ranked
    assert "rank ↓" in ranked
    with pytest.raises(UsageError, match=r"'last-tne'\. Did you mean 'last-ten'\? Conventions here: last-ten, own-"):
        call(*words, "--convention", "last-tne")
    with pytest.raises(UsageError, match=r"--delta is 'main', and convention 'own-start' takes 'task'\."):
        call(*words, "--convention", "own-start", "--delta", "main")
    with pytest.raises(UsageError, match=r"--delta-base is 'own-start'\. Allowed: seed, mean\."):
        call(*words, "--delta-base", "own-start")
    with pytest.raises(UsageError, match=r"none of the runs there belongs to suite 'matched'"):
        call(*words, "--convention", "own-start", "--suite", "matched")


def test_several_folders_are_one_report(tmp_path: Path) -> None:
    for seed in (0, 1):
        keep(tmp_path / f"results-{seed}", finished("branches", seed))
    both = [str(tmp_path / f"results-{seed}") for seed in (0, 1)]
    call(*both, "--out", str(tmp_path / "both"))
    keep(tmp_path / "results-0", finished("branches", 1))
    call(both[0], "--out", str(tmp_path / "one"))
    for name in ("mmnist2-paper-table.csv", "mmnist2-runs.csv"):
        assert (tmp_path / "both" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


@pytest.mark.parametrize("there", [True, False])
def test_an_empty_or_absent_folder_is_named_with_the_command_that_fills_it(tmp_path: Path, there: bool) -> None:
    results = tmp_path / "runs"
    if there:
        results.mkdir()
    with pytest.raises(UsageError, match=rf"there are no runs in {results}\. Train some: mtbench run --methods "):
        call("--results", str(results))


def test_the_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, mtbench.cli.results.report\n"
        "print([name for name in ('torch', 'pandas', 'matplotlib', 'scipy', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "[]\n"


def test_files_that_cannot_be_read_cost_a_line_each_and_not_the_report(tmp_path: Path) -> None:
    results, out = tmp_path / "runs", tmp_path / "out"
    runs = [finished(method, seed) for method in ("branches", "td") for seed in (0, 1)]
    trial = finished("td", 1000)
    for run in (*runs, trial):
        keep(results, run)
    (results / runs[0].spec.folder / "spec.json").write_text("{")
    (results / runs[1].spec.folder / "record.json").unlink()
    (results / runs[1].spec.folder / "spec.json").write_text("[" * 100_000)
    spec = results / runs[2].spec.folder / "spec.json"
    spec.write_text(spec.read_text().replace('"dataset": "mmnist2"', '"dataset": ".."'))
    search = results / "searches" / "mmnist2" / "td-1" / "search.json"
    search.parent.mkdir(parents=True)
    search.write_text('{"study": {"format": Infinity}, "sha256": ""}')
    (search.parent / "journal.log").write_text(json.dumps({"runs": {trial.spec.folder: [1, 2.0]}}) + "\n")
    shown = call(str(results), "--out", str(out), "--data-root", str(tmp_path / "data"))
    lines = " ".join(shown.split()).replace(f"{results}/", "")
    assert f"{runs[0].spec.folder}/spec.json is not the spec of a run" in lines
    assert f"{runs[1].spec.folder}/spec.json is not read: its lists and objects are nested more than 50" in lines
    assert f"{runs[2].spec.folder}/spec.json calls the run '.., td, paper'. It is 'mmnist2, td, paper'." in lines
    assert "the study searches/mmnist2/td-1/search.json is damaged" in lines
    frame = pd.read_csv(out / "mmnist2-runs.csv")
    assert frame.groupby("method").seed.unique().map(sorted).to_dict() == {"branches": [0], "td": [0, 1]}
    assert {path.name for path in tmp_path.iterdir()} <= {"runs", "out", "data"}


def test_a_frame_of_results_that_cannot_all_be_read_comes_with_a_warning(tmp_path: Path) -> None:
    keep(tmp_path, finished("branches", 0))
    (tmp_path / "mmnist9").symlink_to(tmp_path / "nowhere")
    with pytest.warns(UserWarning, match=r"mmnist9 is a link to .*nowhere, which is not there"):
        frame = mtbench.load(tmp_path, data_root=tmp_path / "data")
    assert set(frame.method) == {"branches"}


def test_tables_for_papers_are_made_by_options(tmp_path: Path) -> None:
    for method in ("branches", "single"):
        keep(tmp_path / "runs", finished(method, 0))
    words = ["--results", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--data-root", str(tmp_path / "data")]
    shown = call(*words, "--style", "paper", "--columns", "mean,rank", "--digits", "1", "--sort", "mean", "--wide")
    assert "method        mean  rank ↓\nBranches     85.0†   1.00†\nSingle-task  85.0†       –\n" in shown  # noqa: RUF001
    table = (tmp_path / "out/mmnist2-paper-table.tex").read_text()
    assert table.count(r"\begin{table*}") == table.count(r"\begin{tabular}") == 1
    assert r"\input" not in table
    assert (tmp_path / "out/mmnist2-paper-details.tex").is_file()
    assert (tmp_path / "out/references.bib").is_file()
    with pytest.raises(UsageError, match=r"--sort is for --style paper\. Add --style paper"):
        call(*words, "--sort", "mean")
