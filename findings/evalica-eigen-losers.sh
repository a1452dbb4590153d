#!/usr/bin/env bash
# evalica 0.4.2: `eigen` ranks by the eigenvector of losses: the item that loses most comes first.
#
# Guess: where one item wins most of its comparisons with each other item, all methods agree that it is the best; scores
# are returned in falling order, the best item first.
# Behaviour: `eigen` multiplies by the transposed matrix of wins, so that an item gets the scores of those that beat it.
# Where a beats b and b beats c at 7 of 10 comparisons, and a beats c at 9 of 10, the other six give the order a, b, c:
#   counting         a 16.0000    b 10.0000    c 4.0000
#   average_win_rate a 0.8000     b 0.5000     c 0.2000
#   bradley_terry    a 2.6413     b 1.0000     c 0.3786
#   newman           a 2.6413     b 1.0000     c 0.3786
#   elo              a 1021.3337  b 1000.3894  c 978.2769
#   pagerank         a 0.3875     b 0.3826     c 0.2299
#   eigen            c 0.7875     b 0.5412     a 0.2948
# The eigenvector of the wins themselves, (0.788, 0.541, 0.295) for a, b and c, is what `eigen` gives for c, b and a.
# Both of its forms, in Rust and in Python, do so.
#
# Fails if `eigen` puts a first, or another method does not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet evalica==0.4.2 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import evalica
import numpy as np
from evalica import Winner

METHODS = ("counting", "average_win_rate", "bradley_terry", "newman", "elo", "pagerank", "eigen")
firsts, seconds, winners = [], [], []
for first, second, wins in (("a", "b", 7), ("b", "c", 7), ("a", "c", 9)):
    firsts += [first] * 10
    seconds += [second] * 10
    winners += [Winner.X] * wins + [Winner.Y] * (10 - wins)
for solver in ("pyo3", "naive"):
    for name in METHODS:
        scores = getattr(evalica, name)(firsts, seconds, winners, solver=solver).scores
        print(f"{solver:5} {name:16}", *(f"{item} {score:<9.4f}" for item, score in scores.items()))
        expected = "cba" if name == "eigen" else "abc"
        assert "".join(scores.index) == expected, f"{name} gives another order now"
values, vectors = np.linalg.eig(np.array([[0, 7, 9], [3, 0, 7], [1, 3, 0]], dtype=float))
main = np.abs(vectors[:, np.argmax(values.real)].real)
print("eigenvector of the wins:", main.round(4))
assert main[0] > main[1] > main[2]
PYTHON
