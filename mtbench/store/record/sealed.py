"""JSON files that contain their own checksum, so that later changes are detected."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

__all__ = ["Later", "Number", "Unsealed", "seal", "strict_json", "unseal"]


Number: TypeAlias = Annotated[
    float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]}),
]
"""A float that is NaN if it is undefined: null in JSON."""


class Unsealed(ValueError):
    """The file has changed since it was sealed; the text gives the evidence."""


class Later(ValueError):
    """The file has a later format than can be read.

    Attributes:
        found: the format of the file.
    """

    def __init__(self, found: int) -> None:
        super().__init__(f"its format is {found}")
        self.found = found


def seal(kind: str, body: Any) -> str:
    """Return the text of a file that contains `body` under the name `kind`, and its checksum beside it."""
    # The checksum is over the text as it is read: names that are numbers become texts, and texts have another order.
    read = json.loads(strict_json(body))
    return json.dumps({kind: read, "sha256": _checksum(read)}, indent=1, sort_keys=True, allow_nan=False) + "\n"


def strict_json(value: Any, **layout: Any) -> str:
    """Return the value as JSON, with null for numbers that are NaN or infinite, which JSON does not have."""
    return json.dumps(_finite(value), allow_nan=False, **layout)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def unseal(kind: str, text: str | bytes, *, newest: int) -> Any:
    """Return the content that was sealed under the name `kind`: plain values, including a number ``format``.

    Args:
        newest: the latest format that can be read.

    Raises:
        Later: it has a later format, whose checksum may be another.
        Unsealed: the text has no such content, or does not match its checksum.
    """
    try:
        outer = json.loads(text)
        body, expected = outer[kind], outer["sha256"]
        found_format = int(body["format"])
    except (ValueError, KeyError, TypeError, OverflowError) as cause:
        raise Unsealed(f"it cannot be read ({type(cause).__name__}: {cause})") from None
    if found_format > newest:
        raise Later(found_format)
    if (found := _checksum(body)) != expected:
        raise Unsealed(f"its checksum is {found}, and {expected} was expected")
    return body


def _checksum(body: Any) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
