#!/usr/bin/env bash
# autorank 1.3.0: on paired samples from normal populations the omnibus test uses the pairs, and the test after it does not.
#
# Guess: three methods on 20 common seeds whose scores differ by 1 at each seed, with a noise of .1, are told apart by
# both tests, as in the way for other populations (Friedman, then Nemenyi), which both use the pairs.
# Behaviour: repeated-measures ANOVA rejects, p = 5e-38. Tukey's test after it takes the 60 scores as independent, so
# that the spread over seeds (4.4) hides differences that no seed contradicts:
#   a < b at 20 of 20 seeds, omnibus anova, p = 4.7e-38, after it tukeyhsd
#   Based post-hoc Tukey HSD test, we assume that there are no significant differences within the following groups:
#   a and b; b and c. All other differences are significant. (one line)
#
# Fails if the report finds all differences significant.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet autorank==1.3.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import contextlib
import io

import numpy as np
import pandas as pd
from autorank import autorank, create_report

generator = np.random.default_rng(0)
seeds = generator.normal(80, 5, 20)
scores = pd.DataFrame({name: seeds + gain + generator.normal(0, 0.1, 20) for name, gain in zip("abc", range(3))})
said = io.StringIO()
with contextlib.redirect_stdout(said):
    found = autorank(scores)
    create_report(found)
verdict = said.getvalue().strip().splitlines()[-1]
ordered = int((scores.a < scores.b).sum())
print(f"a < b at {ordered} of 20 seeds, omnibus {found.omnibus}, p = {found.pvalue:.1e}, after it {found.posthoc}")
print(verdict)
assert ordered == 20 and found.pvalue < 1e-30, "the scores are others now"
assert "no significant differences within the following groups: a and b; b and c" in verdict, "pairs are used now"
PYTHON
