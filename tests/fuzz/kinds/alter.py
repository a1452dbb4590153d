"""Mutations of files by their format: any bytes, JSON, lines of JSON, and sealed JSON with its checksum made anew."""

import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.store.record.sealed import _checksum
from tests.fuzz.mutations import mutate_bytes, mutate_json, mutate_value
from tests.fuzz.place import Place

__all__ = ["any_bytes", "claims", "json_lines", "json_text", "sealed_anew", "sealed_text"]


def any_bytes(world: Place, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter the bytes of a file, or put another one of its name or its kind in its place."""
    others = [path for path in world.files if path.suffix == file.suffix and path != file]
    other = world.files[draw.choice(others)] if others else b"{}"
    return mutate_bytes(file.read_bytes(), draw, other)


def json_text(world: Place, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter the values of a JSON file, or now and then its bytes."""
    if draw.random() < 0.3:
        return any_bytes(world, file, draw)
    how, text = mutate_json(file.read_text(), draw)
    return how, text.encode(errors="surrogatepass")


def json_lines(world: Place, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter a value in a line of a file with a JSON text in each, or the order of the lines, or bytes."""
    lines = file.read_text().splitlines()
    at = draw.randrange(len(lines))
    match draw.choice(["value", "value", "bytes", "gone", "twice", "order"]):
        case "bytes":
            return any_bytes(world, file, draw)
        case "gone":
            how, lines = "gone", lines[:at] + lines[at + 1 :]
        case "twice":
            how, lines = "twice", lines[: at + 1] + lines[at:]
        case "order":
            how = "order"
            draw.shuffle(lines)
        case _:
            how, lines[at] = mutate_json(lines[at], draw)
    return how, ("\n".join(lines) + "\n").encode(errors="surrogatepass")


def sealed_anew(world: Place, file: Path, draw: random.Random) -> tuple[str, bytes]:  # noqa: ARG001
    """Alter a value in a sealed file, and seal it anew."""
    outer = json.loads(file.read_text())
    name = next(name for name in outer if name != "sha256")
    how, body = mutate_value(outer[name], draw)
    if how == "deep":
        body = json.loads(json.dumps(body).replace('"deep"', "[" * 40 + "]" * 40))
    return how, sealed_text(name, body)


def sealed_text(name: str, body: Any) -> bytes:
    """Return a sealed file with this content."""
    return json.dumps({name: body, "sha256": _checksum(body)}).encode(errors="surrogatepass")


def claims(data: bytes, draw: random.Random) -> tuple[str, bytes]:
    """Return a file of arrays or weights whose heads claim other shapes and dtypes."""
    if data.startswith(b"PK"):
        file = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                shape = draw.choice([(10**15,), (-1,), (), (2, 3), (0,), (3, 10**9)])
                head = {"descr": draw.choice(["<f4", "|u1", "|O", "<i8", "|V0", "<c8"]), "fortran_order": False}
                member = io.BytesIO()
                np.lib.format.write_array_header_1_0(member, {**head, "shape": shape})
                target.writestr(name, member.getvalue() + bytes(draw.choice([0, 8, 24])))
        return "claim", file.getvalue()
    length = int.from_bytes(data[:8], "little")
    _, head = mutate_value(json.loads(data[8 : 8 + length]), draw)
    text = json.dumps(head).encode(errors="surrogatepass")
    return "claim", len(text).to_bytes(8, "little") + text + data[8 + length :]
