"""Costs of suites by kept records."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from mtbench.store.record import Record
from results import costs
from results.costs import GpuHours, declared, gpu_hours, listed, short, size
from results.evidence import Evidence, Part
from results.kernels import Step
from results.rates import Rates
from results.sized import of_suite
from tests.report.records import PAPER, QUICK, finished


def made(method: str, cpu_seconds: float, macs: int, *, quick: bool = False) -> Record:
    """Return the record of a run of 10 epochs over 6,000 examples, or of a preview of 2 over 4,000."""
    protocol = QUICK if quick else replace(PAPER, epochs=10)
    record = finished(method, 0, (90, 80), protocol=protocol).record
    assert record is not None
    cost = replace(record.cost, cpu_seconds=cpu_seconds, macs_per_input=macs)
    return replace(record, cost=cost, training_examples=4000 if quick else 6000)


def test_hours_are_those_of_the_record_times_epochs_and_examples() -> None:
    single, preview = made("single", 3600.0, 1000), made("single", 3600.0, 1000, quick=True)
    rates = Rates.of([single, preview])
    five = [replace(single.spec, seed=seed, protocol=replace(single.spec.protocol, epochs=20)) for seed in range(5)]
    assert rates.hours(five) == pytest.approx(5 * 2)
    half = replace(single.spec, protocol=replace(single.spec.protocol, images=3000))
    assert rates.hours([half]) == pytest.approx(0.5)


def test_a_kind_without_a_record_is_estimated_by_its_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    single, td = made("single", 3600.0, 1000), made("td", 3600.0, 1000)
    monkeypatch.setattr("results.rates._macs", lambda _: 4000)
    assert Rates.of([single]).hours([td.spec]) == pytest.approx(4)
    unlike = replace(td.spec, backbone=replace(td.spec.backbone, name="other"))
    assert Rates.of([single]).hours([unlike]) == pytest.approx(1)  # as other runs on the same dataset
    unknown = replace(unlike, dataset=replace(td.spec.dataset, name="other"))
    assert math.isnan(Rates.of([single]).hours([unknown]))


def test_a_fraction_of_the_examples_is_repeated_and_an_added_task_takes_as_many_epochs_more() -> None:
    whole = made("single", 3600.0, 1000)
    few = replace(whole.spec, protocol=replace(whole.spec.protocol, fraction=0.1))
    record = replace(whole, spec=few, training_examples=600)
    for rates in (Rates.of([whole]), Rates.of([record, whole])):
        assert rates.hours([few]) == pytest.approx(rates.hours([whole.spec])) == pytest.approx(1)
    added = replace(whole.spec, protocol=replace(whole.spec.protocol, adds="own"))
    assert Rates.of([whole]).hours([added]) == pytest.approx(2)


def test_hours_on_a_gpu_are_those_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    record = made("single", 3600.0, 1000)
    rates, step = Rates.of([record]), Step(kernels=1000, flops=1.0, solves=False)
    monkeypatch.setattr(costs, "step_of", lambda *_: step)
    found = gpu_hours([record.spec, record.spec], rates, Path())
    steps = 10 * 12  # epochs, each of which has 6,000 examples in batches of 512
    assert (found.low, found.high) == pytest.approx((2 * steps * 5e-3 / 3600, 2 * steps * 10e-3 / 3600))
    monkeypatch.setattr(costs, "step_of", lambda *_: replace(step, solves=True))
    assert str(gpu_hours([record.spec], rates, Path())).startswith("\N{GREATER-THAN OR EQUAL TO} ")
    monkeypatch.setattr(costs, "step_of", lambda *_: None)
    assert str(gpu_hours([record.spec], rates, Path())) == "\N{EN DASH}"


def test_hours_have_two_digits() -> None:
    assert [short(hours) for hours in (0.0123, 0.5, 3.04, 9.96, 123.4)] == ["0.012", "0.50", "3.0", "10", "123"]
    assert str(GpuHours(low=0.5, high=1.0)) == "0.50\N{EN DASH}1.0"


def test_runs_that_an_earlier_part_trains_into_the_same_folder_are_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [
        Part(results=folder, command=f"run --methods {methods} --dataset toy2 --quick --seeds 1")
        for folder, methods in (("a-b-c-one", "uniform"), ("a-b-c-one", "uniform,moo"), ("a-b-c-two", "uniform"))
    ]
    monkeypatch.setattr(costs, "read", lambda: Evidence(release="0", commit="0", part=tuple(parts)))
    assert [[spec.balancer.name for spec in sized.grid] for sized in listed()] == [
        ["uniform"],
        ["mgda-ub"],
        ["uniform"],
    ]


def test_the_page_has_todays_suites_and_todays_list_at_their_sizes() -> None:
    page = (Path(costs.__file__).parents[1] / "reports" / "costs.md").read_text(encoding="utf-8")
    assert page.startswith(costs.PAGE), "python -m results.costs > reports/costs.md"
    lines = [tuple(line.strip("| ").split(" | ")) for line in page.splitlines() if line.startswith("| ")]
    rows = [cells[:5] for cells in lines if cells[0] not in {"suite", "---"}]
    expected = [*(size(of_suite(name)) for name in declared()), *map(size, listed())]
    assert [row[0] for row in rows] == [row[0] for row in expected]
    # "--methods all" has the methods of plug-ins of tests here.
    changed = {(*row, *own) for row, own in zip(rows, expected, strict=True) if row != own}
    assert not {row for row in changed if not row[0].endswith("-all")}
