#!/usr/bin/env bash
# moocore 0.3.2: `whv_rect`, the hypervolume weighted by rectangles, gets smaller by a dominated point, and loses what
# lies under the lowest top of the rectangles where a point of the front lies on that top.
#
# Guess: a rectangle of weight 1 gives the part of the hypervolume inside it, so that rectangles that tile everything up
# to the reference give `hypervolume`; a dominated point changes nothing, as in `hypervolume`.
# Behaviour: both fail. The front (1, 3), (2, 2), (3, 1) has a hypervolume of 6 with reference (4, 4). By what is added
# to it, and by the height at which the square from (0, 0) to (4, 4) is cut in two rectangles of weight 1:
#                   hypervolume  whole square  cut at 2  cut at 2.000001
#   front                     6          6.00      5.00             6.00
#   and (3.5, 3.5)            6          4.75      3.75             4.75
#   and (2.5, 2.5)            6          5.75      4.75             5.75
# Of the cut at 2 the lower rectangle counts 0 where it should count 1: the point (2, 2) ends the sweep. Rectangles of
# `eafdiff` take their heights from such points. `total_whv_rect` adds the same sum to a right hypervolume.
#
# Fails if a dominated point changes nothing, or the cut at 2 gives 6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet moocore==0.3.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import moocore
import numpy as np

REFERENCE = (4.0, 4.0)
FRONT = [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]
WHOLE = [(0.0, 0.0, 4.0, 4.0, 1.0)]


def cut(height: float) -> list[tuple[float, ...]]:
    return [(0.0, 0.0, 4.0, height, 1.0), (0.0, height, 4.0, 4.0, 1.0)]


def weighted(points: list[tuple[float, ...]], rectangles: list[tuple[float, ...]]) -> float:
    return float(moocore.whv_rect(np.array(points), np.array(rectangles), ref=REFERENCE))


found = {}
for name, points in (("front", FRONT), *((f"and {added}", [*FRONT, added]) for added in ((3.5, 3.5), (2.5, 2.5)))):
    volume = moocore.hypervolume(np.array(points), ref=REFERENCE)
    found[name] = [weighted(points, rectangles) for rectangles in (WHOLE, cut(2.0), cut(2.000001))]
    print(f"{name:15}", f"{volume:g}", *(f"{value:.2f}" for value in found[name]))
    assert volume == 6, "the hypervolume is another one now"
lower = weighted(FRONT, cut(2.0)[:1])
print("lower rectangle of the cut at 2:", lower)
assert np.allclose(found["front"][::2], 6), "the front alone has another sum now"
assert found["and (3.5, 3.5)"][0] < 5, "a dominated point changes nothing now"
assert found["front"][1] < 5.5 and lower == 0, "a point on the lowest top is no end now"
PYTHON
