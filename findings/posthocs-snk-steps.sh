#!/usr/bin/env bash
# scikit-posthocs 0.17.1: `posthoc_snk` (Student, Newman and Keuls) tests every span of ordered means for itself. The
# step down is missing: two means count as different although the wider span that holds them does not.
#
# Guess: a pair has a p value that is not smaller than those of all spans around it, since the docstring says that the
# step-down procedure is the adjustment.
# Behaviour: p depends on a pair's own span alone. The three groups are not significantly different, and two of them are:
#   a, c (span 3): p = 0.0586      b, c (span 2): p = 0.0305
#
# Fails if a pair has no smaller p than the span around it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-posthocs==0.17.1 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import scikit_posthocs

groups = [[0.0, 1.0, 2.0], [0.1, 1.1, 2.1], [2.4, 3.4, 4.4]]
p = scikit_posthocs.posthoc_snk(groups).to_numpy()
print(f"a, c (span 3): p = {p[0, 2]:.4f}      b, c (span 2): p = {p[1, 2]:.4f}")
assert p[1, 2] < 0.05 <= p[0, 2], "a pair is tested within the spans around it now"
PYTHON
