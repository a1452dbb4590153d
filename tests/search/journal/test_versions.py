"""Searches that are resumed under another version of Optuna."""

import dataclasses
from importlib.metadata import version
from pathlib import Path

import pytest

from mtbench.errors import UsageError
from mtbench.report.data.studies import unfinished
from mtbench.search.journal.versions import check_versions, unlike_versions
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.request import SearchRequest
from mtbench.search.rounds import run_search
from mtbench.store.study import FILE, Study, read_study, write_study
from tests.search.worlds import World

NOW = version("optuna")


def planned(trials: int, sampler: str = "tpe") -> list[StudyPlan]:
    return plan_search(
        SearchRequest(
            datasets=["toy-all"],
            methods=["uniform"],
            trials=trials,
            protocol="quick",
            backbone="mlp:width=2:depth=1",
            sampler=sampler,
            retrain=0,
        )
    )


def searched(world: World, trials: int, sampler: str = "tpe") -> Study:
    (study,) = run_search(planned(trials, sampler), results=world.results, perform=world)
    return study


def under(world: World, name: str) -> Path:
    """Make the journal and the study of a search those of another version of Optuna; empty for an early mtbench."""
    (log,) = world.results.rglob("journal.log")
    stored = f'"optuna":"{NOW}"'
    assert stored in log.read_text()
    log.write_text(log.read_text().replace(stored, f'"optuna":"{name}"' if name else '"other":1'))
    write_study(log.parent, dataclasses.replace(read_study(log.parent / FILE), optuna=(name,) if name else ()))
    return log.parent


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_a_study_has_the_version_that_proposed_its_trials(world: World, sampler: str) -> None:
    assert searched(world, 6, sampler).optuna == (NOW,)
    assert list(unlike_versions(planned(12, sampler), world.results)) == []


def test_a_study_by_a_fixed_sequence_of_points_has_none(world: World) -> None:
    assert searched(world, 6, "qmc").optuna == ()


@pytest.mark.parametrize("name", ["4.9.0", ""])
def test_another_version_is_named_before_it_goes_on_or_refused_and_in_reports_after(world: World, name: str) -> None:
    searched(world, 6)
    under(world, name)
    assert list(unlike_versions(planned(6), world.results)) == []  # nothing is proposed
    (said,) = unlike_versions(planned(12), world.results)
    known = f"Optuna {name}" if name else "Optuna an unknown version"
    assert f"so far were proposed by {known}. Optuna {NOW} proposes the next ones" in said
    with pytest.raises(UsageError, match="leave --strict out"):
        check_versions(planned(12), world.results)
    study = searched(world, 12)
    assert study.optuna == (name, NOW)
    assert f"Trials were proposed by {known} and {NOW}, which may" in " ".join(unfinished(study))


@pytest.mark.parametrize("lost", ["study", "last trials of the study", "damaged"])
def test_another_version_is_named_whatever_the_file_of_the_study_has_lost_when_a_process_was_killed(
    world: World, lost: str
) -> None:
    searched(world, 6)
    folder = under(world, "4.9.0")
    study = read_study(folder / FILE)
    if lost == "study":
        (folder / FILE).unlink()
    elif lost == "damaged":
        (folder / FILE).write_text("{}")
    else:
        write_study(folder, dataclasses.replace(study, trials=study.trials[:1], optuna=()))
    assert list(unlike_versions(planned(6), world.results)) == []
    (said,) = unlike_versions(planned(12), world.results)
    assert "proposed by Optuna 4.9.0. Optuna" in said
    with pytest.raises(UsageError, match=r"Optuna 4\.9\.0"):
        check_versions(planned(12), world.results)


def test_trials_of_which_no_journal_is_left_are_proposed_anew_by_this_version(world: World) -> None:
    whole = searched(world, 6)
    (under(world, "4.9.0") / "journal.log").unlink()
    assert list(unlike_versions(planned(12), world.results)) == []
    assert searched(world, 6) == whole


def test_a_study_of_an_early_version_is_written_as_it_was(world: World) -> None:
    searched(world, 6)
    folder = under(world, "")
    before = (folder / FILE).read_bytes()
    searched(world, 6)
    assert (folder / FILE).read_bytes() == before
    assert b"optuna" not in before
