"""A world for each test."""

from pathlib import Path

import pytest

from tests.search.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(results=tmp_path / "results")
