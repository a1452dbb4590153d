"""The short form of `make fuzz`."""

import itertools

import pytest

from tests.fuzz.arguments import Arguments, invocations
from tests.fuzz.files import KINDS, Campaign, World
from tests.fuzz.limits import Hung, limited


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    place = tmp_path_factory.mktemp("fuzz") / "place"
    place.mkdir()
    return World(place)


@pytest.mark.parametrize("kind", KINDS)
def test_an_altered_file_ends_no_command_and_no_number_changes_in_silence(kind: str, world: World) -> None:
    campaign = Campaign(world)
    campaign.run(kind, range(round(2 * KINDS[kind].part) or 1))
    assert not campaign.faults, str(campaign.faults[0])
    assert campaign.outcomes[kind].total() >= 1


def test_an_odd_argument_shows_no_traceback(world: World) -> None:
    given = Arguments(world)
    given.run(invocations(40))
    assert not given.faults, str(given.faults[0])
    assert sum(outcomes.total() for outcomes in given.outcomes.values()) == 40


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(Hung), limited(0.01):
        all(True for _ in itertools.count())
