"""A package of methods whose titles are hard to print."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mtbench import registry

__all__ = ["TITLES", "named_package"]

TITLES = {"fake-one": "a_b & 50%", "fake-two": "<img src=x onerror=alert(1)>"}
"""Titles by the names of the methods."""


def named_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the package for a test; its classes are read and never imported."""
    site = folder / "site"
    info = site / "fake_package-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-package\nVersion: 1.2\n")
    points = "".join(f"{name} = fake_package:{name.replace('-', '')}\n" for name in TITLES)
    (info / "entry_points.txt").write_text(f"[mtbench.methods]\n{points}")
    (site / "fake_package.py").write_text(
        "".join(
            f"class {name.replace('-', '')}:\n    title = {title!r}\n"
            f"    bibtex = '@misc{{same, title = {{Of {name}}}, author = {{Nobody}}, year = {{2026}}}}'\n"
            for name, title in TITLES.items()
        )
    )
    monkeypatch.syspath_prepend(site)
    registry.entries.cache_clear()
    yield
    registry.entries.cache_clear()
