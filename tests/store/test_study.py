"""Findings of a search are read as they were written, or refused in words."""

import dataclasses
import json
from pathlib import Path

import pytest

from mtbench.contract import Metric, TrainingProtocol
from mtbench.errors import DamagedRecord, NewerResults
from mtbench.plan.spec import Titles
from mtbench.store.record import TaskInfo
from mtbench.store.study import FILE, FORMAT, Spent, Study, Trial, read_studies, read_study, write_study

TITLES = Titles(dataset="toy", method="net", protocol="quick")
STUDY = Study(
    id="0123456789ab",
    dataset="toy",
    method="net+fixed",
    backbone="lenet",
    protocol=TrainingProtocol(name="quick"),
    titles=TITLES,
    space={"weights": "simplex:19"},
    sampler="tpe",
    objective="tasks",
    tasks=(
        TaskInfo(name="a", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)),
        TaskInfo(name="b", metrics=(Metric(name="rmse", unit="", higher_is_better=False),)),
    ),
    seed=0,
    tuning_seeds=(1000,),
    report_seeds=(0, 1),
    round=4,
    planned=8,
    trials=(
        Trial(
            number=0,
            state="done",
            asked={"weights": "0.5/0.5"},
            titles=TITLES,
            values={"a": 90.1, "b": 1e-17},
            front=True,
            runs=("toy/net/seed-1000-0",),
        ),
        Trial(number=1, state="failed", asked={"weights": "0.1/0.9"}, titles=TITLES, why="nan"),
    ),
    chosen=(0,),
    retrained={0: ("toy/net/seed-0-1", "toy/net/seed-1-2")},
    spent=Spent(trials=2, runs=1, epochs=4, seconds=1.5),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "searches" / "toy" / "net-0123456789ab"
    made.mkdir(parents=True)
    write_study(made, STUDY)
    return made


def test_a_study_is_read_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    assert read_study(folder / FILE) == STUDY
    assert read_studies(tmp_path) == [STUDY]


def test_trials_with_numbers_of_more_than_one_digit_are_read_as_they_were_written(folder: Path) -> None:
    study = dataclasses.replace(STUDY, retrained={number: (f"run-{number}",) for number in (0, 2, 10, 100)})
    write_study(folder, study)
    assert read_study(folder / FILE) == study


def test_where_there_is_no_search_there_are_no_studies(tmp_path: Path) -> None:
    assert read_studies(tmp_path / "nowhere") == []


def test_scores_are_of_each_task_or_their_mean() -> None:
    values = {"a": 1.0, "b": 4.0}
    assert STUDY.score(values) == (1.0, 4.0)
    assert STUDY.higher_is_better == (True, False)
    by_mean = dataclasses.replace(STUDY, objective="mean")
    assert by_mean.score(values) == (2.5,)
    assert by_mean.higher_is_better == (True,)
    assert STUDY.trial_runs == {"toy/net/seed-1000-0"}


def test_a_study_that_was_changed_is_refused(folder: Path) -> None:
    path = folder / FILE
    path.write_text(path.read_text().replace("90.1", "99.9"))
    with pytest.raises(DamagedRecord, match=r"the study .*search.json is damaged: its checksum is"):
        read_study(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"study": {"format": 1}, "sha256": ""}'])
def test_what_is_no_study_is_refused(folder: Path, text: str) -> None:
    (folder / FILE).write_text(text)
    with pytest.raises(DamagedRecord, match="Run the command that made it again"):
        read_study(folder / FILE)


def test_a_study_of_a_later_format_is_told(folder: Path) -> None:
    outer = json.loads((folder / FILE).read_text())
    outer["study"]["format"] = FORMAT + 1
    (folder / FILE).write_text(json.dumps(outer))
    with pytest.raises(NewerResults, match="this mtbench reads studies up to 2"):
        read_study(folder / FILE)
