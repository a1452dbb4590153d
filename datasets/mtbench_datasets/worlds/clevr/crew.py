"""Processes that make pictures: each takes a few at a time, and ends when its parent does."""

import multiprocessing
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from mtbench.errors import DataError, MtbenchError

from .recipe import Recipe

__all__ = ["Made", "make_pictures"]

Made = tuple[str, int, dict[str, Any], bool]
"""Split and index of a picture, its scene, and whether its image was rendered."""
CHUNK = 8


def make_pictures(recipe: Recipe, folder: Path, jobs: int) -> Iterator[list[Made]]:
    """Make all pictures of a world, a few at a time, in any order.

    Raises:
        DataError: a file cannot be written, or a process died.
    """
    pictures = list(recipe.pictures())
    chunks = iter([pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)])
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, Any] = {}
    try:
        for _ in range(min(jobs, -(-len(pictures) // CHUNK))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(recipe, folder, theirs), daemon=True)
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


def _hand(pipe: Connection, chunk: list[tuple[str, int]] | None) -> None:
    try:
        pipe.send(chunk)
    except BrokenPipeError:
        pass  # it died; reading from it says so


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


def _work(recipe: Recipe, folder: Path, pipe: Connection) -> None:
    """Make the pictures that arrive until None does, or until the parent is gone."""
    torch.set_num_threads(1)
    try:
        while (chunk := pipe.recv()) is not None:
            try:
                answer: object = [(split, index, *recipe.make(folder, split, index)) for split, index in chunk]
            except MtbenchError as error:
                answer = error
            except Exception:
                answer = DataError(f"A picture cannot be rendered:\n{traceback.format_exc()}")
            pipe.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass
