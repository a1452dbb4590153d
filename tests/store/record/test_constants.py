import json
import math
from dataclasses import replace

from mtbench.store.record import Constant, Record, read_record, render_record
from mtbench.store.record.sealed import seal

CONSTANTS = {"upper": Constant(name="majority class", metrics={"accuracy": 62.5, "f1": math.nan})}


def test_constants_are_read_as_they_were_written(record: Record) -> None:
    text = render_record(replace(record, constants=CONSTANTS))
    assert json.loads(text)["record"]["constants"]["upper"]["metrics"] == {"accuracy": 62.5, "f1": None}
    read = read_record(text, "here").constants["upper"]
    assert (read.name, read.metrics["accuracy"]) == ("majority class", 62.5)
    assert math.isnan(read.metrics["f1"])


def test_a_record_from_before_constants_were_computed_has_none(record: Record) -> None:
    body = json.loads(render_record(record))["record"]
    del body["constants"]
    assert read_record(seal("record", body), "here") == record
    assert record.constants == {}
