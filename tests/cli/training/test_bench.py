"""``mtbench bench`` on toys, for hundredths of a second."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from mtbench.cli.app import app
from mtbench.errors import UsageError
from tests.cli.commands import call


def bench(*arguments: str, out: Path) -> Result:
    return call(app, "bench", "--seconds", "0.02", "--out", str(out), "--device", "cpu", *arguments)


def test_a_method_that_fails_is_named_and_the_others_are_measured(tmp_path: Path) -> None:
    result = bench("--methods", "uniform,toy-nan,td", "--dataset", "toy-all", "--jobs", "1,2", out=tmp_path)
    assert result.exit_code == 1, result.output
    assert "toy-nan failed: the loss of task 'lower' became nan" in " ".join(result.output.split())
    frame = pd.read_csv(tmp_path / "bench.csv")
    assert frame["method"].tolist() == ["uniform", "uniform", "toy-nan", "toy-nan", "td", "td"]
    known = frame[frame["method"] != "toy-nan"]
    assert (known["steps"] > 0).all()
    assert known["fraction_of_limit"].between(0, 1, inclusive="neither").all()
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["bench.csv", "bench.md", "bench.pdf", "bench.png", "bench.tex"]
    assert [line.strip() for line in result.output.splitlines()[-5:]] == [
        *("bench.tex", "bench.md", "bench.csv", "bench.pdf", "bench.png")
    ]


def test_where_the_files_are_missing_random_images_take_their_place(tmp_path: Path) -> None:
    arguments = ("--methods", "chmod", "--jobs", "1", "--set", "images=64", "--set", "batch=16")
    result = bench(*arguments, "--data-root", str(tmp_path / "data"), out=tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "The files of 'mmnist3' are missing: random images take their place." in result.output
    assert "on images of mmnist3, which are random here" in (tmp_path / "out" / "bench.md").read_text()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--methods", "unifrom"], "Did you mean 'uniform'"),
        (["--jobs", "0"], "--jobs is '0'. Allowed: numbers from 1 to 1,024"),
        (["--dataset", "mmnist33"], "dataset 'mmnist33' is not installed"),
        (["--set", "precision=tf32"], "which a cpu does not have"),
    ],
)
def test_what_a_person_got_wrong_is_told_before_anything_is_measured(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as error:
        bench(*arguments, out=tmp_path)
    assert said in str(error.value)
    assert not list(tmp_path.iterdir())
