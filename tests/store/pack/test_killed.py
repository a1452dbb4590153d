"""Processes that are killed while they write packs."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record
from mtbench.store.union import survey_all
from mtbench.store.upkeep.verify import verify
from tests.builders.published import publish
from tests.cli.commands import start
from tests.waits import DEADLINE

KILLS = 8


@pytest.mark.slow
def test_a_pack_is_the_old_or_the_new_one_whenever_its_writer_is_killed(tmp_path: Path, record: Record) -> None:
    results, pack, out = tmp_path / "results", tmp_path / "x.zip", tmp_path / "out"
    publish(results, record, seeds=range(2))
    old = collect(results, weights=False)
    publish(results, record, seeds=range(2, 30))
    chance = random.Random(0)
    seen = set()
    for _ in range(KILLS):
        write_pack(pack, old.members, {}, keep=False)
        process = start("store", "pack", str(results), str(pack))
        time.sleep(chance.uniform(0.5, 4))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=DEADLINE)
        assert verify(pack).is_sound
        seen.add(len(survey_all([pack], out)))
    assert seen <= {2, 30}
    process = start("store", "pack", str(results), str(pack))
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert len(survey_all([pack], out)) == 30
    assert sorted(os.listdir(tmp_path)) == ["results", "x.zip"]
