from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtbench.contract import TrainingProtocol
from mtbench.report.assemble import make_report
from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.diagnostics.compliance import draw_compliance
from mtbench.report.exhibits.diagnostics.data import conflict_frame
from mtbench.report.exhibits.diagnostics.equal_loss import EqualLoss, equal_losses
from mtbench.report.exhibits.diagnostics.pairs import draw_pairs
from mtbench.store.record.diagnosis import Conflict, Matrix
from mtbench.store.status import RunStatus
from tests.report.records import finished

NAMES = ("LU", "RL", "UR")


def symmetric(names: Sequence[str], diagonal: float, beside: Mapping[tuple[str, str], float]) -> Matrix:
    return tuple(
        tuple(diagonal if one == other else beside.get((one, other), beside.get((other, one), 60.0)) for other in names)
        for one in names
    )


def curved(
    method: str,
    losses: Sequence[float],
    ucr: Sequence[float],
    *,
    seed: int = 0,
    names: Sequence[str] = NAMES,
    dataset: str = "mmnist3",
    same: bool = False,
) -> RunStatus:
    """Return a run with these losses of the first two tasks, and compliance of the two, epoch by epoch; the third
    task's loss is 1, the null is 90, and on the same images all are less by 20."""
    protocol = TrainingProtocol(epochs=len(losses), diagnostics=("conflict",))
    run = finished(method, seed, dict.fromkeys(names, 80.0), dataset=dataset, protocol=protocol)
    assert run.record is not None

    def conflict(value: float, less: float = 0.0) -> Conflict:
        one = symmetric(names, 90 - less, {("LU", "RL"): value - less})
        return Conflict(batches=tuple((10,) * len(names) for _ in names), ucr=one, cosine=one)

    curve = tuple(
        replace(
            point,
            train_losses={name: 1.0 if name == "UR" else loss for name in names},
            conflict=conflict(value),
            same_images=conflict(value, 20) if same else None,
        )
        for point, loss, value in zip(run.record.curve, losses, ucr, strict=True)
    )
    return replace(run, record=replace(run.record, curve=curve))


def found_of(runs: list[RunStatus]) -> list[EqualLoss]:
    """Return the tables at equal loss of some runs."""
    comparisons = compare(runs)
    return equal_losses(comparisons, [conflict_frame(comparison) for comparison in comparisons])


def test_methods_are_compared_at_the_losses_that_both_reach_between_the_points_of_their_curves() -> None:
    runs = [curved("chmod", [4, 2, 1], [90, 70, 60]), curved("uniform", [3, 2.5, 1.5], [80, 75, 50])]
    (found,) = found_of(runs)
    frame = found.frame[(found.frame["task"] == "LU") & (found.frame["other"] == "RL")].set_index(["at", "method"])
    assert frame["loss"].to_dict() == {
        ("highest", "chmod"): 3, ("highest", "uniform"): 3, ("lowest", "chmod"): 1.5, ("lowest", "uniform"): 1.5,
    }  # fmt: skip
    assert frame["ucr"].to_dict() == {
        ("highest", "chmod"): 80, ("highest", "uniform"): 80, ("lowest", "chmod"): 65, ("lowest", "uniform"): 50,
    }  # fmt: skip
    assert set(frame["null"]) == {90}
    assert frame["same_images_ucr"].isna().all()


def test_points_at_which_the_loss_has_risen_again_are_passed_over() -> None:
    runs = [curved("chmod", [4, 2, 3, 1], [90, 70, 0, 60]), curved("uniform", [4, 3, 2, 1.5], [80, 75, 50, 40])]
    (found,) = found_of(runs)
    at = found.frame[(found.frame["task"] == "LU") & (found.frame["other"] == "RL") & (found.frame["at"] == "lowest")]
    assert at.set_index("method")["ucr"].to_dict() == {"chmod": 65, "uniform": 40}


def test_a_loss_that_a_method_never_has_is_no_ground_to_compare_on() -> None:
    runs = [curved("chmod", [4, 3], [90, 70]), curved("uniform", [2, 1], [80, 75])]
    assert found_of(runs) == []
    assert found_of(runs[:1]) == []


def test_tasks_trained_together_and_in_pairs_stand_in_one_table() -> None:
    pair = {"names": NAMES[:2], "dataset": "mmnist3:tasks=LU/RL"}
    runs = [
        *(curved("chmod", [4, 2], [90 + 2 * seed, 70], seed=seed, same=True) for seed in (0, 1)),
        curved("uniform", [4, 2], [80, 50], same=True),
        curved("chmod", [4, 1], [88, 66], **pair),  # type: ignore[arg-type]
        curved("uniform", [4, 1], [77, 44], **pair),  # type: ignore[arg-type]
    ]
    (found,) = found_of(runs)
    assert found.home.dataset == "mmnist3"
    layout = found.page.layout
    assert layout.header == (
        "pair", "trained on", "loss",
        "chmod", "chmod null", "chmod same images", "chmod null of these",
        "uniform", "uniform null", "uniform same images", "uniform null of these",
    )  # fmt: skip
    lines = [tuple(cell.says for cell in line) for line in layout.lines]
    assert lines[0][:3] == ("mean of 3 pairs", "3 tasks", "highest 3")
    assert lines[2] == (
        "LU & RL", "3 tasks", "highest 4",
        "91.0 ± 1.4", "90.0 ± 0.0", "71.0 ± 1.4", "70.0 ± 0.0", "80.0", "90.0", "60.0", "70.0",
    )  # fmt: skip
    dash = lines[-1][-1]
    assert lines[-1] == (
        "LU & RL", "2 tasks", "lowest 1", "66.0", "90.0", dash, dash, "44.0", "90.0", dash, dash
    )  # fmt: skip
    assert len(lines) == 2 * (1 + 3) + 2


def test_reports_have_the_table_beside_the_joint_training(tmp_path: Path) -> None:
    runs = [curved("chmod", [4, 2], [90, 70]), curved("uniform", [4, 2], [80, 50])]
    names = {file.name for file in make_report(runs).write(tmp_path)}
    assert {f"mmnist3-paper-equal-loss.{kind}" for kind in ("md", "tex", "csv")} <= names
    text = (tmp_path / "mmnist3-paper-equal-loss.md").read_text()
    assert "highest and at the lowest loss" in text


def test_each_pair_has_a_panel_over_its_own_loss_with_its_null_and_the_same_images_beside() -> None:
    (shown,) = compare([curved("chmod", [4, 2], [90, 70], same=True), curved("uniform", [4, 1], [80, 50])])
    (figure,) = draw_pairs(shown, conflict_frame(shown))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["LU & RL", "LU & UR", "RL & UR"]
    first = figure.axes[0]
    found = [(line.get_linestyle(), np.asarray(line.get_ydata()).tolist()) for line in first.lines[1:]]
    assert found == [("-", [90, 70]), (":", [90, 90]), ("--", [70, 50]), ("-", [80, 50]), (":", [90, 90])]
    assert np.asarray(first.lines[1].get_xdata()).tolist() == [4, 2]
    assert np.asarray(figure.axes[1].lines[1].get_xdata()).tolist() == pytest.approx([2.5, 1.5])
    left, right = first.get_xlim()
    assert left > right
    assert "Dashed" in figure.legends[0].get_title().get_text()


def test_the_mean_over_pairs_has_a_dashed_line_of_the_same_images() -> None:
    (shown,) = compare([curved("chmod", [4, 2], [90, 70], same=True)])
    (figure,) = draw_compliance(shown, conflict_frame(shown))
    styles = {line.get_linestyle(): np.asarray(line.get_ydata()).tolist() for line in figure.axes[1].lines[:3]}
    assert styles["--"] == pytest.approx([(70 + 60 + 60) / 3, (50 + 60 + 60) / 3])


def test_two_tasks_have_no_page_of_pairs_and_eleven_have_too_many() -> None:
    for names in (NAMES[:2], [f"T{place}" for place in range(11)]):
        (shown,) = compare([curved("chmod", [4, 2], [90, 70], names=names)])
        assert list(draw_pairs(shown, conflict_frame(shown))) == []
