"""Kept evidence of this repository, in packs."""

from pathlib import Path

__all__ = ["RESULTS", "kept"]

RESULTS = Path(__file__).parents[2] / "results"


def kept(name: str) -> list[Path]:
    """Return the packs below ``results/<name>``, or that folder where its runs are not in packs."""
    folder = RESULTS / name
    return sorted(folder.glob("*.zip")) or [folder]
