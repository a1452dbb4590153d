"""Files of suites."""

import math
import random
import tomllib
from pathlib import Path

from tests.fuzz.campaign import ACCEPTED, REFUSED, Kind
from tests.fuzz.kinds.alter import any_bytes
from tests.fuzz.mutations import mutate_text
from tests.fuzz.place import called
from tests.fuzz.world import World

__all__ = ["SUITES"]


def _toml(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:
    if draw.random() < 0.15:
        return any_bytes(world, file, draw)
    how, text = mutate_text(file.read_text(), draw)
    return how, text.encode(errors="surrogatepass")


def _suite(world: World, file: Path, draw: random.Random) -> str:
    """Validate, show, plan and report a suite: one that is valid passes all and has claims within bounds.

    The refusal of another names it.
    """
    place = ("--results", str(world.results), "--data-root", str(world.place))
    refused = called("suite", "validate", str(file))
    others = {
        "show": called("suite", "show", str(file)),
        "plan": called("run", "--suite", str(file), "--dry-run", *place),
        "report": world.report(draw, "--suite", str(file)),
    }
    if refused:
        assert file.name in refused, refused
        return REFUSED
    assert not any(others.values()), {name: why for name, why in others.items() if why}
    for claim in tomllib.loads(file.read_text()).get("claim", []):
        assert 0 <= claim.get("margin", 0) < math.inf, claim
    return ACCEPTED


SUITES: dict[str, Kind[World]] = {"suite": Kind(files="suite.toml", mutate=_toml, read=_suite, part=2)}
