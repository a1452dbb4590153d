"""The parts of metrics in Δm."""

import csv

import pytest

from mtbench.report.data.choices import Choices, Convention
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.gains.parts import large_parts, mean_parts
from mtbench.report.data.gains.relative import deltas
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.numbers import table_frame
from mtbench.report.write import csv_text
from tests.report.records import INDOOR, INDOOR_SINGLE, INDOOR_UNIFORM, finished, indoor

STREET = INDOOR[:2]


def street(method: str, seed: int, *row: float) -> object:
    scores = {
        "segmentation": {"miou": row[0], "pixel-accuracy": row[1]},
        "depth": {"absolute-error": row[2], "relative-error": row[3]},
    }
    return finished(method, seed, scores, tasks=STREET)


CITYSCAPES = [
    street("single", 0, 74.01, 93.16, 0.0125, 27.77),
    street("uniform", 0, 75.18, 93.49, 0.0155, 46.77),
    street("td", 0, 68.84, 91.54, 0.0159, 33.50),
]


def said_of(comparison: Comparison, convention: Convention) -> str:
    return large_parts(comparison, convention, mean_parts(comparison, convention))


@pytest.mark.parametrize("average", ["task", "metric", "main"])
@pytest.mark.parametrize("sign", ["gain", "drop"])
def test_parts_add_up_to_the_gain(average: str, sign: str) -> None:
    (comparison,) = compare([indoor("single", 0, INDOOR_SINGLE), indoor("uniform", 0, INDOOR_UNIFORM)])
    convention = Convention(average=average, sign=sign)
    assert len(comparison.methods) == 2
    for parts, gain in zip(mean_parts(comparison, convention), deltas(comparison, convention), strict=True):
        assert parts
        assert sum(parts.values()) == pytest.approx(gain[0])


def test_a_metric_that_makes_more_than_half_of_the_gain_is_named_below_the_table() -> None:
    """Linear scalarization on Cityscapes in the table of Nash-MTL: 17.1 of 22.6 points are the relative error."""
    (comparison,) = compare(CITYSCAPES)  # type: ignore[arg-type]
    assert (
        said_of(comparison, Convention(average="metric", sign="drop"))
        == "One metric makes more than half of Δm: relative-error of depth in uniform (+17.10 of +22.62)."
    )
    assert said_of(comparison, Convention()) in build_table(comparison).footnotes


def test_the_csv_has_the_part_of_each_metric_that_is_shown() -> None:
    (comparison,) = compare(CITYSCAPES)  # type: ignore[arg-type]
    choices = Choices(metrics=("all",), delta=Convention(average="metric", sign="drop"))
    rows = csv.DictReader(csv_text(table_frame(build_table(comparison, choices))).splitlines())
    parts = [float(row["delta_m_part"]) for row in rows if row["method"] == "uniform"]
    assert parts == pytest.approx([-1.6 / 4, -0.4 / 4, 24.0 / 4, 68.4 / 4], abs=0.02)
    (digits,) = compare([finished("single", 0, (50, 50)), finished("td", 0, (75, 50))])
    assert "delta_m_part" not in csv_text(table_frame(build_table(digits)))


def test_where_no_metric_makes_half_or_each_task_has_one_nothing_is_said() -> None:
    (comparison,) = compare([indoor("single", 0, INDOOR_SINGLE), indoor("uniform", 0, INDOOR_UNIFORM)])
    assert said_of(comparison, Convention()) == ""
    (comparison,) = compare([finished("single", 0, (50, 50)), finished("td", 0, (75, 50))])
    assert said_of(comparison, Convention()) == ""
