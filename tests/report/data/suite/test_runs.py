import dataclasses
import math
from collections.abc import Sequence
from functools import cache

import pytest

from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import Grid, PaperTable, Suite
from mtbench.plan.suite.planned import plan_suite
from mtbench.report.data.suite.runs import Sheet, SuiteRuns, suite_runs
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.ledger.exhibit import Ledger
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of, with_suite
from mtbench.report.page.layout import Page
from mtbench.store.status import RunStatus
from tests.builders.resolutions import TAKEN
from tests.report.records import answering, unfinished

RATES = Suite(
    name="rates",
    title="Two learning rates",
    source="Somebody (2020), Table 7",
    note="Not as in the paper.",
    settings={"seeds": 2},
    grid=(Grid(datasets=("mmnist2",), methods=("uniform", "single"), vary={"lr": (1e-3, 3e-3)}),),
    labels={"single": "Single task"},
)
STAGED = dataclasses.replace(TAKEN, suite="staged", size="paper", variation=())


def asked(method: str, dataset: str = "mmnist2", *, protocol: str = "paper", seed: int = 0, **settings: str) -> RunSpec:
    request = Request(methods=[method], datasets=[dataset], protocol=protocol, settings=settings, seeds=[seed])
    (spec,) = plan(request)
    return spec


def scored(specs: Sequence[RunSpec], first: float = 90.0) -> list[RunStatus]:
    return [answering(spec, (first + spec.seed, first - 10)) for spec in specs]


def one(suite: Suite, runs: Sequence[RunStatus]) -> SuiteRuns:
    (found,) = suite_runs(suite, runs)
    return found


@cache
def complete() -> SuiteRuns:
    return one(RATES, scored(plan_suite(RATES))[::-1])


def page_of_sheet(runs: SuiteRuns, sheet: Sheet) -> Page:
    """Return the summary table of a sheet."""
    return with_suite(page_of(build_table(sheet.comparison)), runs, sheet)


def test_runs_are_sorted_into_a_sheet_for_each_variation_in_the_order_and_under_the_labels_of_the_suite() -> None:
    found = complete()
    assert [(sheet.dataset, dict(sheet.variation)) for sheet in found.sheets] == [
        ("mmnist2", {"lr": "0.001"}),
        ("mmnist2", {"lr": "0.003"}),
    ]
    for sheet in found.sheets:
        assert sheet.methods == ("uniform", "single")
        assert [method.title for method in sheet.comparison.methods] == ["uniform", "Single task"]
        assert [len(method.runs) for method in sheet.comparison.methods] == [2, 2]
        assert list(sheet.scores("LU")["single"]) == [90, 91]
        assert sheet.planned == 2
    assert found.absent == ()


def test_each_size_is_a_result_of_its_own() -> None:
    runs = scored(
        [
            *plan_suite(RATES),
            *plan_suite(RATES, base="quick"),
            *plan_suite(RATES, base="quick", settings={"epochs": "2"}),
        ]
    )
    found = suite_runs(RATES, runs)
    assert [(each.base, each.size, each.quick) for each in found] == [
        ("paper", "paper", False),
        ("quick", "quick", True),
        ("quick", "quick, epochs=2", True),
    ]
    assert [each.slug for each in found] == ["rates-paper", "rates-quick", "rates-quick-epochs-2"]
    # The suite asks for 2 seeds at the size of the paper; how many a preview has is for the dataset to say.
    assert [each.sheets[0].planned for each in found] == [2, 3, 3]


def test_a_run_that_differs_in_more_than_its_size_does_not_belong() -> None:
    strangers = [
        asked("uniform", lr="0.002"),
        asked("uniform", "mmnist3", lr="0.001"),
        asked("td", lr="0.001"),
        asked("uniform", lr="0.001", gradient_scale="sum"),
    ]
    assert suite_runs(RATES, scored(strangers)) == []
    found = one(RATES, scored([*strangers, asked("uniform", lr="0.003")]))
    assert [len(method.runs) for sheet in found.sheets for method in sheet.comparison.methods] == [1]


def test_what_the_commands_called_their_protocol_does_not_matter() -> None:
    first, second = asked("uniform", lr="0.003"), asked("single", lr="0.003")
    titles = dataclasses.replace(second.titles, protocol="my own")
    found = one(RATES, scored([first, dataclasses.replace(second, titles=titles)]))
    assert [sheet.methods for sheet in found.sheets] == [("uniform", "single")]


def test_places_that_no_run_is_in_are_told_by_dataset_and_variation() -> None:
    found = one(RATES, scored([asked("single", lr="0.003")]))
    assert found.absent == ("uniform and single on mmnist2, lr=0.001", "uniform on mmnist2, lr=0.003")


def test_a_run_that_failed_is_in_its_place_without_a_number() -> None:
    spec = asked("single", lr="0.003")
    failed = dataclasses.replace(unfinished("failed", why="out of memory"), spec=spec)
    found = one(RATES, [*scored([asked("uniform", lr="0.003")]), failed])
    assert math.isnan(found.sheets[0].scores("mean")["single"][0])
    assert found.absent == ("uniform and single on mmnist2, lr=0.001",)
    assert page_of_sheet(found, found.sheets[0]).footnotes[-1] == "Single task: 1 failed (seed 0: out of memory)."


def test_a_method_is_known_however_its_options_are_written() -> None:
    suite = Suite(
        name="own", title="", grid=(Grid(datasets=("mmnist2",), methods=("td:gate=tanh:channels=6", "td+uniform")),)
    )
    found = one(suite, scored([asked("td:channels=6:gate=tanh"), asked("td")]))
    assert found.sheets[0].methods == ("td:gate=tanh:channels=6", "td+uniform")
    runs = found.sheets[0].runs("td:gate=tanh:channels=6")
    assert runs is not None
    assert runs.title == "td:gate=tanh:channels=6"
    assert runs.runs[0].spec.titles.method != runs.title
    assert found.sheets[0].runs("td:channels=6:gate=tanh") is None


def test_what_names_no_variation_is_about_the_first_of_the_grid_whether_it_has_been_run_or_not() -> None:
    table = PaperTable(dataset="mmnist2", columns=("mean",), rows={"single": (90.0,)})
    suite = dataclasses.replace(RATES, paper=(table,))
    found = one(suite, scored([asked("single", lr="0.003")]))
    assert found.sheet("mmnist2", {}) is None
    assert found.sheet("mmnist2", {"lr": 3e-3}) is found.sheets[0]
    assert found.sheet("mmnist3", {}) is None
    assert found.sheets[0].paper is None
    whole = one(suite, scored(plan_suite(suite)))
    assert whole.sheet("mmnist2", {}) is whole.sheets[0]
    assert [sheet.paper for sheet in whole.sheets] == [table, None]


def test_what_names_no_variation_is_about_the_part_of_the_grid_that_has_none() -> None:
    part = Grid(datasets=("mmnist2",), methods=("uniform",))
    found = one(dataclasses.replace(RATES, grid=(*RATES.grid, part)), scored([asked("uniform", lr="0.003")]))
    assert found.sheet("mmnist2", {}) is None


def test_seeds_are_planned_by_the_part_of_the_grid_then_the_suite_then_the_dataset() -> None:
    many = Grid(datasets=("mmnist3",), methods=("uniform",), set={"seeds": 7})
    found = one(dataclasses.replace(RATES, grid=(*RATES.grid, many)), scored(plan_suite(RATES)))
    assert (found.planned("mmnist2", {}), found.planned("mmnist3", {}), found.planned("mmnist4", {})) == (2, 7, 2)
    plain = one(dataclasses.replace(RATES, settings={}), scored([asked("uniform", lr="0.003")]))
    assert plain.planned("mmnist2", {}) == 5


def test_sheets_of_one_dataset_have_names_of_their_own() -> None:
    found = complete()
    stems = [found.stem(sheet) for sheet in found.sheets]
    assert stems == ["rates-paper-mmnist2-lr-0.001", "rates-paper-mmnist2-lr-0.003"]
    assert [page_of_sheet(found, sheet).label for sheet in found.sheets] == stems


def test_a_sheet_says_what_suite_it_is_of_and_what_its_rows_are() -> None:
    found = complete()
    page = page_of_sheet(found, found.sheets[0])
    assert page.title == "rates: mmnist2, protocol paper, lr=0.001"
    assert page.details[:2] == ("Suite rates: Two learning rates.", "After Somebody (2020), Table 7.")
    assert page.footnotes == ("Rows: Single task is single.", "Not as in the paper.")


@pytest.mark.parametrize("column", ["LL", "delta_m"])
def test_a_column_that_a_sheet_does_not_have_has_no_scores(column: str) -> None:
    assert complete().sheets[0].scores(column) == {}


def test_rows_that_took_equal_weights_show_the_same_runs_at_the_size_of_the_weights_alone() -> None:
    names = ("branches+fixed:from=dwa", "branches+fixed:from=uniform")
    suite = Suite(
        name="staged",
        title="Two stages",
        settings={"seeds": 2},
        grid=(Grid(datasets=("mmnist2",), methods=(names[0], "uniform", "branches+dwa", names[1])),),
        labels={names[0]: "as dwa"},
    )
    taken = [
        dataclasses.replace(STAGED, method=name, first=name.partition("=")[2], weights=(0.5, 0.5)) for name in names
    ]
    runs = scored(plan_suite(suite, resolutions=taken))
    assert len(runs) == 6
    quick = scored([asked("branches+fixed:weights=0.5/0.5", protocol="quick")])
    (found,) = suite_runs(suite, [*runs, *quick], resolutions=taken)
    (sheet,) = found.sheets
    assert sheet.methods == suite.grid[0].methods
    assert [method.title for method in sheet.comparison.methods] == ["as dwa", *suite.grid[0].methods[1:]]
    assert sheet.comparison.methods[0].runs == sheet.comparison.methods[3].runs
    assert dict(sheet.weights) == dict(zip(names, taken, strict=True))
    notes = page_of_sheet(found, sheet).footnotes
    assert "as dwa has the mean task weights of dwa: LU 0.5, RL 0.5, over its 2 runs (a1, b2), sealed on ." in notes
    (before,) = suite_runs(suite, runs)
    assert before.absent == (
        "branches+fixed:from=dwa (waits for all runs of branches+dwa) and branches+fixed:from=uniform (waits for all "
        "runs of branches+uniform) on mmnist2",
    )


def test_the_ledger_of_a_row_that_takes_weights_says_whose_runs_it_lacks() -> None:
    name = "branches+fixed:from=uniform"
    suite = Suite(
        name="staged",
        title="Two stages",
        settings={"seeds": 1},
        grid=(Grid(datasets=("mmnist2",), methods=(name, "uniform")),),
        labels={name: "as uniform"},
    )
    taken = dataclasses.replace(STAGED, method=name, first="uniform", seeds=(0,))
    (found,) = suite_runs(suite, scored(plan_suite(suite, resolutions=[taken])), resolutions=[taken])
    (shown,) = Ledger().show(Results.of_suite(found))
    (page,) = shown.pages.values()
    assert (
        page.details[-1] == "as uniform takes its weights from the runs of uniform, which are not counted in its line."
    )
