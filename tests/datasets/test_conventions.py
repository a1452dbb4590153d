"""Published rows on NYUv2 and Cityscapes against the Δm that is printed of them, or follows from them.

Rows are those of Nash-MTL (Navon et al., ICML 2022, tables 2 and 3) and of the papers of MoCo, Aligned-MTL and FAMO.
"""

import numpy as np
import pytest

from mtbench.contract import Depth, Normals, Segmentation, SingleTaskValues
from mtbench.stats.relative import delta_m, delta_parts
from mtbench_datasets.conventions import AUTO_LAMBDA_NYUV2, CAGRAD_CITYSCAPES, CAGRAD_NYUV2, CITYSCAPES, DENSE, NYUV2

HIGHER = {"miou", "pixel-accuracy", "within-11.25", "within-22.5", "within-30"}
NYUV2_ROWS = {
    "ls": (39.29, 65.33, 0.5493, 0.2263, 28.15, 23.96, 22.09, 47.50, 61.08),
    "dwa": (39.11, 65.31, 0.5510, 0.2285, 27.61, 23.18, 24.17, 50.18, 62.39),
    "uw": (36.87, 63.17, 0.5446, 0.2260, 27.04, 22.61, 23.54, 49.05, 63.65),
    "pcgrad": (38.06, 64.64, 0.5550, 0.2325, 27.41, 22.80, 23.86, 49.83, 63.14),
    "graddrop": (39.39, 65.12, 0.5455, 0.2279, 27.48, 22.96, 23.38, 49.44, 62.87),
    "cagrad": (39.79, 65.49, 0.5486, 0.2250, 26.31, 21.58, 25.61, 52.36, 65.58),
    "moco": (40.30, 66.07, 0.5575, 0.2135, 26.67, 21.83, 25.61, 51.78, 64.85),
    "nash": (40.13, 65.93, 0.5261, 0.2171, 25.26, 20.08, 28.40, 55.47, 68.15),
    "aligned": (40.82, 66.33, 0.53, 0.22, 25.19, 19.71, 28.88, 56.23, 68.54),
}
DROPS = {
    "ls": (5.59, -0.88),
    "dwa": (3.57, -1.93),
    "uw": (4.06, -0.91),
    "pcgrad": (3.97, -1.11),
    "graddrop": (3.58, -2.07),
    "cagrad": (0.19, -4.33),
    "moco": (0.17, -4.85),
    "nash": (-4.05, -7.65),
    "aligned": (-4.77, -8.16),
}
"""The drop over all metrics, and over the means of tasks."""
CITYSCAPES_ROWS = {
    "ls": (75.18, 93.49, 0.0155, 46.77),
    "si": (70.95, 91.73, 0.0161, 33.83),
    "mgda": (68.84, 91.54, 0.0309, 33.50),
    "pcgrad": (75.13, 93.48, 0.0154, 42.07),
    "nash": (75.41, 93.66, 0.0129, 35.02),
    "famo": (74.54, 93.29, 0.0145, 32.59),
}


def pairs(constants: SingleTaskValues) -> list[tuple[str, str]]:
    return list(constants.numbers())


def drop(constants: SingleTaskValues, row: tuple[float, ...], average: str, shift: float = 0.0) -> float:
    """Return Δm as a drop; `shift` moves each constant by so many halves of its last digit for the worse."""
    names = pairs(constants)
    higher = [metric in HIGHER for _, metric in names]
    numbers, halves = constants.numbers(), constants.half_digits()
    base = [numbers[name] + shift * halves[name] * (1 if up else -1) for name, up in zip(names, higher, strict=True)]
    tasks = [task for task, _ in names]
    if average == "main":
        kept = [tasks.index(task) for task in dict.fromkeys(tasks)]
        return -float(delta_m(np.take([row], kept, 1), np.take(base, kept), np.take(higher, kept))[0])
    return -float(delta_m([row], base, higher, tasks if average == "task" else None)[0])


@pytest.mark.parametrize("method", NYUV2_ROWS)
def test_rows_of_nyuv2_have_the_drop_by_metrics_and_by_tasks_that_follows_from_them(method: str) -> None:
    found = [round(drop(CAGRAD_NYUV2, NYUV2_ROWS[method], average), 2) for average in ("metric", "task")]
    assert tuple(found) == DROPS[method]


def test_linear_scalarization_is_worse_by_metrics_and_better_by_tasks_and_by_primary_metrics() -> None:
    found = [round(drop(CAGRAD_NYUV2, NYUV2_ROWS["ls"], average), 2) for average in ("metric", "task", "main")]
    assert found == [5.59, -0.88, -2.90]


def test_the_order_of_the_rows_depends_on_the_average() -> None:
    by_metric, by_task = (
        sorted(NYUV2_ROWS, key=lambda method: drop(CAGRAD_NYUV2, NYUV2_ROWS[method], average))
        for average in ("metric", "task")
    )
    assert by_metric[:4] == ["aligned", "nash", "moco", "cagrad"]
    assert by_metric.index("dwa") < by_metric.index("uw")
    assert by_task.index("graddrop") < by_task.index("dwa") < by_task.index("pcgrad")


def test_the_columns_of_auto_lambda_follow_from_its_constants() -> None:
    """CAGrad's row there (README: 46.14, .4191, 23.52) is printed with a gain of 7.05 %."""
    assert drop(AUTO_LAMBDA_NYUV2, (46.14, 0.4191, 23.52), "metric") == pytest.approx(-7.05, abs=5e-3)
    main = drop(CAGRAD_NYUV2, (46.14, 0, 0.4191, 0, 23.52, 0, 0, 0, 0), "main")
    assert main == pytest.approx(-21.5, abs=0.05)  # the same row over the other constants


@pytest.mark.parametrize(("method", "found", "printed"), [("si", 14.07, 14.11), ("pcgrad", 18.21, 18.29)])
def test_a_printed_delta_of_cityscapes_is_off_by_no_more_than_the_last_digit_of_the_constants_allows(
    method: str, found: float, printed: float
) -> None:
    row = CITYSCAPES_ROWS[method]
    assert drop(CAGRAD_CITYSCAPES, row, "metric") == pytest.approx(found, abs=5e-3)
    ends = [drop(CAGRAD_CITYSCAPES, row, "metric", shift) for shift in (-1, 1)]
    assert min(ends) < printed < max(ends)
    assert (max(ends) - min(ends)) / 2 == pytest.approx(0.13, abs=0.01)


def test_the_last_digit_of_the_constants_leaves_mgda_open_by_a_quarter_of_a_point() -> None:
    ends = [drop(CAGRAD_CITYSCAPES, CITYSCAPES_ROWS["mgda"], "metric", shift) for shift in (-1, 1)]
    assert (max(ends) - min(ends)) / 2 == pytest.approx(0.25, abs=0.01)


def parts(method: str) -> list[float]:
    """Return the parts of the drop."""
    names = pairs(CAGRAD_CITYSCAPES)
    base = list(CAGRAD_CITYSCAPES.numbers().values())
    return [
        -float(part) for part in delta_parts([CITYSCAPES_ROWS[method]], base, [name[1] in HIGHER for name in names])[0]
    ]


def test_the_drop_on_cityscapes_is_that_of_depth_and_mostly_of_one_metric() -> None:
    ls = parts("ls")
    assert [round(4 * part, 1) for part in ls] == [-1.6, -0.4, 24.0, 68.4]
    assert round(sum(ls), 1) == 22.6
    assert round(ls[3], 1) == 17.1
    assert round(ls[2] + ls[3], 1) == 23.1
    assert [round(value, 1) for value in (parts("nash")[3], sum(parts("nash")))] == [6.5, 6.7]
    famo = parts("famo")
    assert [round(value, 1) for value in (famo[3], famo[2] + famo[3], sum(famo))] == [4.3, 8.3, 8.1]
    assert round(sum(parts("mgda")[:2]), 1) == 2.2
    assert round(sum(parts("si")[:2]), 1) == 1.4


def test_constants_are_of_the_metrics_of_the_kinds_of_dense_tasks_in_their_order() -> None:
    kinds = {"segmentation": Segmentation(classes=13), "depth": Depth(), "normals": Normals()}
    metrics = {task: [metric.name for metric in kind.metrics] for task, kind in kinds.items()}
    assert {task: list(values) for task, values in CAGRAD_NYUV2.values.items()} == metrics
    assert {task: list(values) for task, values in CAGRAD_CITYSCAPES.values.items()} == {
        task: metrics[task] for task in ("segmentation", "depth")
    }
    assert {task: list(values) for task, values in AUTO_LAMBDA_NYUV2.values.items()} == {
        task: names[:1] for task, names in metrics.items()
    }
    assert {metric.name for kind in kinds.values() for metric in kind.metrics if metric.higher_is_better} == HIGHER


def test_conventions_of_all_dense_datasets_have_the_same_rules() -> None:
    for name, one in NYUV2.items():
        for other in (CITYSCAPES[name], DENSE[name]):
            assert (one.epoch, one.average, one.sign, one.base) == (other.epoch, other.average, other.sign, other.base)
    assert [each["cagrad"].batches.size for each in (NYUV2, CITYSCAPES)] == [2, 8]  # type: ignore[union-attr]
    assert [name for name, each in NYUV2.items() if each.chooses_on_test] == ["libmtl", "auto-lambda"]
