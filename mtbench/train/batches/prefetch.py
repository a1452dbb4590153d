"""Batches of a split, in order; those of a memory map are gathered by a thread one batch ahead."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from mtbench.contract import Batch, Split
from mtbench.train.batches.ahead import Chunk

__all__ = ["batches"]


def batches(split: Split, chunks: Iterable[Chunk]) -> Iterator[Batch]:
    """Yield the batch of each chunk.

    Inputs in a memory map are read, normalized and augmented one batch ahead, in a thread. The thread draws nothing, so
    the bits are the same. An error of the thread is raised here; the thread ends when the iterator is closed or
    dropped.
    """
    if split.release is None:
        for chunk in chunks:
            yield split.batch(*chunk)
        return
    here = [(rows.cpu(), *others) for rows, *others in chunks]  # all at once: see `Split.batch`
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        ahead: Future[Batch] | None = None
        for chunk in here:
            before, ahead = ahead, thread.submit(split.batch, *chunk)
            if before is not None:
                yield before.result()
        if ahead is not None:
            yield ahead.result()
