import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import torch
from mtbench.engines.heap import keep_freed_memory

if {kept}:
    assert keep_freed_memory()


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def step():
    maps = [torch.empty(10_000_000).fill_(1.0) for _ in range(2)]  # 40 MB each


for _ in range(5):
    step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""


def page_faults(*, kept: bool) -> int:
    """Page faults of ten steps that each free 80 MB, after a few, in a process of its own."""
    command = [sys.executable, "-c", FAULTS.format(kept=kept)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these parameters")
def test_a_step_gets_the_memory_that_the_step_before_has_freed() -> None:
    """Else each of the ten steps gets all its pages from the kernel; now and then the heap grows once more."""
    pages = 2 * 10_000_000 * 4 // 4096  # of one step
    assert page_faults(kept=True) < 2 * pages
