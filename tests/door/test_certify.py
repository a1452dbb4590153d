"""A certificate from its plan to its pack, trained for a few steps."""

from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.door.run import work_on
from mtbench.door.training.certify import Certified, certify, name_of, planned_runs, search_plans
from mtbench.engines.chosen import Execution
from mtbench.errors import UsageError
from mtbench.plan.certificate.rows import Plan, plan_certificate
from mtbench.plan.certificate.sizes import Sample, Size
from mtbench.report.certificate.facts import Check
from mtbench.store.pack.contents import collect
from mtbench.store.suites.declaration import read_declaration
from mtbench.store.upkeep.verify import verify
from tests.cli.commands import call

SIZE = Size(
    name="made-up",
    about="forty examples",
    seeds=2,
    trials=2,
    on=(Sample(dataset="toy2", measure="mean", set={"epochs": 1, "images": 40}),),
)


def made(plan: Plan, place: Path) -> Certified:
    work = work_on(place / "results", place / "data", Execution(places=["cpu"] * 2), (), quiet=True)
    return certify(plan, [Check(says="it learns", fault="")], work, place / "out", command="mtbench certify moo")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certified")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_certificate("moo", SIZE)


@pytest.fixture(scope="module")
def first(plan: Plan, place: Path) -> Certified:
    return made(plan, place)


def test_a_certificate_has_verdicts_against_every_reference_and_all_its_runs(first: Certified) -> None:
    assert [each.against.row.title for each in first.facts.judged] == ["single", "uniform", "tuned branches+fixed"]
    assert {each.against.row.equal for each in first.facts.judged} == {("epochs", "labels", "MACs")}
    assert (first.facts.missing, first.facts.changed) == (0, "")
    assert "before the first run of the method" in first.facts.declared


def test_its_pack_has_the_runs_the_trials_the_search_and_the_declaration(
    first: Certified, plan: Plan, place: Path
) -> None:
    pack = place / "out" / "certificate.zip"
    found = collect(pack, weights=False)
    assert verify(pack).is_sound
    assert len(found.runs) == 2 * 4 + 2  # two seeds of four rows, and two trials of one seed
    assert len(found.searches) == 1
    assert f"suites/{name_of(plan)}.json" in found.members
    assert first.facts.pack[0] == "certificate.zip"


def test_a_pack_has_nothing_of_other_runs_in_the_folder(first: Certified, plan: Plan, place: Path) -> None:
    import mtbench

    mtbench.run("uniform", "toy2", seeds=[7], results=place / "results", epochs=1, images=40, quiet=True)
    before = (place / "out" / "certificate.zip").read_bytes()
    again = made(plan, place)
    assert (place / "out" / "certificate.zip").read_bytes() == before
    assert again.facts.pack == first.facts.pack


def test_the_same_call_trains_nothing_again_and_writes_the_same_page(first: Certified, plan: Plan, place: Path) -> None:
    page = (place / "out" / "index.html").read_bytes()
    records = {path: path.stat().st_mtime_ns for path in (place / "results").rglob("record.json")}
    made(plan, place)
    assert {path: path.stat().st_mtime_ns for path in (place / "results").rglob("record.json")} == records
    assert (place / "out" / "index.html").read_bytes() == page
    assert len(first.files) == len(set(first.files))


def test_it_is_declared_with_rows_claims_and_margins(first: Certified, plan: Plan, place: Path) -> None:
    declared = read_declaration(place / "results", name_of(plan))
    assert declared is not None
    assert declared.content["protocol"] == {"certificate": "moo", "size": "made-up"}
    assert [claim["contrast"] for claim in declared.content["claim"]] == [
        ["moo", "single"],
        ["moo", "uniform"],
        ["moo", "tuned branches+fixed"],
    ]
    assert declared.hash[:12] in first.facts.declared


def test_a_dry_run_counts_the_rows_of_tuned_weights_too_and_writes_nothing(plan: Plan, tmp_path: Path) -> None:
    assert len(planned_runs(plan, search_plans(plan))) == 2 * 4
    done = call(app, "certify", "moo", "--size", "tiny", "--dry-run", "--results", str(tmp_path / "results"))
    assert done.exit_code == 0
    assert "Certificate of moo, size tiny" in done.output
    assert not list(tmp_path.iterdir())


def test_an_unknown_method_is_refused_before_anything_is_checked() -> None:
    with pytest.raises(UsageError, match="Did you mean 'moo'"):
        call(app, "certify", "mooo")


def test_a_method_that_does_not_conform_is_not_trained_and_the_exit_code_is_1(tmp_path: Path) -> None:
    done = call(
        app, "certify", "toy-crash", "--size", "tiny", "--results", str(tmp_path / "r"), "--out", str(tmp_path / "out")
    )
    assert done.exit_code == 1, done.output
    assert "nothing was trained" in done.output
    assert not (tmp_path / "r").exists()
    assert "does not conform" in (tmp_path / "out" / "index.html").read_text()
