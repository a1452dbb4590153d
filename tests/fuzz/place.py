"""A folder whose files are as they were made at the beginning of every mutation."""

import gc
import os
from pathlib import Path

from mtbench.errors import MtbenchError
from tests.cli.commands import call

__all__ = ["Place", "called"]


class Place:
    """A folder of files. Derive, and write them before the constructor of this class is called.

    Args:
        place: the folder, alone in another one of this test: some arguments name the folder above.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.files = {path: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
        self._states = {path: _state(path) for path in self.files}
        self._restored = 0

    def restore(self) -> None:
        """Give every file its first content and time, and remove others."""
        self._restored += 1
        if self._restored % 50 == 0:
            gc.unfreeze()  # commands keep what they have read to the end of the process
            gc.collect()
        for path in self.place.rglob("*"):
            if path not in self.files and not path.is_dir():
                path.unlink()
        for path, data in self.files.items():
            if not path.exists() or _state(path) != self._states[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                os.utime(path, ns=(self._states[path][2],) * 2)
                self._states[path] = _state(path)


def called(*arguments: str) -> str:
    """Give a command in this process, and return why it was refused: its error, or what it printed; empty if it was
    not."""
    from mtbench.cli.app import app

    try:
        result = call(app, *arguments)
    except MtbenchError as cause:
        return str(cause)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return f"exit code {result.exit_code}: {result.output}" if result.exit_code else ""


def _state(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns
