"""Published numbers of pairs of tasks beside ours, and distances of modulation vectors, from records made by hand."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Grid, Relation, Suite
from mtbench.report.assemble import assemble
from mtbench.report.data.choices import Choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.pairs.distances import MOST, distances_page
from mtbench.report.exhibits.pairs.exhibit import Distances
from mtbench.report.exhibits.pairs.published import relation_pages
from mtbench.report.page.layout import Page
from mtbench.store.record import DISTANCE, Measurement
from mtbench.store.record.diagnosis import Conflict
from mtbench.store.status import RunStatus
from tests.report.records import finished
from tests.report.shown import shown_beside
from tests.report.suite_runs import filled

DASH = "\N{EN DASH}"
PAIR = "LU/RL"
COMPLIANCE = Relation(
    dataset="mmnist2", quantity="compliance", pairs=(PAIR,), rows={"uniform": (48.5,), "chmod": ((51.5, 52.5),)}
)
APART = Relation(dataset="mmnist2", quantity="distance", pairs=("RL/LU",), rows={"chmod": (0.18,)}, source="Section 3")
SUITE = Suite(
    name="related",
    title="",
    source="Somebody (2020), Table 4",
    grid=(Grid(datasets=("mmnist2",), methods=("uniform", "chmod", "single")),),
    relation=(COMPLIANCE, APART),
    labels={"uniform": "shared"},
)
RATIOS = {"uniform": 40.0, "chmod": 60.0}


def measured(run: RunStatus, distances: Mapping[str, float], ratio: float | None = None) -> RunStatus:
    """Return a run with distances of pairs, and a ratio of LU and RL in its second epoch, from 10 more in its first."""
    record = run.record
    assert record is not None
    curve = record.curve
    if ratio is not None:
        points = [
            Conflict(
                batches=((9, 9), (9, 9)),
                ucr=((90.0, ratio + more), (ratio + more, 70.0)),
                cosine=((0.5, 0.1), (0.1, 0.5)),
            )
            for more in (10, 0)
        ]
        curve = tuple(
            replace(point, conflict=conflict)
            for point, conflict in zip(curve[:3], [*points, None], strict=True)  # the last point has none
        )
    found = {f"{DISTANCE}{pair}": Measurement(value=value) for pair, value in distances.items()}
    return replace(run, record=replace(record, curve=curve, measurements=found))


def related() -> SuiteRuns:
    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        made = finished(method, seed, dataset=dataset, protocol=protocol)
        ratio = RATIOS[method] + seed if method in RATIOS else None
        return measured(made, {PAIR: 0.25 + 0.01 * seed} if method == "chmod" else {}, ratio)

    runs = filled(SUITE, run)
    return replace(runs, sheets=tuple(replace(sheet, relations=SUITE.relation) for sheet in runs.sheets))


def cells(page: Page) -> dict[str, str]:
    """Return the only line, by head."""
    ((*line,),) = page.layout.lines
    return dict(zip(page.layout.header, (cell.says for cell in line), strict=True))


def test_ratios_of_the_last_epoch_that_has_them_stand_beside_the_papers_with_the_null() -> None:
    runs = related()
    compliance, _ = relation_pages(runs, runs.sheets[0])
    assert cells(compliance) == {
        "pair": PAIR,
        **{"shared paper": "48.50", "shared ours": "41.00 ± 1.00", "shared null": "80.00 ± 0.00"},
        **{"chmod paper": "51.50 / 52.50", "chmod ours": "61.00 ± 1.00", "chmod null": "80.00 ± 0.00"},
    }
    assert "Paper: Somebody (2020), Table 4;" in compliance.caption[0]
    assert "not compared" in " ".join(compliance.details)


def test_distances_stand_beside_the_papers_whatever_the_order_of_the_pair() -> None:
    runs = related()
    _, distance = relation_pages(runs, runs.sheets[0])
    assert cells(distance) == {"pair": "RL/LU", "chmod paper": "0.180", "chmod ours": "0.260 ± 0.010"}
    assert "Paper: Section 3;" in distance.caption[0]


def test_a_method_that_has_not_run_keeps_what_was_published_of_it() -> None:
    runs = related()
    (sheet,) = runs.sheets
    kept = [method for method in sheet.comparison.methods if method.title != "chmod"]
    fewer = replace(sheet, comparison=replace(sheet.comparison, methods=tuple(kept)), methods=("uniform", "single"))
    compliance, _ = relation_pages(runs, fewer)
    assert [cells(compliance)[f"chmod {what}"] for what in ("paper", "ours", "null")] == ["51.50 / 52.50", DASH, DASH]


def test_pages_of_pairs_stand_among_those_of_the_suite() -> None:
    labels = [page.label for page in assemble(Results.of_suite(related())).pages()]
    added = ["related-paper-mmnist2-compliance-paper", "related-paper-mmnist2-distance-paper"]
    start = labels.index(added[0])
    assert labels[start : start + 2] == added


def test_distances_stand_beside_any_table_the_nearest_first() -> None:
    tasks = {"LU": 90.0, "RL": 80.0, "LL": 70.0}
    apart = {"LU/RL": 0.3, "LU/LL": 0.1, "RL/LL": 0.2}
    runs = [measured(finished("chmod", seed, tasks), apart) for seed in range(2)]
    (comparison,) = compare([*runs, finished("td", 0, tasks)])
    page = shown_beside(Distances, comparison)["distances"]
    assert page.layout.header == ("pair of tasks", "chmod")  # td has none
    assert [[cell.says for cell in line] for line in page.layout.lines] == [
        [pair, f"{value:.3f} ± 0.000"] for pair, value in sorted(apart.items(), key=lambda item: item[1])
    ]
    assert not shown_beside(Distances, comparison, Choices(metrics=("accuracy",)))
    (without,) = compare([finished("td", 0, tasks)])
    assert distances_page(without) is None


@pytest.mark.parametrize(("count", "shown"), [(7, 21), (8, 2 * MOST)])
def test_of_many_pairs_those_at_the_ends_are_shown(count: int, shown: int) -> None:
    names = [f"t{number}" for number in range(count)]
    apart = {"/".join(pair): float(place) for place, pair in enumerate(combinations(names, 2))}
    (comparison,) = compare([measured(finished("chmod", 0, dict.fromkeys(names, 90.0)), apart)])
    page = distances_page(comparison)
    assert page is not None
    values = [float(line[1].says) for line in page.layout.lines]
    assert len(values) == shown
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0.0, len(apart) - 1)
    assert ("farthest of" in " ".join(page.caption)) == (shown < len(apart))
