import re

from matplotlib.figure import Figure

from mtbench.report.figure.style import new_figure, paper_style
from mtbench.report.web.drawing import drawing_of


def figure(words: str = "a") -> Figure:
    with paper_style():
        made = new_figure(2.0)
        axes = made.subplots()
        axes.plot([1, 2, 3], [2.5, 1.5, 3.5], "o--", color="#0072B2", label=words)
        axes.imshow([[0.0, 1.0], [0.5, 0.25]], extent=(1, 2, 1, 2))
        axes.set_title(words)
        made.suptitle("All\nof it")
    return made


def test_an_svg_has_no_style_no_date_and_no_comment() -> None:
    svg = drawing_of(figure(), "f1").svg
    assert not re.search(r"style|<!|<\?|metadata|xlink|\d{4}-\d\d-\d\d", svg)
    assert 'stroke-dasharray="' in svg
    assert 'stroke="#0072b2"' in svg


def test_ids_of_two_figures_differ_and_every_reference_has_its_place() -> None:
    ids = list[set[str]]()
    for name in ("f1", "f2"):
        svg = drawing_of(figure(), name).svg
        found = re.findall(r' id="([^"]+)"', svg)
        assert len(found) == len(set(found))
        assert {*re.findall(r'href="#([^"]+)"', svg), *re.findall(r"url\(#([^)]+)\)", svg)} == set(found)
        ids.append(set(found))
    assert ids[0].isdisjoint(ids[1])


def test_the_same_figure_is_the_same_text_and_a_name_with_markup_is_a_name() -> None:
    words = "<b>&\"'"
    first, second = (drawing_of(figure(words), "f1") for _ in range(2))
    assert first == second
    assert "&lt;b&gt;&amp;" in first.svg
    assert first.title == "All of it"


def test_a_picture_in_a_figure_stands_in_the_text() -> None:
    assert re.search(r'<image [^>]*href="data:image/png;base64,[A-Za-z0-9+/=]+"', drawing_of(figure(), "f1").svg)
