"""Drawn faces: attributes that go together as stated, and pictures that show them."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from mtbench_datasets.worlds.draws import Draws
from mtbench_datasets.worlds.faces.canvas import Canvas, Pose, ellipse, smooth
from mtbench_datasets.worlds.faces.names import DRAWN, NAMES
from mtbench_datasets.worlds.faces.persona import Persona, draw_persona
from mtbench_datasets.worlds.faces.picture import draw_picture

SIZE = (218, 178)
FACES = [draw_persona(Draws(0, "faces", "test", number)) for number in range(3000)]


def fraction(name: str, *among: str, without: str = "") -> tuple[float, float]:
    """Return the fraction that has an attribute among the faces that have others, and five standard errors of it."""
    some = [face.has for face in FACES if face.has.issuperset(among) and without not in face.has]
    found = sum(name in has for has in some) / len(some)
    return found, 5 * math.sqrt(0.25 / len(some))


def test_the_forty_attributes_are_those_of_celeba_and_38_are_drawn() -> None:
    assert (len(NAMES), len(set(NAMES)), NAMES[0], NAMES[31], NAMES[39]) == (
        *(40, 40, "5_o_Clock_Shadow"),
        *("Smiling", "Young"),
    )
    assert set(NAMES) - set(DRAWN) == {"Attractive", "Pointy_Nose"}
    for face in FACES:
        assert face.has <= set(DRAWN)
    for name in DRAWN:
        assert 0.01 < fraction(name)[0] < 0.95, name


@pytest.mark.parametrize(
    ("name", "among", "without", "stated"),
    [
        ("Smiling", (), "", 0.5),
        ("Mouth_Slightly_Open", ("Smiling",), "", 0.75),
        ("Mouth_Slightly_Open", (), "Smiling", 0.22),
        ("High_Cheekbones", ("Smiling",), "", 0.72),
        ("Double_Chin", ("Chubby",), "", 0.72),
        ("Chubby", ("Young",), "", 0.16),
        ("Chubby", (), "Young", 0.36),
        # Without a hat, .84; of men neither bald nor receding, .88 x .84, of women not receding, .94.
        ("Bangs", ("Young",), "", 0.84 * (0.88 * 0.84 * 0.16 + 0.94 * 0.45) / 2),
        ("No_Beard", ("Male",), "", 0.62),
        ("No_Beard", (), "Male", 1.0),
        ("Sideburns", ("Goatee",), "", 0.4),
        ("Wearing_Lipstick", ("Heavy_Makeup",), "", 0.92),
        ("Eyeglasses", ("Young",), "", 0.2),
    ],
)
def test_attributes_go_together_as_stated(name: str, among: tuple[str, ...], without: str, stated: float) -> None:
    found, error = fraction(name, *among, without=without)
    assert abs(found - stated) < error


def test_no_face_has_attributes_that_exclude_each_other() -> None:
    assert any(face.sunglasses for face in FACES)
    for face in FACES:
        has = face.has
        assert len(has & {"Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair"}) <= 1
        assert not {"Straight_Hair", "Wavy_Hair"} <= has
        for hidden in ("Bald", "Bangs", "Receding_Hairline"):
            assert not {"Wearing_Hat", hidden} <= has
        assert not ("Bald" in has and has & {"Bangs", "Receding_Hairline", "Straight_Hair", "Wavy_Hair"})
        assert not ({"No_Beard", "Goatee"} <= has)
        assert ("No_Beard" in has) == (face.beard not in ("full", "goatee"))
        if face.sunglasses:
            assert "Eyeglasses" in has
            assert not has & {"Narrow_Eyes", "Bags_Under_Eyes"}


def persona(*has: str, beard: str = "none", hair: str = "brown", long: bool = False) -> Persona:
    return Persona(has=frozenset(has), beard=beard, hair=hair, long=long, fringe=False, sunglasses=False)


def drawn(face: Persona, number: int = 1) -> NDArray[np.float64]:
    return draw_picture(face, Draws(0, "faces", "pixels", number), SIZE).pixels.astype(float)


PLAIN = ("Male", "Young", "No_Beard", "Straight_Hair", "Brown_Hair")


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        # Where the picture has to change: rows and columns of 218 x 178 pixels.
        ("Smiling", (115, 165), (60, 118)),
        ("Eyeglasses", (75, 120), (50, 128)),
        ("Wearing_Hat", (0, 85), (40, 138)),
        ("Bags_Under_Eyes", (90, 125), (50, 128)),
        ("Mouth_Slightly_Open", (120, 170), (60, 118)),
    ],
)
def test_an_attribute_changes_its_own_place(name: str, rows: tuple[int, int], columns: tuple[int, int]) -> None:
    """The rest of the picture is alike for two faces that differ in one attribute, drawn with the same numbers."""
    shifted = np.abs(drawn(persona(*PLAIN, name)) - drawn(persona(*PLAIN)))
    where = np.zeros(SIZE, bool)
    where[rows[0] : rows[1], columns[0] : columns[1]] = True
    inside, outside = shifted[where].mean(), shifted[~where].mean()
    assert inside > 0.8
    assert inside > 2 * outside


def test_the_same_numbers_give_the_same_picture_and_others_another() -> None:
    face = persona(*PLAIN)
    assert np.array_equal(drawn(face), drawn(face))
    assert not np.array_equal(drawn(face), drawn(face, 2))


def test_landmarks_lie_where_eyes_and_mouth_are() -> None:
    places = draw_picture(persona(*PLAIN, "Smiling"), Draws(0, "faces", "pixels", 3), SIZE).landmarks
    left, right, nose = (np.array(places[name]) for name in ("lefteye", "righteye", "nose"))
    mouth = (np.array(places["leftmouth"]) + places["rightmouth"]) / 2
    assert 33 < right[0] - left[0] < 50
    assert max(left[1], right[1]) < nose[1] < mouth[1] < SIZE[0]
    assert abs((left + right)[0] / 2 - mouth[0]) < 12


def test_a_canvas_is_painted_where_it_is_said() -> None:
    pose = Pose(x=20, y=10, scale=10, roll=0, yaw=0, pitch=0)
    canvas = Canvas((30, 40), pose)
    canvas.fill(ellipse(0.5, 0, 0.3, 0.4), (200, 100, 50))
    pixels = np.asarray(canvas.image)
    rows, columns = np.nonzero(pixels[:, :, 0])
    assert (pixels[rows, columns] == [200, 100, 50]).all()
    assert abs(columns.mean() / 2 - 25) < 0.5
    assert abs(rows.mean() / 2 - 10) < 0.5
    assert len(rows) / 4 == pytest.approx(math.pi * 3 * 4, rel=0.12)
    turned = Pose(x=20, y=10, scale=10, roll=90, yaw=0, pitch=0)
    assert turned.place(np.array([[1.0, 0.0]])).tolist() == [[pytest.approx(20), pytest.approx(20)]]


def test_a_smooth_curve_goes_through_its_points() -> None:
    points = [(0.0, 0.0), (1.0, 2.0), (3.0, 1.0)]
    for closed in (True, False):
        curve = smooth(points, closed=closed, steps=5)
        assert all(np.abs(curve - point).sum(1).min() < 1e-12 for point in points)
    assert np.allclose(
        smooth([(0, 0), (1, 1), (2, 2)], closed=False)[:, 0], smooth([(0, 0), (1, 1), (2, 2)], closed=False)[:, 1]
    )
