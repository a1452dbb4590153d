import dataclasses
import json
from pathlib import Path
from typing import Any, get_type_hints

import jsonschema
import pydantic
import pytest
from packaging.version import Version

from mtbench.store.record import Record, render_record
from mtbench.store.record.schema import json_schema, markdown

DOCS = Path(__file__).parents[3] / "docs"


def test_the_documentation_is_what_the_classes_say() -> None:
    assert (DOCS / "record.md").read_text() == markdown(), "run `python -m mtbench.store.record.schema`"


@pytest.mark.skipif(
    Version(pydantic.VERSION) < Version("2.14"), reason="earlier schemas of data classes lack docstrings"
)
def test_the_json_schema_is_what_the_classes_say() -> None:
    assert (DOCS / "record.schema.json").read_text() == json_schema(), "run `python -m mtbench.store.record.schema`"


def test_a_record_fits_the_schema_and_a_wrong_one_does_not(record: Record) -> None:
    body = json.loads(render_record(record))["record"]
    jsonschema.validate(body, json.loads(json_schema()))
    for broken in ({**body, "more": 1}, {**body, "seed": "x"}, {key: body[key] for key in body if key != "tasks"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, json.loads(json_schema()))


def test_every_field_of_a_record_is_explained() -> None:
    text = markdown()
    for field in dataclasses.fields(Record):
        assert f"| `{field.name}` |" in text
    empty = [line for line in text.splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert empty == []


def test_the_tables_name_every_class_once() -> None:
    names = [line[3:] for line in markdown().splitlines() if line.startswith("## ")]
    assert len(names) == len(set(names))
    hints: dict[str, Any] = get_type_hints(Record)
    assert {"Record", "TaskResult", "CurvePoint", "Numerics", hints["cost"].__name__} <= set(names)
