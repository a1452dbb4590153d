"""The kinds of files that are altered, by the place that they are in."""

from tests.fuzz.campaign import Kind
from tests.fuzz.kinds.data import DATA
from tests.fuzz.kinds.packs import PACKS
from tests.fuzz.kinds.results import RESULTS
from tests.fuzz.kinds.suites import SUITES
from tests.fuzz.kinds.trained import TRAINED
from tests.fuzz.world import World

__all__ = ["DATA", "STORE"]

STORE: dict[str, Kind[World]] = {**RESULTS, **TRAINED, **PACKS, **SUITES}
"""The kinds of a results folder, its pack and its suite."""
