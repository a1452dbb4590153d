import subprocess
import sys

import numpy as np

from mtbench.train.cost.memory import peak_memory

MIB = 2**20
PRINT = "from mtbench.train.cost.memory import peak_memory; print(peak_memory())"


def test_the_peak_stays_when_memory_is_given_back() -> None:
    before = peak_memory()
    much = np.ones(before + 64 * MIB, dtype=np.uint8)
    assert much.all()
    del much
    assert peak_memory() >= before + 64 * MIB


def test_the_peak_is_not_that_of_the_process_which_started_this_one() -> None:
    much = np.ones(256 * MIB, dtype=np.uint8)
    assert much.all()
    done = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 128 * MIB < 256 * MIB < peak_memory()
