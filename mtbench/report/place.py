"""The places of reports on disk."""

from pathlib import Path

from mtbench.errors import UsageError

__all__ = ["DEFAULT_REPORTS", "PAGE", "find_page"]

DEFAULT_REPORTS = Path("reports/local")
PAGE = "index.html"
"""The name of the page in the folder of a report."""


def find_page(folder: Path | None = None) -> Path:
    """Return the page in a folder, or the newest in the folders of it.

    Args:
        folder: the folder of a report or of several, or a page itself; `DEFAULT_REPORTS` by default.

    Raises:
        UsageError: there is none.
    """
    place = folder or DEFAULT_REPORTS
    if place.is_file():
        return place
    if (page := place / PAGE).is_file():
        return page
    if found := sorted(place.glob(f"*/{PAGE}"), key=lambda path: (path.stat().st_mtime_ns, path)):
        return found[-1]
    raise UsageError(
        f"there is no {PAGE} in {place}.", mend="Write one: mtbench report; or name its folder: mtbench open DIR."
    )
