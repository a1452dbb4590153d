#!/usr/bin/env bash
# torchjd 0.18.0, in float64: UPGrad and DualProj conflict with a gradient that is ten to a hundred times shorter than
# another, and CAGrad stands still from a ratio of 10,000 on.
#
# Guess: rounding apart, an update that is projected onto the dual cone has no negative product with any gradient, and
# CAGrad's is 0 only where the mean gradient is.
# Behaviour: of two gradients at 120 degrees the second is shorter by a ratio. The cosine of the update with it is, by
# ratio,
#             1        0.1      0.01     0.0001
#   UPGrad    +0.5000  +0.0768  -0.2684  -0.4999
#   DualProj  +0.5000  -0.0058  -0.2774  -0.4999
#   CAGrad    +0.5000  -0.0213  -0.1056  (its update is 0)
# The inner products are divided by their trace. To the diagonal of the quotient UPGrad and DualProj add 1e-4 before
# they project. CAGrad gives 0 where its combination of the gradients, so divided, is shorter than 1e-4: the shorter
# gradient alone is. That CAGrad's cosine is negative before is as it should be, for its ball reaches no further.
#
# Fails if UPGrad and DualProj harm neither gradient, or if CAGrad moves.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.14.1 "torchjd[cagrad,quadprog-projector]==0.18.0"
"$folder/venv/bin/python" - <<'PYTHON'
import math

import torch
from torchjd.aggregation import CAGrad, DualProj, UPGrad

RATIOS = (1.0, 0.1, 0.01, 0.0001)


def cosine_with_the_shorter(aggregator, ratio):
    angle = math.radians(120)
    gradients = torch.tensor([[1.0, 0.0], [ratio * math.cos(angle), ratio * math.sin(angle)]], dtype=torch.float64)
    update = aggregator(gradients)
    if update.norm() == 0:
        return math.nan
    return float(gradients[1] @ update / gradients[1].norm() / update.norm())


found = {}
print(f"{'':9}", *(f"{ratio:<8g}" for ratio in RATIOS))
for aggregator in (UPGrad(), DualProj(), CAGrad(c=0.4)):
    name = type(aggregator).__name__
    found[name] = [cosine_with_the_shorter(aggregator, ratio) for ratio in RATIOS]
    print(f"{name:9}", *(f"{cosine:+.4f} " for cosine in found[name]))
assert found["UPGrad"][2] < -0.2, "UPGrad harms no shorter gradient any more"
assert found["DualProj"][2] < -0.2, "DualProj harms no shorter gradient any more"
assert math.isnan(found["CAGrad"][3]), "CAGrad moves now"
PYTHON
