"""The short form of `make fuzz`."""

import itertools
import time
from pathlib import Path

import pytest

from tests.fuzz.arguments import Arguments, invocations
from tests.fuzz.campaign import Campaign
from tests.fuzz.datasets import COMPOSED, DataRoot
from tests.fuzz.kinds import DATA, STORE
from tests.fuzz.limits import Hung, limited
from tests.fuzz.world import World

FEW = (COMPOSED, "mmnist3:offset=5", "clevr-mini:train=6:test=3:size=32")
"""The datasets of the short form, which take a second to make."""


def _folder(factory: pytest.TempPathFactory) -> Path:
    place = factory.mktemp("fuzz") / "place"
    place.mkdir()
    return place


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(_folder(tmp_path_factory))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    return DataRoot(_folder(tmp_path_factory), FEW)


@pytest.mark.parametrize("kind", STORE)
def test_an_altered_file_ends_no_command_and_no_number_changes_in_silence(kind: str, world: World) -> None:
    campaign = Campaign(world, STORE)
    campaign.run(kind, range(round(2 * STORE[kind].part) or 1))
    assert not campaign.faults, str(campaign.faults[0])
    assert campaign.outcomes[kind].total() >= 1


@pytest.mark.parametrize("kind", DATA)
def test_an_altered_data_file_is_refused_by_name_or_found_by_its_sum(kind: str, data: DataRoot) -> None:
    campaign = Campaign(data, DATA)
    campaign.run(kind, range(4))
    assert not campaign.faults, str(campaign.faults[0])
    assert campaign.outcomes[kind].total() == 4


def test_an_odd_argument_shows_no_traceback(world: World) -> None:
    given = Arguments(world)
    given.run(invocations(40))
    assert not given.faults, str(given.faults[0])
    assert sum(outcomes.total() for outcomes in given.outcomes.values()) == 40


def test_what_computes_for_too_long_is_ended() -> None:
    with pytest.raises(Hung), limited(0.01):
        all(True for _ in itertools.count())


def test_what_waits_for_too_long_is_ended() -> None:
    with pytest.raises(Hung), limited(waiting=0.01):
        time.sleep(60)


def test_what_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(MemoryError), limited(memory=1 << 26):
        bytes(1 << 33)  # more than tests before this one may have freed and kept
    assert len(bytes(1 << 27)) == 1 << 27
