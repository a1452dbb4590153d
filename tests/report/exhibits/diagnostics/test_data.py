import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from mtbench.contract import TrainingProtocol
from mtbench.report.assemble import make_report
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.exhibits.diagnostics.compliance import draw_compliance
from mtbench.report.exhibits.diagnostics.data import conflict_frame, selectivity_frame
from mtbench.report.exhibits.diagnostics.matrices import draw_conflict, draw_selectivity
from mtbench.report.figure.style import looks
from mtbench.store.record.diagnosis import Conflict, Matrix, Probed, Selectivity
from mtbench.store.status import RunStatus
from tests.report.records import MANY, finished

ASKED = TrainingProtocol(epochs=2, diagnostics=("conflict", "selectivity"))
NAMES = ("LU", "RL", "UR")


def square(diagonal: Sequence[float], beside: float) -> Matrix:
    count = len(diagonal)
    return tuple(tuple(diagonal[i] if i == j else beside for j in range(count)) for i in range(count))


def diagnosed(
    method: str = "td",
    seed: int = 0,
    *,
    names: Sequence[str] = NAMES,
    ucr: float = 60.0,
    selective: float = 0.5,
    wrong: float = 9.0,
    depths: Sequence[str] = ("representation", "hidden"),
) -> RunStatus:
    """Return a run whose compliance falls by 10 from its first epoch to its second; its null is 90 and its cosine a
    tenth."""
    run = finished(method, seed, dict.fromkeys(names, 80.0), protocol=ASKED)
    assert run.record is not None
    count = len(names)
    curve = tuple(
        replace(
            point,
            conflict=Conflict(
                batches=tuple((118,) * count for _ in names),
                ucr=square([90.0] * count, ucr - 10 * (point.epoch - 1)),
                cosine=square([0.5] * count, (ucr - 50) / 100),
            ),
        )
        for point in run.record.curve
    )
    probed = Probed(accuracy=square([95.0] * count, 40.0), selectivity=selective)
    selectivity = Selectivity(
        chance=tuple(10.0 + place for place in range(count)),
        wrong_cue=square([80.0] * count, wrong),
        probes={depth: {"mlp": probed, "linear": replace(probed, selectivity=selective / 2)} for depth in depths},
    )
    return replace(run, record=replace(run.record, curve=curve, selectivity=selectivity))


def comparison(*runs: RunStatus) -> Comparison:
    (found,) = compare(runs)
    return found


def cells(axes: Axes, count: int) -> list[list[str]]:
    """Return the numbers in a matrix, row by row."""
    texts = [text.get_text() for text in axes.texts]
    return [texts[start : start + count] for start in range(0, len(texts), count)]


def test_conflict_is_tidy_a_row_per_pair_and_point_with_the_null_as_a_pair_of_one() -> None:
    frame = conflict_frame(comparison(diagnosed(), diagnosed("moo", 1, ucr=55)))
    assert len(frame) == 2 * 2 * 6
    td = frame[(frame["method"] == "td") & (frame["epoch"] == 2)]
    assert list(zip(td["task"], td["other"], td["ucr"], strict=True)) == [
        ("LU", "LU", 90), ("LU", "RL", 50), ("LU", "UR", 50), ("RL", "RL", 90), ("RL", "UR", 50), ("UR", "UR", 90),
    ]  # fmt: skip
    assert set(td["training_loss"].round(6)) == {round(2.3 * 0.7**2, 6)}
    assert set(td["batches"]) == {118}


def test_selectivity_is_tidy_too_with_the_chance_of_its_labels() -> None:
    frame = selectivity_frame(comparison(diagnosed()))
    assert frame["quantity"].value_counts().to_dict() == {"probe accuracy": 36, "wrong cue": 9, "selectivity": 4}
    one = frame[(frame["asked"] == "LU") & (frame["labels"] == "UR") & (frame["depth"] == "hidden")]
    assert one["value"].tolist() == [40, 40]
    assert one["chance"].tolist() == [12, 12]
    found = frame[frame["quantity"] == "selectivity"][["depth", "probe", "value"]]
    assert found.to_numpy().tolist() == [
        ["representation", "mlp", 0.5],
        ["representation", "linear", 0.25],
        ["hidden", "mlp", 0.5],
        ["hidden", "linear", 0.25],
    ]


def test_reports_have_files_of_diagnostics_only_where_there_are_any(tmp_path: Path) -> None:
    without = {file.name for file in make_report([finished()]).write(tmp_path / "without")}
    with_them = {file.name for file in make_report([diagnosed()]).write(tmp_path / "with")}
    kinds = ["conflict.csv", "selectivity.csv"]
    kinds += [
        f"{name}.{kind}" for name in ("compliance", "pairs", "conflict", "selectivity") for kind in ("pdf", "png")
    ]
    assert with_them - without == {f"mmnist2-paper-{kind}" for kind in kinds}
    assert "paper-conflict.csv" in " ".join(with_them)


def test_the_same_runs_make_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        [file.read_bytes() for file in make_report([diagnosed(), diagnosed("moo")]).write(tmp_path / name)]
        for name in "ab"
    )
    assert first == second


def test_compliance_is_drawn_over_epochs_and_over_the_loss_with_its_null_as_means_over_pairs_and_seeds() -> None:
    shown = comparison(diagnosed("td", 0, ucr=60), diagnosed("td", 1, ucr=80), diagnosed("moo", 0, ucr=30))
    (figure,) = draw_compliance(shown, conflict_frame(shown))
    over_epochs, over_loss = figure.axes
    moo, moo_null, td, td_null = over_epochs.lines[:4]
    assert [line.get_color() for line in (moo, td)] == [look.color for look in looks(2)]
    assert np.asarray(td.get_xdata()).tolist() == [1, 2]
    assert np.asarray(td.get_ydata()).tolist() == [70, 60]
    assert np.asarray(td_null.get_ydata()).tolist() == np.asarray(moo_null.get_ydata()).tolist() == [90, 90]
    losses = [2.3 * 0.7 + 0.01, 2.3 * 0.7**2 + 0.01]  # of two seeds, 0.02 apart
    assert np.asarray(over_loss.lines[2].get_xdata()) == pytest.approx(losses)
    left, right = over_loss.get_xlim()
    assert left > right  # the loss falls to the right
    assert over_loss.get_xlabel() == "training loss of the epoch, mean over tasks"


def test_methods_without_conflict_are_named_with_the_reason() -> None:
    shown = comparison(diagnosed(), finished("single", 0, dict.fromkeys(NAMES, 80.0), protocol=ASKED))
    (figure,) = draw_compliance(shown, conflict_frame(shown))
    assert "Not here: single, whose tasks share no parameter" in figure.legends[0].get_title().get_text()
    (page,) = draw_conflict(shown, conflict_frame(shown))
    assert "Not here: single, whose tasks share no parameter" in page.get_supxlabel()


def test_matrices_of_conflict_are_of_the_last_point_with_the_null_on_the_diagonal() -> None:
    shown = comparison(diagnosed("td", 0, ucr=60), diagnosed("td", 1, ucr=40))
    (figure,) = draw_conflict(shown, conflict_frame(shown))
    ucr, cosine = figure.axes
    assert (ucr.get_title(), cosine.get_title()) == ("UCR (%)", "mean cosine")
    assert cells(ucr, 3) == [["90", "40", "40"], ["40", "90", "40"], ["40", "40", "90"]]
    assert cells(cosine, 3)[0] == ["0.50", "0.00", "0.00"]  # of .1 and -.1
    assert [label.get_text() for label in ucr.get_xticklabels()] == list(NAMES)
    assert figure.subfigs[0].get_suptitle() == "td\ntraining loss 1.14 in epoch 2, 2 seeds"


def test_matrices_of_selectivity_have_both_depths_chance_and_wrong_cues() -> None:
    shown = comparison(diagnosed("td", 0, selective=0.25), diagnosed("td", 1, selective=0.75, wrong=math.nan))
    (figure,) = draw_selectivity(shown, selectivity_frame(shown))
    representation, hidden, answers = figure.axes
    assert hidden.get_title() == (
        "probes of the last hidden layer\nasked for 95.0 %, others 40.0 %\nS 0.50 ± 0.35; linear probes 0.25 ± 0.18"
    )
    assert cells(representation, 3) == [["95", "40", "40"], ["40", "95", "40"], ["40", "40", "95"], ["10", "11", "12"]]
    assert [label.get_text() for label in representation.get_yticklabels()] == [*NAMES, "chance"]
    assert answers.get_title() == "the network's own answers\nasked for 80.0 %, wrong cue 9.0 %"
    assert "a definition of this project" in figure.get_supxlabel()


def test_where_nothing_could_be_measured_a_dash_stands() -> None:
    shown = comparison(diagnosed(wrong=math.nan))
    (figure,) = draw_selectivity(shown, selectivity_frame(shown))
    assert cells(figure.axes[2], 3)[0] == ["80", "–", "–"]  # noqa: RUF001


def test_a_head_of_one_layer_has_a_place_without_a_matrix_beside_others_and_no_place_alone() -> None:
    alone = comparison(diagnosed("td", depths=["representation"]))
    (figure,) = draw_selectivity(alone, selectivity_frame(alone))
    assert len(figure.axes) == 2
    both = comparison(diagnosed("moo"), diagnosed("td", depths=["representation"]))
    (figure,) = draw_selectivity(both, selectivity_frame(both))
    assert [text.get_text() for text in figure.axes[4].texts] == ["its head is one layer:\nnone is hidden"]


@pytest.mark.parametrize("tasks", [2, 9])
def test_numbers_stay_within_their_cells_and_names_apart(tasks: int) -> None:
    names = [f"T{place}" for place in range(tasks)]
    shown = comparison(diagnosed(names=names))
    for draw, frame in ((draw_conflict, conflict_frame(shown)), (draw_selectivity, selectivity_frame(shown))):
        (figure,) = draw(shown, frame)
        figure.draw_without_rendering()
        for axes in figure.axes:
            wide = axes.get_window_extent().width / tasks
            assert len(axes.texts) >= tasks * (tasks - 1)
            assert all(text.get_window_extent().width < wide for text in axes.texts)
            labels = [label.get_window_extent() for label in axes.get_xticklabels()]
            assert all(one.x1 < other.x0 for one, other in pairwise(labels))


def test_of_many_tasks_colors_are_shown_and_some_are_named() -> None:
    shown = comparison(diagnosed(names=[f"attribute_{place}" for place in range(40)]))
    (figure,) = draw_conflict(shown, conflict_frame(shown))
    matrix = figure.axes[0]
    assert not matrix.texts
    assert [label.get_text() for label in matrix.get_xticklabels()][:2] == ["attribute_0", "attribute_4"]


def test_many_methods_go_on_over_pages_and_none_is_lost() -> None:
    methods = MANY[:20]
    shown = comparison(*(diagnosed(method, names=NAMES[:2]) for method in methods))
    compliance = list(draw_compliance(shown, conflict_frame(shown)))
    assert [len(figure.legends[0].get_texts()) for figure in compliance] == [8, 8, 4]
    for pages in (draw_conflict(shown, conflict_frame(shown)), draw_selectivity(shown, selectivity_frame(shown))):
        titles = []
        for figure in pages:
            assert figure.get_figheight() < 9.7  # inches of a page between margins
            titles += [str(part.get_suptitle()).split("\n")[0] for part in figure.subfigs if part.axes]
        assert titles == sorted(methods)
