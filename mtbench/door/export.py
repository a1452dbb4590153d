"""The tidy frame as a file that other programs read."""

import io
from pathlib import Path

import pandas as pd

from mtbench.door.given import Folder, Folders
from mtbench.door.load import load
from mtbench.errors import UsageError
from mtbench.store.files.atomic import make_folder, write_bytes

__all__ = ["FORMATS", "check_format", "export", "write_table"]

FORMATS = (".csv", ".parquet")
"""Suffixes of the files that can be written."""


def export(results: Folders, out: Folder, *, data_root: Folder | None = None) -> pd.DataFrame:
    """Write the tidy frame of `mtbench.load` as CSV or Parquet, by the suffix of the file.

    Args:
        results: a results folder or a pack, or several.
        out: the file; its folder is made if need be.
        data_root: see `mtbench.load`.

    Returns:
        the frame that was written.

    Raises:
        UsageError: the suffix is neither, Parquet needs a package that is not installed, or there are no runs.
        StoreError: a folder cannot be read, the file cannot be written, or one run has two different records.
    """
    path = check_format("--out", out)
    frame = load(results, data_root=data_root)
    write_table(frame, path)
    return frame


def check_format(option: str, out: Folder) -> Path:
    """Return the path of a file that a table can be written to.

    Args:
        option: the option that it was given for.
        out: the file.

    Raises:
        UsageError: its suffix is not one of `FORMATS`.
    """
    path = Path(out).expanduser()
    if path.suffix not in FORMATS:
        raise UsageError(
            f"{option} is '{path}'.",
            allowed=f"Allowed: a file that ends with {' or '.join(FORMATS)}, which says its format.",
        )
    return path


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV or Parquet, by the suffix of the file, whose folder is made if need be.

    Raises:
        UsageError: Parquet needs a package that is not installed.
        StoreError: the file cannot be written.
    """
    text = _parquet(frame) if path.suffix == ".parquet" else frame.to_csv(index=False, lineterminator="\n").encode()
    make_folder(path.parent)
    write_bytes(path, text)


def _parquet(frame: pd.DataFrame) -> bytes:
    """Return a frame in Parquet.

    Raises:
        UsageError: pyarrow is not installed.
    """
    content = io.BytesIO()
    try:
        frame.to_parquet(content, index=False, engine="pyarrow")
    except ImportError as cause:
        raise UsageError(
            "Parquet needs the package pyarrow, which is not installed.",
            mend="Install it: pip install 'mtbench[parquet]'; or write CSV, which needs nothing.",
        ) from cause
    return content.getvalue()
