"""The layout of a record as documentation: ``python -m mtbench.store.record.schema`` writes ``docs/record.*``."""

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from mtbench.store.record import FORMAT, Record

__all__ = ["json_schema", "markdown", "write"]

TITLE = f"""# The record of a run, format {FORMAT}

`record.json` contains `{{"record": …, "sha256": …}}`. The sum is SHA-256 of the record as JSON with sorted keys and no
spaces. It is strict JSON: a number that is undefined is null. [record.schema.json](record.schema.json) is the same
layout as JSON Schema. Both files are generated from the classes by `python -m mtbench.store.record.schema`.

Records of format 1 are read too (`mtbench/store/record/formats.py`). Additional measurements of later versions go into
`measurements`, by name and with its unit, so that it needs no new format.
"""


def json_schema() -> str:
    """Return the JSON Schema of a record as text."""
    return json.dumps(TypeAdapter(Record).json_schema(), indent=1, sort_keys=True) + "\n"


def markdown() -> str:
    """Return a table for each class of a record, in the order of first use."""
    return "\n".join([TITLE, *(_section(each) for each in _classes(Record))])


def write(folder: Path) -> None:
    """Write both files into a folder."""
    (folder / "record.md").write_text(markdown())
    (folder / "record.schema.json").write_text(json_schema())


def _classes(root: type[Any]) -> list[type[Any]]:
    """Return the data classes that a class consists of, itself first, each once."""
    found = [root]
    for each in found:
        for hint in get_type_hints(each).values():
            found += [inner for inner in _data_classes(hint) if inner not in found]
    return found


def _data_classes(hint: Any) -> Iterator[type[Any]]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _data_classes(inner)


def _section(each: type[Any]) -> str:
    summary, meanings = _documented(each)
    hints = get_type_hints(each)
    rows = []
    for field in dataclasses.fields(each):
        meaning = meanings.get(field.name) or field.metadata.get("help", "")
        rows.append(f"| `{field.name}` | {_type_name(hints[field.name])} | {meaning} |")
    return "\n".join([f"## {each.__name__}", "", summary, "", "| field | type | meaning |", "|---|---|---|", *rows, ""])


def _documented(each: type[Any]) -> tuple[str, dict[str, str]]:
    """Return the first paragraph of a class's docstring, and its descriptions of attributes, each on one line."""
    text = inspect.getdoc(each) or ""
    summary = text.partition("\n\n")[0]
    listed = text.partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w[\w, ]*): (.+(?:\n {8}.+)*)", listed, flags=re.MULTILINE)
    meanings = {name.strip(): re.sub(r"\s+", " ", meaning) for names, meaning in entries for name in names.split(",")}
    return re.sub(r"\s+", " ", summary), meanings


def _type_name(hint: Any) -> str:
    text = inspect.formatannotation(hint)
    text = re.sub(r"Annotated\[float,.*?\)\]", "float or null", text)
    text = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)
    return text.replace("|", "or").replace("  ", " ")


if __name__ == "__main__":
    write(Path("docs"))
