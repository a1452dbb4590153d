"""Multi-task-learning methods compared under one protocol: from one command to a table.

This package is the harness. It names no method and no dataset: those come in through entry points.
Importing it loads nothing heavy; `mtbench.contract` is what a plug-in author reads.
"""

from importlib.metadata import version
from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtbench.explanation.explain import Explanation

__all__ = ["__version__", "explain"]

__version__ = version("mtbench")


def explain(
    run: str | PathLike[str],
    *,
    images: int = 6,
    out: str | PathLike[str] | None = None,
    data_root: str | PathLike[str] | None = None,
    device: str = "auto",
) -> "Explanation":
    """Write pages of figures on where the network of a finished run looks, as ``mtbench explain`` does.

    Args:
        run: the folder of the run.
        images: images per case.
        out: the folder to write to; by default one of the run's own below ``reports/local``.
        data_root: the folder of the data files; by default that of the environment variable MTBENCH_DATA, or the
            platform's folder for user data.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Returns:
        the table of the page, and the files that were written.

    Raises:
        MtbenchError: see `mtbench.explanation.explain.explain_run`.
    """
    import os
    from pathlib import Path

    from mtbench.cli.shared import data_root as chosen_root
    from mtbench.explanation.explain import explain_run

    given = data_root or os.environ.get("MTBENCH_DATA")
    root = chosen_root(Path(given) if given else None)
    return explain_run(Path(run), root=root, images=images, out=Path(out) if out else None, device=device)
