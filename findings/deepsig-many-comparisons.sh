#!/usr/bin/env bash
# deepsig 1.2.8: the correction of `aso` (almost stochastic order) for several comparisons gets weaker the more there are.
#
# Guess: `num_comparisons=m` is Bonferroni's correction, as its documentation says: the bound is of level 1 - .05 / m,
# and grows with m, so that "A is better" (a bound below .5) is harder to reach.
# Behaviour: the level is .95 + .05 / m. It is right for two comparisons, and falls back to .95 with more. Bounds on the
# same scores, for 1, 2, 10 and 100 comparisons, and at the level .995 that ten comparisons need:
#   1: 0.4987  2: 0.5806  10: 0.5118  100: 0.4999  level .995: 0.7408
#
# Fails if the bound for 100 comparisons is not below that for two.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps deepsig==1.2.8 dill==0.4.0 joblib==1.5.2 numpy==2.4.6 psutil==7.1.3 \
    scipy==1.17.1 tqdm==4.67.1 pandas==3.1.1 python-dateutil==2.9.0.post0 six==1.17.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from deepsig import aso

generator = np.random.default_rng(0)
better, worse = generator.normal(0.6, 1, 30), generator.normal(0, 1, 30)


def bound(**settings: float) -> float:
    return aso(better, worse, seed=1, show_progress=False, **settings)


found = {m: bound(num_comparisons=m) for m in (1, 2, 10, 100)}
needed = bound(confidence_level=0.995)
print("  ".join(f"{m}: {value:.4f}" for m, value in found.items()), f" level .995: {needed:.4f}")
assert found[1] < found[100] < found[10] < found[2] < needed, "more comparisons make a wider bound now"
PYTHON
