#!/usr/bin/env bash
# numpy 2.4.6: a quantile that falls on a finite element is NaN if the next element is infinite.
#
# Guess: the quantile .5 of three numbers is the middle one, as the median is, whatever the largest is.
# Behaviour: quantile adds to the element 0 times its distance from the next one, which is NaN if that is infinite; so a
# figure whose worst case is infinite, such as a distance that was not measured, has no median. `method="lower"` and
# numpy.median give the element. torch.quantile gives it too. (numpy issue 12282, open since 2018.)
#     quantile([0, 1, inf], .5)                  nan
#     quantile([0, 1, inf], .5, method="lower")  1.0
#     median([0, 1, inf])                        1.0
#
# Fails if quantile and median agree, or the other two do not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np

values = [0.0, 1.0, np.inf]
print("quantile, .5                ", np.quantile(values, 0.5))
print("quantile, .5, method='lower'", np.quantile(values, 0.5, method="lower"))
print("median                      ", np.median(values))
assert np.isnan(np.quantile(values, 0.5))
assert np.quantile(values, 0.5, method="lower") == np.median(values) == 1.0
PYTHON
