"""Pages on trained networks."""

from pathlib import Path

from mtbench.door.given import Folder, folders
from mtbench.door.given import data_root as chosen_root
from mtbench.explanation.explain import Explanation, explain_run

__all__ = ["explain"]


def explain(
    run: Folder,
    *,
    images: int = 6,
    out: Folder | None = None,
    data_root: Folder | None = None,
    device: str = "auto",
) -> Explanation:
    """Write pages of figures on the network of a finished run: attention maps, nearest images or predicted maps.

    Args:
        run: the folder of the run, a file in it, or a folder above it that has no other run below; also in a pack
            with weights, as ``x.zip/mmnist2/td/seed-0-1a2b3c4d5e6f``.
        images: images per case, such as right answers; of maps, images per task.
        out: the folder to write to; by default one of the run's own below ``reports/local``.
        data_root: see `mtbench.load`.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Returns:
        the table of the page, and the files that were written.

    Raises:
        UsageError: there is no such run, it is not finished, or there are no pages for its kind of tasks or network.
        StoreError: its weights are lost or damaged, or a file cannot be written.
        DataError: a data file is missing or damaged.

    Example:
        >>> runs = mtbench.run("uniform", "mmnist2", seeds=1, epochs=1, images=512, results="digits", quiet=True)
        >>> found = mtbench.explain("digits", images=2, out="pages")
        >>> sorted({file.suffix for file in found.files})
        ['.csv', '.md', '.pdf', '.png', '.tex']
    """
    return explain_run(
        Path(run),
        root=chosen_root(data_root),
        images=images,
        out=None if out is None else folders(out)[0],
        device=device,
    )
