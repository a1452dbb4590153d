"""Pictures of truths, predictions and errors at known pixels, and what their keys say."""

import matplotlib
import torch
from matplotlib.colors import to_rgb

from mtbench.contract import Depth, Normals, Segmentation, Task
from mtbench.report.figure.keys import Bar, Swatches
from mtbench.report.figure.maps.palette import RIGHT, UNDEFINED, VALUES, WRONG, class_color
from mtbench.report.figure.maps.views import keys_of, view_of

BLACK = [0.0, 0.0, 0.0]
ROOM = ("wall", "floor", "bed", "sofa")


def test_classes_have_their_colors_and_wrong_pixels_are_marked() -> None:
    task = Task(name="class", kind=Segmentation(classes=4, ignore=255), answers=ROOM)
    truths, said = torch.tensor([[[1, 3], [255, 1]]]), torch.tensor([[[1, 1], [2, 2]]], dtype=torch.uint8)
    view = view_of(task, truths, said)
    wall, floor, bed, sofa = (list(to_rgb(class_color(label))) for label in range(4))
    assert view.truth_picture(0).tolist() == [[floor, sofa], [BLACK, floor]]
    assert view.prediction_picture(0).tolist() == [[floor, floor], [bed, bed]]
    right, wrong = list(to_rgb(RIGHT)), list(to_rgb(WRONG))
    assert view.error_picture(0).tolist() == [[right, wrong], [BLACK, wrong]]
    assert wall not in view.prediction_picture(0).tolist()


def test_the_key_names_the_classes_that_are_shown_and_undefined_pixels() -> None:
    task = Task(name="class", kind=Segmentation(classes=4, ignore=255), answers=ROOM)
    truths, said = torch.tensor([[[1, 3], [255, 1]]]), torch.tensor([[[1, 1], [2, 2]]], dtype=torch.uint8)
    alone, both = (keys_of([view_of(task, truths, each)], errors=each is not None) for each in (None, said))
    [classes, undefined] = alone
    assert isinstance(classes, Swatches)
    assert classes.entries == [(class_color(1), "floor"), (class_color(3), "sofa")]
    assert isinstance(undefined, Swatches)
    assert undefined.entries == [(UNDEFINED, "undefined in the truth")]
    assert isinstance(both[0], Swatches)
    assert [name for _, name in both[0].entries] == ["floor", "bed", "sofa"]
    assert [key.name for key in both] == ["class", "wrong pixels", "all maps"]


def test_distances_have_one_scale_in_truth_and_prediction_whose_ends_are_quantiles_of_the_truth() -> None:
    task = Task(name="depth", kind=Depth(), unit="m")
    truths = torch.arange(101.0).reshape(1, 1, 101)  # 0 is undefined: the others are 1 to 100
    said = truths.clone()
    said[0, 0, :3] = torch.tensor([50.0, 50.0, float("inf")])
    view = view_of(task, truths, said)
    bar, errors, _ = view.keys(errors=True) + keys_of([])
    assert isinstance(bar, Bar)
    assert isinstance(errors, Bar)
    assert (round(bar.low, 6), round(bar.high, 6)) == (1.99, 99.01)  # numpy's linear quantiles of 1..100
    assert bar.says == "1.99 to 99 m, 1 to 99 % quantile of the truth; large is far"
    truth, prediction = view.truth_picture(0)[0], view.prediction_picture(0)[0]
    middle = list(VALUES((50 - bar.low) / (bar.high - bar.low))[:3])
    assert truth[0].tolist() == BLACK
    assert truth[50].tolist() == prediction[50].tolist() == prediction[0].tolist() == prediction[1].tolist() == middle
    assert truth[1].tolist() == list(VALUES(0.0)[:3])
    assert prediction[2].tolist() == truth[100].tolist() == list(VALUES(1.0)[:3])
    worst = matplotlib.colormaps["YlOrRd"]
    error = view.error_picture(0)[0]
    assert error[0].tolist() == BLACK
    assert error[50].tolist() == list(worst(0.0)[:3])
    assert error[2].tolist() == list(worst(1.0)[:3])


def test_of_disparities_the_key_says_that_large_is_near() -> None:
    view = view_of(Task(name="depth", kind=Depth(inverse=True)), torch.tensor([[[0.25, 0.5]]]))
    [bar] = view.keys(errors=False)
    assert isinstance(bar, Bar)
    assert bar.says.endswith("quantile of the truth; large is near")
    assert [words for _, words in bar.ticks()] == ["0.30", "0.35", "0.40", "0.45"]


def test_directions_are_colors_of_their_components_and_errors_are_angles() -> None:
    truths = torch.tensor([[1.0, 0, 0], [0, 0, 2], [0, 0, 0], [0, -1, 0]]).T.reshape(1, 3, 2, 2)
    said = torch.tensor([[0.0, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]]).T.reshape(1, 3, 2, 2).half()
    view = view_of(Task(name="normal", kind=Normals()), truths, said)
    right, back, down, up = [1, 0.5, 0.5], [0.5, 0.5, 1], [0.5, 0, 0.5], [0.5, 1, 0.5]
    assert view.truth_picture(0).tolist() == [[right, back], [BLACK, down]]
    assert view.prediction_picture(0).tolist() == [[up, back], [up, BLACK]]
    worst = matplotlib.colormaps["YlOrRd"]
    high, low = list(worst(1.0)[:3]), list(worst(0.0)[:3])
    assert view.error_picture(0).tolist() == [[high, low], [BLACK, high]]
    [key] = view.keys(errors=False)
    assert isinstance(key, Swatches)
    assert key.entries[:2] == [("#ff8080", "+x"), ("#008080", "\N{MINUS SIGN}x")]


def test_what_is_undefined_everywhere_is_black() -> None:
    zeros = torch.zeros(1, 2, 2)
    for kind, truths in (
        (Depth(), zeros),
        (Normals(), zeros.expand(3, 2, 2)[None]),
        (Segmentation(classes=2), zeros - 1),
    ):
        view = view_of(Task(name="task", kind=kind), truths)
        assert not view.truth_picture(0).any()
        assert keys_of([view])
