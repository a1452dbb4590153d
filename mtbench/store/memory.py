"""Cached results of one command for the next ones: small files in the user's cache folder.

They only save time. A lost or damaged file, or one of another program, counts as missing and is computed again.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from mtbench.errors import StoreError
from mtbench.store.files.atomic import make_folder, write_text
from mtbench.store.files.guard import read_guarded

__all__ = ["CACHE", "Memory"]

CACHE = "MTBENCH_CACHE"
"""The environment variable that names another folder than the platform's for caches of the user."""

MOST = 5000
"""Number of entries that are kept; the newest are at the end."""


class Memory:
    """Entries by key, plain values in a JSON file.

    Args:
        name: the name of the file.
    """

    def __init__(self, name: str) -> None:
        folder = os.environ.get(CACHE)
        self.path = (Path(folder) if folder else platformdirs.user_cache_path("mtbench")) / name

    def read(self) -> dict[str, Any]:
        """Return all entries; none if the file is missing or invalid."""
        try:
            entries = json.loads(read_guarded(self.path))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def add(self, entries: Mapping[str, Any]) -> None:
        """Add entries, in place of those of the same keys, if the file can be written.

        Of two processes that do so at the same time one may lose its entries; the file stays valid.
        """
        if not entries:
            return
        kept = {key: value for key, value in self.read().items() if key not in entries}
        newest = list({**kept, **entries}.items())[-MOST:]
        with suppress(StoreError):
            make_folder(self.path.parent)
            write_text(self.path, json.dumps(dict(newest), indent=0) + "\n")
