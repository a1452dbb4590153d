"""Means over batches in records."""

import json

from mtbench.store.record import read_record, render_record
from mtbench.store.record.sealed import seal
from tests.report.curves import ROW, along, better


def test_means_over_batches_are_read_as_they_were_written_and_records_of_before_have_none() -> None:
    rows = {1: ROW, 2: better(3)}
    record = along("td", 0, rows, batched={(5, False): rows, (4, True): {2: better(1)}}).record
    assert record is not None
    text = render_record(record)
    found = read_record(text, "here")
    assert found.batch_means == record.batch_means
    assert [point.batch_means for point in found.curve] == [point.batch_means for point in record.curve]
    assert [len(point.batch_means) for point in found.curve] == [1, 2]
    body = json.loads(text)["record"]
    del body["batch_means"]
    for point in body["curve"]:
        del point["batch_means"]
    before = read_record(seal("record", body), "here")
    assert before.batch_means == ()
    assert [point.batch_means for point in before.curve] == [(), ()]
    assert before.results == record.results
