"""Costs of suites by kept records."""

import math
from dataclasses import replace

import pytest

from mtbench.store.record import Record
from results.costs import Rates
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
    monkeypatch.setattr("results.costs._macs", lambda _: 4000)
    assert Rates.of([single]).hours([td.spec]) == pytest.approx(4)
    unknown = replace(td.spec, backbone=replace(td.spec.backbone, name="other"))
    assert math.isnan(Rates.of([single]).hours([unknown]))
