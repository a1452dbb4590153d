#!/usr/bin/env bash
# torch 2.14.1 on a machine without a GPU: the deeper the stack of its caller, the longer `torch.manual_seed` takes.
#
# Guess: it sets the generator of the CPU in some microseconds, whoever calls it; what has no device is skipped.
# Behaviour: for CUDA, XPU and MTIA it keeps the request until such a device is first used, each with the whole stack of
# calls as text. Microseconds by depth of the stack, beside the generator's own method, which sets the same numbers:
#   depth    torch.manual_seed   torch.default_generator.manual_seed
#       1                  122   1.1
#      10                  170   1.1
#     100                  819   1.1
#     400                 3028   1.2
#
# Fails if less than three stacks are formatted, or the depth costs less than five times.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.14.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import time
import traceback
from collections.abc import Callable

import torch

CALLS = 50
assert not torch.cuda.is_available(), "this is about machines without a GPU"


def microseconds(depth: int, seed: Callable[[int], object]) -> float:
    """The processor time of a call, from a stack of as many calls more."""
    if depth:
        return microseconds(depth - 1, seed)
    start = time.process_time()
    for number in range(CALLS):
        seed(number)
    return (time.process_time() - start) / CALLS * 1e6


torch.manual_seed(3)
drawn = torch.rand(4)
torch.default_generator.manual_seed(3)
assert torch.equal(torch.rand(4), drawn), "they set unlike numbers"
found = {}
for depth in (1, 10, 100, 400):
    found[depth] = [microseconds(depth, seed) for seed in (torch.manual_seed, torch.default_generator.manual_seed)]
    print(f"{depth:5} {found[depth][0]:10.0f} {found[depth][1]:8.1f}")
stacks, plain = [], traceback.format_stack
traceback.format_stack = lambda *given, **named: stacks.append(plain(*given, **named)) or stacks[-1]
torch.manual_seed(0)
print("stacks formatted in one call:", len(stacks))
assert len(stacks) >= 3, "it formats fewer stacks now"
assert found[400][0] > 5 * found[1][0], "the depth costs little now"
PYTHON
