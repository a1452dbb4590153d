"""The code that runs were submitted with, in a file beside their submission.

A job may wait in a queue for days, and the code of a method may be edited meanwhile. A job therefore compares the code
that it finds with the code at the time of the submission, and refuses to train where they differ.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mtbench.errors import CodeChanged, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.files.atomic import write_text
from mtbench.store.files.guard import Refused, read_guarded
from mtbench.store.identity.fingerprint import NUMERICS, PARTS, code, plugin
from mtbench.store.record import Code, Fingerprints

__all__ = ["Expected", "expected_of", "read_expected", "write_expected"]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The code of the plug-ins of some runs.

    Attributes:
        numerics: `mtbench.store.identity.fingerprint.NUMERICS`.
        code: the code of each plug-in, by kind and name, such as ``method td``.
    """

    numerics: int
    code: Mapping[str, Code]

    def check(self, spec: RunSpec, found: Fingerprints) -> None:
        """Refuse a run whose code differs.

        Args:
            spec: the run.
            found: the present fingerprints of the run.

        Raises:
            CodeChanged: a part differs; the text names it and its modules. Or it is not among the submitted ones.
        """
        again = "Run the command that submitted it again, which submits it with the present code."
        if found.numerics != self.numerics:
            raise CodeChanged(
                f"mtbench has changed since the run was submitted: NUMERICS {self.numerics} -> {found.numerics}.",
                mend=again,
            )
        for part, present in found.code.items():
            name = _name(spec, part)
            submitted = self.code.get(name)
            if submitted is None:
                raise CodeChanged(
                    f"the run was not among those submitted: {_quoted(name)} is not.",
                    mend="Give --expect the file that was written when this run was submitted, or submit the run.",
                )
            if submitted.hash != present.hash:
                changed = ", ".join(_changed(submitted.modules, present.modules))
                raise CodeChanged(
                    f"the code of {_quoted(name)} has changed since the run was submitted ({changed}).",
                    mend=again,
                )


def expected_of(specs: Iterable[RunSpec]) -> Expected:
    """Return the present code of the plug-ins of runs.

    Raises:
        UsageError: a plug-in is not installed.
        PluginError: the source of one cannot be found or read.
    """
    codes = cache(code)
    found = {_name(spec, part): codes(plugin(spec, part)) for spec in specs for part in PARTS}
    return Expected(numerics=NUMERICS, code=dict(sorted(found.items())))


def write_expected(path: Path, expected: Expected) -> None:
    """Write the code that runs are to have into a file.

    Raises:
        StoreError: it cannot be written.
    """
    write_text(path, json.dumps(asdict(expected), indent=1))


def read_expected(path: Path) -> Expected:
    """Return the code that `write_expected` has written.

    Raises:
        StoreError: the file cannot be read, or is none of these.
    """
    try:
        return _READER.validate_json(read_guarded(path))
    except OSError as cause:
        raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.", mend=_MEND) from cause
    except (Refused, ValidationError) as cause:
        raise StoreError(f"{path} is no file of the code of submitted runs.", mend=_MEND) from cause


def _name(spec: RunSpec, part: str) -> str:
    return f"{PARTS[part]} {getattr(spec, part).name}"


def _quoted(name: str) -> str:
    kind, _, plain = name.partition(" ")
    return f"{kind} '{plain}'"


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*then, *now} if then.get(name) != now.get(name))


_MEND = "Give --expect the file that was written when the run was submitted, or leave it out to train with any code."
_READER = TypeAdapter(Expected)
