import json
import math
from dataclasses import replace

from mtbench.store.record import Record, read_record, render_record
from mtbench.store.record.diagnosis import Conflict, Probed, Selectivity
from tests.report.records import finished

CONFLICT = Conflict(batches=((3, 4), (4, 4)), ucr=((100.0, 50.0), (50.0, 75.0)), cosine=((0.5, -0.25), (-0.25, 0.125)))
SELECTIVITY = Selectivity(
    chance=(10.5, 11.25),
    wrong_cue=((90.0, 9.0), (8.5, 80.0)),
    probes={"representation": {"mlp": Probed(accuracy=((91.0, 40.0), (30.0, 81.0)), selectivity=0.625)}},
)


def plain() -> Record:
    record = finished().record
    assert record is not None
    return record


def diagnosed() -> Record:
    record = plain()
    curve = tuple(replace(point, conflict=CONFLICT) for point in record.curve)
    return replace(record, curve=curve, selectivity=SELECTIVITY)


def test_diagnostics_are_read_as_they_were_written() -> None:
    assert read_record(render_record(diagnosed()), "here") == diagnosed()


def test_diagnostics_that_were_not_measured_are_null_and_read_as_none() -> None:
    body = json.loads(render_record(plain()))["record"]
    assert body["selectivity"] is None
    assert all(point["conflict"] is None for point in body["curve"])
    read = read_record(render_record(plain()), "here")
    assert read == plain()
    assert read.selectivity is None


def test_what_could_not_be_measured_is_read_as_nan() -> None:
    gap = replace(SELECTIVITY, wrong_cue=((90.0, math.nan), (math.nan, 80.0)))
    read = read_record(render_record(replace(plain(), selectivity=gap)), "here").selectivity
    assert read is not None
    assert math.isnan(read.wrong_cue[0][1])
