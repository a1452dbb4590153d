from dataclasses import replace

import pytest

from mtbench.report.assemble import make_report
from mtbench.report.data.comparison import compare
from mtbench.report.data.cost.spent import searches_of, spent, training_macs
from mtbench.report.data.studies import StudyRuns, find_studies, in_tables
from mtbench.report.page.layout import Page
from mtbench.report.page.words import DASH
from mtbench.store.record import TRAINING_MACS, Measurement, Record, StoredPredictions
from mtbench.store.status import RunStatus
from mtbench.store.study import Spent
from tests.report.records import finished, unfinished
from tests.report.searches import RESULTS, Tried, placed, rated, weighted

HEADER = ("method", "runs", "epochs", "labels", "MACs", "hours", "memory")


def costing(
    run: RunStatus, *, labels: int = 2_000_000, seconds: float = 1800.0, macs: float | None = 1e12
) -> RunStatus:
    """Return a run with a cost of its own."""
    record = run.record
    assert record is not None
    cost = replace(record.cost, label_uses=labels, wall_seconds=seconds)
    known = {} if macs is None else {TRAINING_MACS: Measurement(value=macs)}
    return replace(run, record=replace(record, cost=cost, measurements=known))


def tried(found: StudyRuns, seconds: float) -> tuple[StudyRuns, list[RunStatus]]:
    """Return a study with a run of each of its trials, all of so many seconds."""
    protocol = replace(found.study.protocol, validation=True)
    runs = [
        placed(costing(finished("td", 1000 + number, protocol=protocol, title="tried"), seconds=seconds))
        for number in range(len(found.study.trials))
    ]
    trials = [
        replace(trial, runs=(run.folder.relative_to(RESULTS).as_posix(),))
        for trial, run in zip(found.study.trials, runs, strict=True)
    ]
    again = [run for each in found.again.values() for run in each]
    (whole,) = find_studies([replace(found.study, trials=tuple(trials))], [*again, *runs])
    return whole, runs


def ledger(runs: list[RunStatus], studies: tuple[StudyRuns, ...] = (), ending: str = "-ledger") -> Page:
    pages = {name: page for piece in make_report(runs, studies).shown for name, page in piece.pages.items()}
    (page,) = [page for name, page in pages.items() if name.endswith(ending)]
    return page


def says(page: Page) -> list[list[str]]:
    return [[cell.says for cell in line] for line in page.layout.lines]


def test_a_row_takes_what_all_its_runs_take() -> None:
    runs = [costing(finished("td", seed, memory=4_000_000 * (seed + 1)), seconds=1800) for seed in range(3)]
    page = ledger([*runs, unfinished("failed", "film"), costing(finished("moo", memory=7_000_000), seconds=360)])
    assert page.layout.header == HEADER
    assert says(page) == [
        ["moo", "1", "100", "2.0M", "1.0T", "0.100", "7 MB"],
        ["td", "3", "300", "6.0M", "3.0T", "1.50", "12 MB"],
        ["all rows", "4", "400", "8.0M", "4.0T", "1.60", "12 MB"],
    ]
    assert page.methods == ("moo", "td", "")
    assert page.footnotes == ()


def test_one_row_needs_no_sum_and_no_run_no_ledger() -> None:
    assert [line[0] for line in says(ledger([costing(finished("td"))]))] == ["td"]
    assert all("ledger" not in name for piece in make_report([unfinished("failed")]).shown for name in piece.pages)


def test_a_tuned_row_takes_all_trials_and_what_was_retrained() -> None:
    tests = [(80.0, 70.0), (81.0, 71.0)]
    found, runs = rated(
        "td",
        (
            Tried(asked="0.001", worth=(80, 70), tested=tests),
            Tried(asked="0.003", worth=(90, 80), front=True, tested=tests),
        ),
    )
    again = [costing(run, seconds=3600) for run in runs]
    whole, trials = tried(find_studies([found.study], again)[0], seconds=7200)
    shown, _ = in_tables([*again, *trials], [whole])
    page = ledger(shown, (whole,), "-tuned-ledger")
    # Two trials of two hours, and two seeds of an hour with the chosen setting; the default's are no part of it.
    assert page.layout.header == ("method", "trials", *HEADER[1:])
    assert says(page) == [["td", "2", "4", "400", "8.0M", "4.0T", "6.00", "300 MB"]]
    assert page.title == "mmnist2, protocol paper: resources spent on tuned settings"


def test_without_records_of_trials_the_sums_of_the_search_are_taken() -> None:
    found, runs = rated("td", (Tried(asked="0.001", worth=(80, 70), front=True, tested=[(80, 70)]),))
    study = replace(found.study, spent=Spent(trials=1, runs=1, epochs=100, seconds=7200))
    (found,) = find_studies([study], [costing(run, seconds=3600) for run in runs])
    page = ledger(in_tables(runs, [found])[0], (found,), "-tuned-ledger")
    assert says(page) == [["td", "1", "2", "200", DASH, DASH, "3.00", DASH]]
    assert page.footnotes == ("Labels, MACs and memory are not known where records of trials are lacking.",)


def test_weights_that_a_search_chose_have_its_trials_and_the_sum_has_them_once() -> None:
    found, runs = weighted(
        [
            Tried(asked="0.5/0.5", worth=(70, 70), tested=[(70, 70)]),
            Tried(asked="0.2/0.8", worth=(60, 80), front=True, tested=[(60, 80)]),
            Tried(asked="0.8/0.2", worth=(80, 60), front=True, tested=[(80, 60)]),
        ]
    )
    again = [costing(run, seconds=3600) for run in runs]
    whole, trials = tried(find_studies([found.study], again)[0], seconds=3600)
    shown, _ = in_tables([*again, *trials], [whole])
    (comparison,) = compare(shown)
    assert [len(searches_of(method, [whole])) for method in comparison.methods] == [1, 0, 1]
    lines = says(ledger(shown, (whole,)))
    assert [line[1:4] for line in lines] == [
        ["3", "4", "400"],
        [DASH, "1", "100"],
        ["3", "4", "400"],
        ["3", "6", "600"],
    ]
    assert lines[-1][6] == "6.00"


def recorded(method: str, *, labels: int, passes: int, several: bool = True) -> Record:
    """Return a record of before operations were measured: of two tasks, 60,000 examples and two operations per task."""
    run = finished(method, label_uses=labels, macs=4)
    assert run.record is not None
    shape = (7 if several else 14,)
    test = {task: replace(result, count=7) for task, result in run.record.results["test"].items()}
    return replace(
        run.record,
        cost=replace(run.record.cost, forward_passes=passes),
        predictions={task: StoredPredictions(dtype="uint8", shape=shape) for task in test},
        results={"test": test},
    )


VISITS = 60_000 * 100


@pytest.mark.parametrize(
    ("record", "macs"),
    [
        (recorded("uniform", labels=2 * VISITS, passes=VISITS), 4 * VISITS),
        (recorded("single", labels=2 * VISITS, passes=2 * VISITS), 4 * VISITS),
        (recorded("td", labels=VISITS, passes=VISITS), 2 * VISITS),
        (recorded("td", labels=VISITS, passes=VISITS, several=False), None),  # all tasks may have been answered
        (recorded("branches+famo", labels=2 * VISITS, passes=2 * VISITS), None),
    ],
)
def test_earlier_records_tell_their_operations_where_they_can_mean_only_one(record: Record, macs: float | None) -> None:
    assert training_macs(record) == macs


def test_operations_that_are_not_known_are_said_to_be() -> None:
    page = ledger([costing(finished("td"), macs=None), costing(finished("moo"))])
    assert [line[4] for line in says(page)] == ["1.0T", DASH, DASH]
    assert page.footnotes[0].startswith("MACs are not known of runs that were made before they were measured")


def test_nothing_is_spent_before_a_run_has_finished() -> None:
    assert spent([]) is None
