"""Scene files as released, damaged, and as others write them."""

import errno
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mtbench.errors import DataError
from mtbench_datasets.clevr.reading import Folder
from mtbench_datasets.clevr.scenes import Scenes
from mtbench_datasets.clevr.vocabulary import WORDS
from tests.datasets.clevr.trees import FRAME, Scene, content, random_scene, read, scene, thing, write_tree

LAYOUT = (
    "CLEVR v1.0 is a folder with scenes/CLEVR_train_scenes.json, scenes/CLEVR_val_scenes.json, "
    "images/train/CLEVR_train_000000.png ... and images/val/CLEVR_val_000000.png ... Ask the authors."
)
BALL, BLOCK = thing("small red metal sphere", x=10, y=20), thing("large gray rubber cube", x=30, y=5)


def folder_of(folder: Path, whole: Any) -> Folder:
    """Return a small world's folder with a scene file of that content."""
    write_tree(folder, {}, images=False)
    (folder / "scenes" / "CLEVR_train_scenes.json").write_text(whole if isinstance(whole, str) else json.dumps(whole))
    return Folder(path=folder, help="Ask the authors.")


def refusal(folder: Path, whole: Any) -> str:
    with pytest.raises(DataError) as error:
        folder_of(folder, whole).read("train")
    assert str(error.value).endswith(LAYOUT)
    return str(error.value).removesuffix(f" {LAYOUT}").replace(str(folder), "DIR")


def right_of(scenes: Scenes) -> list[list[list[int]]]:
    """Per scene and object the objects to its right."""
    return [
        [row.nonzero().squeeze(1).tolist() for row in one[: int(n)]] for one, n in zip(*_parts(scenes), strict=True)
    ]


def _parts(scenes: Scenes) -> tuple[torch.Tensor, torch.Tensor]:
    return scenes.right, scenes.present.sum(1)


def test_objects_are_read_in_their_order(tmp_path: Path) -> None:
    scenes = read(tmp_path, scene(BALL, BLOCK), scene(BLOCK))
    assert scenes.present.sum(1).tolist() == [2, 1]
    for place, words in ((0, "red metal sphere small"), (1, "gray rubber cube large")):
        codes = scenes.attributes[0, place].tolist()
        assert [WORDS[kind][code] for kind, code in zip(WORDS, codes, strict=True)] == words.split()
    assert scenes.pixels[0, :2].tolist() == [[10, 20], [30, 5]]
    assert scenes.pixels[1, 1:].isnan().all()
    assert scenes.frame == FRAME
    assert scenes.recomputed == 0


def test_points_are_scaled_to_the_image(tmp_path: Path) -> None:
    points = read(tmp_path, scene(BALL)).points((64, 24))  # of 32 x 48
    assert points[0, 0].tolist() == [4.5, 39.5]
    assert points[0, 1:].isnan().all()


def test_whole_pixels_stay_whole_where_they_can(tmp_path: Path) -> None:
    """At 224 of CLEVR's 480 x 320 pixels: x 224 / 480 - 1/2 is 13.5, not 13.49999, at x = 30."""
    write_tree(tmp_path, {"train": [scene(thing(x=30, y=20))]}, images=False, world={})
    scenes = Folder(path=tmp_path, help="").read("train")
    assert scenes.frame == (320, 480)
    assert scenes.points((224, 224))[0, 0].tolist() == [13.5, 13.5]


def test_relations_are_those_of_the_file_even_against_the_coordinates(tmp_path: Path) -> None:
    for key in ("relationships", "relations"):
        made = scene(BALL, BLOCK, relationships=None) | {key: {"right": [[], [0]]}}
        scenes = read(tmp_path, made)
        assert (right_of(scenes), scenes.recomputed) == ([[[], [0]]], 0)
    both = scene(BALL, BLOCK, relations={"right": [[1], []]}, relationships={"right": [[], [0]]})
    assert right_of(read(tmp_path, both)) == [[[], [0]]]


@pytest.mark.parametrize(
    "tables",
    [
        None,
        {},
        {"left": [[], [0]]},
        {"right": [[1]]},
        {"right": [[1], [], []]},
        {"right": [[2], []]},
        {"right": [[-1], []]},
        {"right": [[0], []]},
        {"right": [["1"], []]},
        {"right": [1, 0]},
        "disregard",
    ],
)
def test_relations_that_do_not_fit_are_computed_from_space_and_counted(tables: Any, tmp_path: Path) -> None:
    far = thing(x=1, place=[5.0, 0, 0.5])  # right in space, left in the picture
    near = thing(x=40, place=[0.0, 0, 0.5])
    scenes = read(tmp_path, scene(near, far, relationships=tables), scene(near, far))
    assert right_of(scenes) == [[[1], []], [[1], []]]
    assert scenes.recomputed == 1


def test_right_in_space_begins_beyond_a_fifth_of_a_unit(tmp_path: Path) -> None:
    objects = [thing(place=[x, 0, 0]) for x in (0.0, 0.2, 0.2001, -0.21)]
    assert right_of(read(tmp_path, scene(*objects, relationships=None))) == [[[2], [], [], [0, 1, 2]]]


@pytest.mark.parametrize("lacking", ["directions", "3d_coords"])
def test_without_space_pixels_decide(lacking: str, tmp_path: Path) -> None:
    far, near = thing(x=1, place=[5.0, 0, 0.5]), thing(x=40, place=[0.0, 0, 0.5])
    made = scene(near, far, near, relationships=None)
    if lacking == "directions":
        del made["directions"]
    else:
        made["objects"][0] = {key: value for key, value in near.items() if key != "3d_coords"}
    scenes = read(tmp_path, made)
    assert right_of(scenes) == [[[], [0, 2], []]]
    assert scenes.recomputed == 1


def test_recomputed_relations_are_those_of_the_generator(tmp_path: Path) -> None:
    draw = random.Random(6)
    made = [random_scene(draw) for _ in range(100)]
    without = [{key: value for key, value in one.items() if key != "relationships"} for one in made]
    assert torch.equal(read(tmp_path, *made).right, read(tmp_path, *without).right)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = json.dumps(content([scene(BALL, BLOCK), scene(BLOCK)]))
    for length in (0, 1, 40, len(whole) // 2, len(whole) - 1):
        said = refusal(tmp_path, whole[:length])
        assert said.startswith(f"DIR/scenes/CLEVR_train_scenes.json of {length} bytes is no whole JSON: ")
        assert said.endswith("It is truncated, half copied or damaged.")


def test_a_file_of_brackets_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[" * 100_000).startswith("DIR/scenes/CLEVR_train_scenes.json of 100000 bytes is no whole")


def test_a_place_beyond_all_numbers_is_taken_as_missing(tmp_path: Path) -> None:
    scenes = read(tmp_path, change("3d_coords", [10**400, 0, 0], of_object=True), scene(BALL))
    assert scenes.lefts[0, :2].tolist() == [0, 0]


def test_a_missing_file_is_named_with_what_is_there_instead(tmp_path: Path) -> None:
    folder = Folder(path=tmp_path / "data", help="Ask the authors.")
    missing = f"{folder.path}/scenes/CLEVR_train_scenes.json is missing."

    def said() -> str:
        with pytest.raises(DataError) as error:
            folder.check()
        return str(error.value)

    assert said() == f"{missing} {folder.path} is no folder. {LAYOUT}"
    folder.path.mkdir()
    assert said() == f"{missing} {LAYOUT}"
    (folder.path / "clevr_with_masks_train.tfrecords").touch()
    assert "It is CLEVR-with-masks of multi_object_datasets" in said()
    (folder.path / "clevr_with_masks_train.tfrecords").unlink()
    (folder.path / "A" / "scenes").mkdir(parents=True)  # of no CLEVR, such as a data root's
    assert said() == f"{missing} {LAYOUT}"
    write_tree(folder.path / "CLEVR_v1.0", {"train": []}, images=False)
    assert said() == f"{missing} Did you mean {folder.path}/CLEVR_v1.0? {LAYOUT}"
    write_tree(folder.path, {"train": []}, images=False)
    missing = missing.replace("train", "val")
    assert said().startswith(missing)
    write_tree(folder.path, {"val": []}, images=False)
    folder.check()


@pytest.mark.parametrize("name", ["scenes/CLEVR_train_scenes.json", "mtbench-world.json"])
def test_a_file_that_must_not_be_read_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *given: Any, **named: Any) -> Any:
        if self == tmp_path / name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(self, *given, **named)

    def content_of(self: Path) -> bytes:
        with self.open("rb") as file:
            return bytes(file.read())

    folder, opened = folder_of(tmp_path, content([scene(BALL)])), Path.open
    (tmp_path / "scenes" / "CLEVR_val_scenes.json").touch()
    monkeypatch.setattr(Path, "open", refuse)  # root reads what it must not
    monkeypatch.setattr(Path, "read_bytes", content_of)
    expected = f"{tmp_path / name} cannot be read: Permission denied. {LAYOUT}"
    assert refusal_of(folder) == expected
    if name.startswith("scenes"):
        with pytest.raises(DataError) as error:
            folder.check()
        assert str(error.value) == expected


def change(key: str, value: Any, *, of_object: bool = False) -> Scene:
    made: Scene = json.loads(json.dumps(scene(BALL, BLOCK)))
    (made["objects"][0] if of_object else made)[key] = value
    return made


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (change("objects_detection", []), "the scenes.json of NSCL"),
        (scene(BALL) | {"objects": [{"mask": {"counts": "x", "size": [1, 1]}}]}, "the scenes.json of NSCL"),
        (change("color", 3, of_object=True), "CLEVR-with-masks"),
        (scene(BALL) | {"objects": {"color": [3.0, 0.0]}, "visibility": [1.0, 0.0]}, "CLEVR-with-masks"),
        (scene(*[thing("large red metal cone")] * 2, movements={}), "CATER"),
        (change("image_index", 4), "it is of image 4, 'CLEVR_train_000001.png', where 1"),
        (change("image_filename", "CLEVR_val_000001.png"), "'CLEVR_val_000001.png', where 1, 'CLEVR_train_000001.png'"),
        (change("color", "orange", of_object=True), "an object has the color 'orange', and CLEVR has cyan, blue"),
        (change("shape", None, of_object=True), "an object has the shape None, and CLEVR has sphere"),
        (change("pixel_coords", [1.0], of_object=True), "its form is another"),
        (change("pixel_coords", [None, 2.0, 3.0], of_object=True), "object 0 has the pixel coordinates None, 2.0"),
        (change("pixel_coords", [10**400, 2.0, 3.0], of_object=True), "object 0 has the pixel coordinates 1000"),
        (change("pixel_coords", [1.0, 1e300, 3.0], of_object=True), "object 0 has the pixel coordinates 1.0, 1e+300"),
        (change("pixel_coords", [math.nan, 2.0, 3.0], of_object=True), "object 0 has the pixel coordinates nan, 2.0"),
        (change("objects", None), "its form is another"),
        ({"objects": None} | {"image_index": 1, "image_filename": "CLEVR_train_000001.png"}, "its form is another"),
        (scene(*[BALL] * 11), "it has 11 objects, and CLEVR at least one and at most 10"),
        (scene(), "it has 0 objects"),
        ({}, "'objects' is missing"),
    ],
)
def test_a_scene_that_is_not_clevrs_is_named(made: Scene, sentence: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, content([scene(BALL), made]))
    assert said.startswith("scene 1 of DIR/scenes/CLEVR_train_scenes.json is not as in CLEVR: ")
    assert sentence in said


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda whole: whole["scenes"], "is no file of CLEVR's scenes, but JSON a list"),
        (lambda _: {"questions": [], "info": {}}, "but JSON with 'questions', 'info'"),
        (lambda whole: whole | {"info": {"split": "val"}}, "has the split 'val', and not 'train'"),
        (lambda whole: whole | {"info": None}, "has the split None, and not 'train'"),
        (lambda whole: whole | {"info": {"split": "trainA"}}, "has the split 'trainA', and not 'train'"),
    ],
)
def test_a_file_that_is_not_clevrs_is_named(
    edit: Callable[[dict[str, Any]], Any], sentence: str, tmp_path: Path
) -> None:
    assert sentence in refusal(tmp_path, edit(content([scene(BALL)])))


def test_a_file_without_any_place_in_space_is_refused(tmp_path: Path) -> None:
    flat = {key: value for key, value in BALL.items() if key != "3d_coords"}
    said = refusal(tmp_path, content([scene(BALL) | {"objects": [flat]}]))
    assert said.startswith("no object in DIR/scenes/CLEVR_train_scenes.json has 3d_coords. It is not the file of CLEVR")


def test_official_numbers_are_asked_for_unless_a_world_says_that_it_is_one(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, content([scene(BALL)]))
    assert len(folder.read("train")) == 1
    (tmp_path / "mtbench-world.json").unlink()
    said = refusal_of(folder)
    assert said.startswith(f"{folder.scenes_file('train')} has 1 scenes, and CLEVR v1.0 has 70,000 in train.")
    (tmp_path / "scenes" / "CLEVR_val_scenes.json").write_text(json.dumps(content([scene(BALL)] * 3, "val")))
    assert "has 3 scenes, and CLEVR v1.0 has 15,000 in val." in refusal_of(folder, "val")
    (tmp_path / "scenes" / "CLEVR_val_scenes.json").write_text(json.dumps(content([scene(BALL)] * 15_000, "val")))
    assert len(folder.read("val")) == 15_000


def refusal_of(folder: Folder, part: str = "train") -> str:
    with pytest.raises(DataError) as error:
        folder.read(part)
    return str(error.value)


def test_a_world_that_does_not_give_its_size_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, content([scene(BALL)]))
    for text in ('{"size": [160]}', '{"size": [0, 120]}', '{"size": [160, -120]}', '{"size": "160x120"}', "[]"):
        (tmp_path / "mtbench-world.json").write_text(text)
        assert "mtbench-world.json gives no size of pictures. Expected: a 'size' of [width, height]." in refusal_of(
            folder
        )
    (tmp_path / "mtbench-world.json").write_text("{")
    assert "mtbench-world.json of 1 bytes is no whole JSON" in refusal_of(folder)
