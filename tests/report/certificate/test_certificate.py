"""Certificates of runs that nobody trained: verdicts, budgets, and what the page says."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.contract import Metric
from mtbench.plan.certificate.rows import Part, Plan, plan_certificate
from mtbench.plan.certificate.sizes import Sample, Size
from mtbench.report.certificate.facts import Check, Facts
from mtbench.report.certificate.judged import Ran, RanPart, judge_all
from mtbench.report.certificate.pages import budgets_frame, certificate_pages, verdicts_frame
from mtbench.report.certificate.write import write_certificate
from mtbench.store.record import TRAINING_MACS, Measurement, TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import finished

FACES = "faces-mini-labels:train=1000:val=200:test=400:tasks=eyeglasses/smiling"
TASKS = tuple(
    TaskInfo(name=name, metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),))
    for name in ("eyeglasses", "smiling")
)
SIZE = Size(name="made-up", about="four seeds of nothing", seeds=4, trials=2, on=(Sample(dataset=FACES, margin=1.0),))
PASSED = [Check(says="it learns", fault="")]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_certificate("branches+pcgrad", SIZE)


def ran(part: Part, scores: Sequence[Sequence[float]]) -> RanPart:
    """Return a part whose rows have these means over tasks, a list of seeds for each row, the method first."""

    def of(row: int) -> Ran:
        planned = (part.own, *part.rows)[row]
        runs = [_run(spec, value) for spec, value in zip(planned.specs, scores[row], strict=True)]
        return Ran.of(planned, runs)

    rows = [of(row) for row in range(len(part.rows) + 1)]
    single = next(each for each in rows[1:] if each.row is part.single)
    return RanPart(part=part, own=rows[0], single=single, rows=tuple(rows[1:]))


def _run(spec: object, mean: float) -> RunStatus:
    made = finished("td", scores={"eyeglasses": mean + 2, "smiling": mean - 2}, tasks=TASKS, label_uses=6000)
    if math.isnan(mean):
        return replace(made, spec=spec, state="missing", record=None)  # type: ignore[arg-type]
    assert made.record is not None
    known = {TRAINING_MACS: Measurement(value=2e12)}
    return replace(made, spec=spec, record=replace(made.record, spec=spec, measurements=known))  # type: ignore[arg-type]


def facts(plan: Plan, scores: Sequence[Sequence[float]]) -> Facts:
    parts = [ran(plan.parts[0], scores)]
    return Facts(
        method=plan.title,
        command="mtbench certify branches+pcgrad",
        size=plan.size,
        checks=PASSED,
        parts=parts,
        judged=judge_all(parts),
        left_out={"toy2": "it has no maps."},
        declared="on 2026-11-30, before the first run of the method (SHA-256 0123456789ab)",
        pack=("certificate.zip", "f" * 64),
    )


BETTER = [80.0, 81.0, 79.0, 80.5]
WORSE = [70.0, 71.2, 69.1, 70.4]


def test_a_method_ten_points_above_every_row_is_better_by_more_than_the_margin(plan: Plan) -> None:
    found = facts(plan, [BETTER, WORSE, WORSE, WORSE])
    assert {each.verdict.word for each in found.judged} == {"better by more than the margin"}
    # 10.0, 9.8, 9.9 and 10.1 points.
    assert [each.contrast.difference for each in found.judged] == pytest.approx([9.95] * 3)


def test_equal_methods_are_equivalent_within_the_margin_and_far_apart_seeds_are_undecided(plan: Plan) -> None:
    near = [value + shift for value, shift in zip(BETTER, (0.1, -0.1, 0.05, 0.0), strict=True)]
    far = [value + shift for value, shift in zip(BETTER, (20, -20, 15, -15), strict=True)]
    found = facts(plan, [BETTER, near, far, near])
    assert [each.verdict.word for each in found.judged] == ["equivalent", "undecided", "equivalent"]


def test_the_page_says_what_the_size_shows_what_it_does_not_and_what_is_left_out(plan: Plan) -> None:
    page = certificate_pages(facts(plan, [BETTER, WORSE, WORSE, WORSE]))["summary"]
    said = " ".join(page.caption)
    assert "in this amount of training, and nothing beyond it" in said
    assert "It does not show the order of methods after longer training" in said
    assert "Undecided is no equivalence" in said
    assert "Left out, toy2: it has no maps." in page.footnotes
    assert page.quick
    cells = {line[0].says: line[1].says for line in page.layout.lines}
    assert cells["branches+pcgrad against uniform"] == "1 better by more than the margin"
    assert cells["checks of conformance"] == "1 of 1 passed"


def test_missing_runs_are_counted_and_make_no_verdict(plan: Plan) -> None:
    found = facts(plan, [[math.nan] * 4, WORSE, WORSE, WORSE])
    assert found.missing == 4
    assert {each.verdict.word for each in found.judged} == {"undecided"}
    notes = certificate_pages(found)["summary"].footnotes
    assert notes[0] == "Incomplete: 4 runs have no record. The same command resumes them."


def test_budgets_are_those_that_the_records_have(plan: Plan) -> None:
    frame = budgets_frame(facts(plan, [BETTER, WORSE, WORSE, WORSE]))
    assert frame["macs"].tolist() == [2e12] * 4
    assert frame["labels"].tolist() == [6000] * 4


def test_numbers_are_written_at_full_precision_with_their_budgets(plan: Plan, tmp_path: Path) -> None:
    found = facts(plan, [BETTER, WORSE, WORSE, WORSE])
    frame = verdicts_frame(found)
    assert frame["against"].tolist() == ["single", "single", "uniform"]
    assert frame["equal"].tolist() == ["epochs/labels", "MACs", "epochs/labels/MACs"]
    files = [path.name for path in write_certificate(found, tmp_path)]
    assert files[:2] == ["index.html", "certificate.md"]
    page = (tmp_path / "index.html").read_text()
    assert "<title>Certificate of branches+pcgrad, size made-up</title>" in page
    assert "<code>mtbench certify</code>" in page
    assert 'href="certificate.zip"' in page
    text = (tmp_path / "certificate.md").read_text()
    assert text.index("Certificate of") < text.index("### branches+pcgrad on") < text.index("### Budgets")


def test_a_method_that_does_not_conform_has_a_page_of_its_checks_alone(plan: Plan, tmp_path: Path) -> None:
    checks = [*PASSED, Check(says="gradients reach all parameters", fault="'scale' has none.")]
    found = Facts(method="mine", command="mtbench certify mine", size=plan.size, checks=checks, left_out={})
    assert not found.conforms
    write_certificate(found, tmp_path)
    text = (tmp_path / "certificate.md").read_text()
    assert "nothing was trained" in text
    assert "gradients reach all parameters: 'scale' has none." in text
    assert "### Budgets" not in text
