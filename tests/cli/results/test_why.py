"""``mtbench why``: a number of a table and its runs, from a folder and from a pack."""

import json
import re
from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.store.record import CurvePoint, TaskResult
from tests.builders.kept import kept
from tests.builders.published import publish
from tests.builders.records import accuracies, record_of
from tests.cli.commands import call


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with runs in ``kept``: of single 75 and 77 % for seeds 0 and 1, of td 76 and 78 %."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    request = Request(methods=["single", "td"], datasets=["toy-all"], settings={}, seeds=[0, 1])
    for number, spec in enumerate(plan(request)):
        results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": 75.0 + number})}}
        curve = (CurvePoint(epoch=1, steps=6, label_uses=192, train_losses={"upper": 0.5}, results=results),)
        publish(tmp_path / "kept", record_of(spec, accuracies("upper"), results, curve=curve), [spec.seed])
    return tmp_path


def shown(*arguments: str) -> str:
    done = call(app, *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_it_prints_the_number_of_the_table_its_runs_and_their_command() -> None:
    said = shown("why", "toy-all", "td", "upper", "kept")
    assert "toy-all, paper: td, upper" in said
    assert "77.00 ± 1.41† %" in said
    assert re.search(
        r"\n +0 +[0-9a-f]{12} +stale +reported +1 +76 \n +1 +[0-9a-f]{12} +stale +reported +1 +78 \n", said
    )
    assert "Test accuracy in % of upper; mean ± standard deviation (divisor n - 1) over 2" in said
    assert "mtbench run --methods td --dataset toy-all --protocol paper --seeds 0,1" in said
    assert max(map(len, said.splitlines())) <= 80


def test_a_pack_and_its_folder_give_the_same_but_for_the_place_of_the_runs() -> None:
    shown("store", "pack", "kept", "x.zip")
    of = [json.loads(shown("why", "toy-all", "td", "delta-m", place, "--json")) for place in ("kept", "x.zip")]
    assert [run.pop("folder").partition("/")[0] for each in of for run in each["runs"]] == ["kept"] * 4 + ["x.zip"] * 4
    assert of[0] == of[1]
    assert [(run["method"], run["seed"]) for run in of[0]["runs"]] == [
        ("td", 0),
        ("td", 1),
        ("single", 0),
        ("single", 1),
    ]
    gains = [run["values"]["Δm"] for run in of[0]["runs"][:2]]
    assert gains == pytest.approx([100 / 75, 100 / 77])
    assert of[0]["value"] == pytest.approx(sum(gains) / 2)


def test_a_number_of_a_suite_has_the_names_of_its_file() -> None:
    packs = [str(pack) for pack in kept("2026-11-24-levi2020-table1-quick")]
    found = json.loads(shown("why", "mmnist2", "moo", "mean", *packs, "--suite", "levi2020-table1", "--json"))
    assert (found["table"], found["method"], found["preview"]) == ("mmnist2, quick", "moo", True)
    assert len(found["runs"]) == found["n"]


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"there is no column 'uper' in table 'toy-all, paper'\. Did you mean 'upper'"):
        call(app, "why", "toy-all", "td", "uper", "kept")
