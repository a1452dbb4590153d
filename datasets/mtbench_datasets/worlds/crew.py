"""Processes that make pictures: each takes a few at a time, and ends when its parent does."""

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

import torch

from mtbench.errors import DataError, MtbenchError

__all__ = ["Job", "Made", "Picture", "make_pictures"]

Picture = tuple[str, int]
"""The part of a world that a picture belongs to, and its number there."""
Made = tuple[Picture, Any, bool]
"""A picture, its description, and True if its image was rendered."""
CHUNK = 8
CHILDREN = {
    "OMP_NUM_THREADS": "1",
    # The tensors of a picture take megabytes. By default glibc returns such memory to the system and asks for it again,
    # and clearing its pages takes a third of the time. Other C libraries do not read these names.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}


class Job(Protocol):
    """The pictures to make; it is sent to processes, so it can be pickled."""

    def pictures(self) -> Iterator[Picture]:
        """Yield every picture, in order."""

    def make(self, folder: Path, picture: Picture) -> tuple[Any, bool]:
        """Write those files of a picture that are not whole; return its description, True if its image was rendered.

        Raises:
            DataError: a file cannot be written.
        """


def make_pictures(recipe: Job, folder: Path, jobs: int) -> Iterator[list[Made]]:
    """Make all pictures of a world, a few at a time, in any order; with one job in this process.

    Raises:
        DataError: a file cannot be written, or a process died.
    """
    pictures = list(recipe.pictures())
    chunks = iter([pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)])
    if jobs == 1:
        for few in chunks:
            with _one_thread():
                made = _make(recipe, folder, few)
            yield made
        return
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, Any] = {}
    try:
        for _ in range(min(jobs, -(-len(pictures) // CHUNK))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(recipe, folder, theirs), daemon=True)
            with _environment(CHILDREN):
                process.start()
            theirs.close()
            busy[ours] = process
            _hand(ours, next(chunks, None))
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                yield _receive(pipe, busy[pipe])
                chunk = next(chunks, None)
                _hand(pipe, chunk)
                if chunk is None:
                    busy.pop(pipe).join()
                    pipe.close()
    finally:
        for pipe, process in busy.items():
            process.terminate()
            process.join()
            pipe.close()


def _hand(pipe: Connection, chunk: list[Picture] | None) -> None:
    with contextlib.suppress(BrokenPipeError):  # it died; reading from it says so
        pipe.send(chunk)


def _receive(pipe: Connection, process: Any) -> list[Made]:
    try:
        answer = pipe.recv()
    except (EOFError, ConnectionResetError):
        process.join()
        raise DataError(
            f"A process that renders pictures died with exit code {process.exitcode}.",
            mend="Run the command again: it goes on from here.",
        ) from None
    if isinstance(answer, BaseException):
        raise answer
    made: list[Made] = answer
    return made


def _make(recipe: Job, folder: Path, chunk: list[Picture]) -> list[Made]:
    return [(picture, *recipe.make(folder, picture)) for picture in chunk]


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Within the block processes are started with these environment variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Within the block torch uses one thread, since sums may depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _work(recipe: Job, folder: Path, pipe: Connection) -> None:
    """Make the pictures that arrive until None does, or until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    with _one_thread(), contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while (chunk := pipe.recv()) is not None:
            try:
                answer: object = _make(recipe, folder, chunk)
            except MtbenchError as error:
                answer = error
            except Exception:
                answer = DataError(f"A picture cannot be rendered:\n{traceback.format_exc()}")
            pipe.send(answer)
