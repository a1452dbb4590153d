"""Links to folders of existing files: configuration of a machine, which is in no identity of any run."""

import json
import os
import uuid
from pathlib import Path

from mtbench.errors import DataError

__all__ = ["LINKS", "linked_folder", "read_links", "set_link"]

LINKS = "links.json"
"""The file in the data root: an object from the name of each source to the absolute path of its folder."""


def linked_folder(root: Path, source: str) -> Path | None:
    """Return the folder that is linked under the name of a source; None if there is none.

    Args:
        root: the data root.

    Raises:
        DataError: the file of links is damaged.
    """
    folder = read_links(root).get(source)
    return None if folder is None else Path(folder)


def set_link(root: Path, source: str, folder: Path) -> None:
    """Link a folder under the name of a source, in place of the previous one.

    Raises:
        DataError: the file of links is damaged, or cannot be written.
    """
    links = {**read_links(root), source: str(folder.expanduser().absolute())}
    path = root / LINKS
    temporary = root / f".{LINKS}.{uuid.uuid4().hex}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(links, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as cause:
        raise DataError(
            f"{path} cannot be written: {cause.strerror}.",
            mend="Choose a folder that can be, with --data-root or MTBENCH_DATA.",
        ) from None


def read_links(root: Path) -> dict[str, str]:
    """Return the linked folders by source.

    Raises:
        DataError: the file of links cannot be read, or is no such object.
    """
    path = root / LINKS
    try:
        links = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as cause:
        raise _damaged(path, f"{type(cause).__name__}: {cause}") from None
    if not isinstance(links, dict) or not all(isinstance(folder, str) for folder in links.values()):
        raise _damaged(path, "it is no object of texts")
    return links


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path} cannot be read ({reason.rstrip('.')}).",
        mend="Delete it and give the links again: `mtbench data link NAME FOLDER`.",
        allowed='Expected: {"NAME": "/the/folder", ...}.',
    )
