"""Keys below pictures: round numbers on scales, and swatches that stay on the page."""

import itertools

import matplotlib

from mtbench.report.figure.keys import Bar, Swatches
from mtbench.report.figure.style import WIDTH, new_figure, paper_style


def ticks(low: float, high: float) -> list[str]:
    return [words for _, words in Bar(name="", scale=matplotlib.colormaps["viridis"], low=low, high=high).ticks()]


def test_a_scale_has_round_numbers_within_its_ends() -> None:
    assert ticks(1.1, 6.6) == ["2", "3", "4", "5", "6"]
    assert ticks(0, 90) == ["0", "20", "40", "60", "80"]
    assert ticks(0, 0.0103) == ["0.000", "0.002", "0.004", "0.006", "0.008", "0.010"]
    assert ticks(2.5, 2.5) == ["2.5"]


def test_forty_classes_with_long_names_have_as_many_lines_as_they_need_and_stay_on_the_page() -> None:
    key = Swatches(name="class", entries=[("#0072B2", f"a class number {number}") for number in range(40)])
    with paper_style():
        figure = new_figure(key.height)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(0, key.height))
        key.draw(axes, key.height)
        figure.set_layout_engine("none")
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in axes.texts]
    dpi = figure.dpi
    assert len(boxes) == 41
    assert max(box.x1 for box in boxes) <= WIDTH * dpi
    assert min(box.y0 for box in boxes) >= -0.02 * dpi
    for one, other in itertools.pairwise(boxes[1:]):
        assert one.x1 < other.x0 or other.y1 <= one.y0 + 1
    assert len({round(box.y0) for box in boxes[1:]}) > 5
