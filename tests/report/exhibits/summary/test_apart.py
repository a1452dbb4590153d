"""Rows that a preset trains otherwise than the rows beside them: one table, and a sentence."""

from dataclasses import replace

from mtbench.plan.grid import Request, plan
from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.store.record import SELECTED, Measurement
from mtbench.store.status import RunStatus
from tests.report.records import answering

METHODS = ["single", "uniform", "branches+famo", "branches+famo:preset=paper"]


def runs(**settings: str) -> list[RunStatus]:
    request = Request(methods=METHODS, datasets=["mmnist2"], settings=settings, seeds=[0, 1])
    return [
        answering(spec, (90 + spec.seed + 2 * ("preset" in spec.titles.method), 80 + spec.seed))
        for spec in plan(request)
    ]


def test_a_row_with_a_preset_stands_beside_the_others_with_its_own_numbers() -> None:
    (comparison,) = compare(runs())
    assert [method.title for method in comparison.methods] == sorted(METHODS)
    assert comparison.protocol.clip == 0
    scores = {method.title: method.tested(comparison.tasks, [0, 1])[:, 0].tolist() for method in comparison.methods}
    assert scores["branches+famo"] == [90, 91]
    assert scores["branches+famo:preset=paper"] == [92, 93]


def test_a_footnote_says_what_differs_and_the_details_what_is_common() -> None:
    (comparison,) = compare(runs())
    page = page_of(build_table(comparison))
    said = [note for note in page.footnotes if "authors" in note]
    assert said == [
        "branches+famo:preset=paper is trained with its authors' settings: clip=shared:1 (all other rows: 0)."
    ]
    assert not any("clipped" in sentence for sentence in page.details)


def test_without_a_preset_no_row_differs_and_nothing_is_said() -> None:
    (comparison,) = compare(run for run in runs() if not run.spec.titles.apart)
    assert [method.apart for method in comparison.methods] == [{}] * 3
    assert not any("authors" in note for note in page_of(build_table(comparison)).footnotes)


def test_runs_of_another_clip_for_all_stand_in_a_table_of_their_own() -> None:
    """Only what a preset changes is neutral: rows of one table never differ in silence."""
    plain = [run for run in runs() if not run.spec.titles.apart]
    clipped = [run for run in runs(clip="2") if not run.spec.titles.apart]
    first, second = compare([*plain, *clipped])
    assert {first.protocol.clip, second.protocol.clip} == {0, 2}


def test_a_run_that_lacks_the_note_of_its_preset_is_of_its_own_protocol() -> None:
    """A record that was made by --set clip=1 is the same: its settings count, and not its name."""
    changed = [replace(run, spec=replace(run.spec, titles=replace(run.spec.titles, apart={}))) for run in runs()]
    assert len(compare(changed)) == 2


def test_a_row_whose_tasks_have_epochs_of_their_own_says_so() -> None:
    """Single-task networks are selected as runs of their own would be, and all other rows by all tasks together."""
    found = []
    for run in runs():
        assert run.record is not None
        if run.spec.titles.method == "single":
            epochs = {SELECTED + task.name: Measurement(value=epoch) for epoch, task in enumerate(run.record.tasks, 3)}
            run = replace(run, record=replace(run.record, measurements=epochs))
        found.append(run)
    (comparison,) = compare(found)
    said = [note for note in page_of(build_table(comparison)).footnotes if "epoch" in note]
    assert said == ["single: the epoch is chosen per task, as its networks share no parameters."]
