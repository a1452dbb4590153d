"""Resources that claims hold equal."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Claim, Grid, SettingsClaim, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.exhibits.claims.page import claims_page
from mtbench.report.exhibits.claims.resources import resources_frame, resources_page, shown
from mtbench.store.record import TRAINING_MACS, Measurement
from mtbench.store.status import RunStatus
from tests.report.records import finished
from tests.report.suite_runs import filled

SCORES = {"td": (84.0, 84.6, 84.1), "uniform": (80.0, 81.0, 80.3)}
CLAIM = Claim(dataset="mmnist2", contrast=("td", "uniform"))
EVERYTHING = ("steps", "label-uses", "training-macs")


def runs(
    *claims: Claim | SettingsClaim,
    steps: int = 11_800,
    labels: int = 12_000_000,
    macs: float | None = 5e12,
    beta1: tuple[float, ...] = (),
) -> SuiteRuns:
    """Three runs of each method; those of td have used these resources, those of uniform 11,800 steps, 12,000,000
    labels and 5 T multiply-accumulates."""
    suite = Suite(
        name="held",
        title="",
        settings={"seeds": 3},
        grid=(Grid(datasets=("mmnist2",), methods=tuple(SCORES), vary={"beta1": beta1} if beta1 else {}),),
        labels={"uniform": "Uniform"},
        claim=claims,
    )

    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        status = finished(method, seed, (SCORES[method][seed],) * 2, dataset=dataset, protocol=protocol)
        record = status.record
        assert record is not None
        own = method == "td"
        cost = dataclasses.replace(
            record.cost, steps=steps if own else 11_800, label_uses=labels if own else 12_000_000
        )
        known = macs if own else 5e12
        measured = {} if known is None else {TRAINING_MACS: Measurement(value=known, unit="")}
        if known is None:  # one label for each pass, of no several labels: the record implies nothing
            cost = dataclasses.replace(cost, forward_passes=cost.label_uses)
        return dataclasses.replace(status, record=dataclasses.replace(record, cost=cost, measurements=measured))

    return filled(suite, run)


def judged(found: SuiteRuns) -> list[Judged]:
    return judge_claims(found, Path("nowhere"))


def held(*equal: str, **changed: Any) -> Judged:
    (found,) = judged(runs(dataclasses.replace(CLAIM, equal=equal), **changed))  # type: ignore[arg-type]
    return found


def test_a_claim_is_judged_where_both_sides_have_alike_what_it_holds_equal() -> None:
    found = held(*EVERYTHING)
    assert (found.refused, found.verdict.word, found.ours.n) == ("", "better", 3)


@pytest.mark.parametrize(
    ("resource", "changed", "said"),
    [
        ("steps", {"steps": 11_801}, "the steps, which the claim holds equal, are 11,801 of td and 11,800 of Uniform"),
        (
            "label-uses",
            {"labels": 6_000_000},
            "the label uses, which the claim holds equal, are 6,000,000 of td and 12,000,000 of Uniform",
        ),
        (
            "training-macs",
            {"macs": 4.8e12},
            "the training MACs, which the claim holds equal, are 4.8T of td and 5.0T of Uniform",
        ),
        ("training-macs", {"macs": None}, "the training MACs, which the claim holds equal, are not known of td"),
    ],
)
def test_a_claim_is_not_judged_where_they_differ_and_a_footnote_names_both_numbers(
    resource: str, changed: dict[str, Any], said: str
) -> None:
    found = held(resource, **changed)
    assert (found.refused, found.ours.n, found.verdict.word, found.holds) == (said, 0, "undecided", "open")
    whole = runs(dataclasses.replace(CLAIM, equal=(resource,)), **changed)  # type: ignore[arg-type]
    assert f"{found.name}: not compared, as {said}." in claims_page(whole, judged(whole)).footnotes
    others = tuple(each for each in EVERYTHING if each != resource)
    assert held(*others, **changed).refused == ""


@pytest.mark.parametrize(("macs", "equal"), [(4.85e12, True), (4.849e12, False), (5.15e12, True), (5.16e12, False)])
def test_multiply_accumulates_may_differ_by_3_percent_of_the_larger(macs: float, equal: bool) -> None:
    assert (held("training-macs", macs=macs).refused == "") is equal


def test_a_claim_that_holds_nothing_equal_is_judged_whatever_was_used() -> None:
    (found,) = judged(runs(CLAIM, labels=6_000_000, macs=2e12))
    assert (found.refused, found.verdict.word) == ("", "better")


def test_the_resources_of_sides_that_differ_are_printed_and_of_others_only_if_a_claim_holds_them_equal() -> None:
    whole = runs(CLAIM, labels=6_000_000, macs=2.5e12)
    found = judged(whole)
    assert shown(found) == found
    page = resources_page(whole, found)
    assert page.layout.header == ("claim", "held equal", "steps", "labels", "MACs")
    (line,) = page.layout.lines
    dash = "\N{EN DASH}"
    assert [cell.says for cell in line] == [*(found[0].name, dash, "11,800", "6,000,000 / 12,000,000", "2.5T / 5.0T")]
    assert shown(judged(runs(CLAIM))) == []
    alike = runs(dataclasses.replace(CLAIM, equal=("steps", "label-uses")))
    (line,) = resources_page(alike, shown(judged(alike))).layout.lines
    assert [cell.says for cell in line][1:] == ["steps, label uses", "11,800", "12,000,000", "5.0T"]


def test_the_frame_of_resources_has_a_row_for_each_side_in_full() -> None:
    whole = runs(dataclasses.replace(CLAIM, equal=("steps",)), labels=6_000_000, macs=2.5e12)
    frame = resources_frame(whole, shown(judged(whole)))
    columns = ["side", "method", "held_equal", "runs", "steps", "label_uses", "training_macs"]
    assert frame[columns].to_dict("tight")["data"] == [
        [1, "td", "steps", 3, 11_800, 6_000_000, 2.5e12],
        [2, "uniform", "steps", 3, 11_800, 12_000_000, 5e12],
    ]


def test_the_difference_of_gains_holds_all_four_sides_equal() -> None:
    claim = SettingsClaim(
        dataset="mmnist2",
        method="td",
        against="uniform",
        settings=({"beta1": 0.0}, {"beta1": 0.9}),
        equal=("label-uses",),
    )
    (found,) = judged(runs(claim, beta1=(0.0, 0.9)))
    assert found.refused == ""
    (found,) = judged(runs(claim, beta1=(0.0, 0.9), labels=6_000_000))
    assert found.refused == (
        "the label uses, which the claim holds equal, are 6,000,000 of td with beta1=0, 12,000,000 of Uniform with "
        "beta1=0, 6,000,000 of td with beta1=0.9 and 12,000,000 of Uniform with beta1=0.9"
    )


def test_before_anything_is_run_nothing_is_said_to_be_unequal() -> None:
    whole = dataclasses.replace(runs(dataclasses.replace(CLAIM, equal=EVERYTHING)), sheets=())  # type: ignore[arg-type]
    (found,) = judged(whole)
    assert (found.refused, found.verdict.word) == ("", "undecided")
    (line,) = resources_page(whole, shown([found])).layout.lines
    assert [cell.says for cell in line][2:] == ["\N{EN DASH}"] * 3
