"""Birds made by hand, and folders in the format of CUB-200-2011 made of them, line by line as released."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from mtbench_datasets.cub.annotations import Annotations
from mtbench_datasets.cub.reading import Folder

COLORS = [
    *("blue", "brown", "iridescent", "purple", "rufous", "grey", "yellow", "olive", "green", "pink", "orange"),
    *("black", "white", "red", "buff"),
]
# The groups of attributes.txt in their order, and how many attributes each has.
GROUPS = {
    "bill_shape": 9,
    "wing_color": 15,
    "upperparts_color": 15,
    "underparts_color": 15,
    "breast_pattern": 4,
    "back_color": 15,
    "tail_shape": 6,
    "upper_tail_color": 15,
    "head_pattern": 11,
    "breast_color": 15,
    "throat_color": 15,
    "eye_color": 14,
    "bill_length": 3,
    "forehead_color": 15,
    "under_tail_color": 15,
    "nape_color": 15,
    "belly_color": 15,
    "wing_shape": 5,
    "size": 5,
    "shape": 14,
    "back_pattern": 4,
    "tail_pattern": 4,
    "belly_pattern": 4,
    "primary_color": 15,
    "leg_color": 15,
    "bill_color": 15,
    "crown_color": 15,
    "wing_pattern": 4,
}
PARTS = [
    *("back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg", "left wing", "nape"),
    *("right eye", "right leg", "right wing", "tail", "throat"),
]
TASKS = [
    *("wing", "upper-tail", "throat", "nape", "leg", "eye", "back", "breast", "forehead", "belly", "crown", "bill")
]
"""Tasks as in the table of the paper, from left to right."""
HELP = "Ask the authors."


def attributes() -> list[str]:
    """Return the names of the 312 attributes: has_wing_color::blue and so on."""
    names = []
    for group, count in GROUPS.items():
        colors = [color for color in COLORS if count == 15 or color != "iridescent"]
        values = colors if group.endswith("_color") else [f"value_{number}" for number in range(count)]
        names += [f"has_{group}::{value}" for value in values]
    return names


@dataclass(frozen=True, kw_only=True)
class Bird:
    """An image.

    Attributes:
        marked: certainty, 1 to 4, of attributes that are present, such as ``wing_color::blue``; others are absent.
        doubted: certainty of attributes that are absent, where it is not 4.
        points: x and y of visible parts.
        size: width and height in pixels.
    """

    species: int = 1
    training: bool = False
    marked: Mapping[str, int] = field(default_factory=dict)
    doubted: Mapping[str, int] = field(default_factory=dict)
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    size: tuple[int, int] = (48, 32)
    mode: str = "RGB"


def write_tree(
    folder: Path,
    birds: Sequence[Bird],
    *,
    species: int = 3,
    percentages: Mapping[tuple[int, str], float] | None = None,
    images: bool = True,
    world: bool = True,
) -> Path:
    """Write a folder as CUB-200-2011 lies on disk, with pictures of noise, and a world's file in its root.

    Args:
        percentages: the percentage of a species, from 1 on, and an attribute such as ``wing_color::blue``; 0 elsewhere.
    """
    names, kinds = attributes(), [f"{number:03}.Bird_{number}" for number in range(1, species + 1)]
    paths = [f"{kinds[bird.species - 1]}/Bird_{bird.species}_{index:04}.jpg" for index, bird in enumerate(birds, 1)]
    rows, places = [], []
    for index, bird in enumerate(birds, 1):
        for number, name in enumerate(names, 1):
            short = name.removeprefix("has_")
            present = short in bird.marked
            certainty = bird.marked[short] if present else bird.doubted.get(short, 4)
            rows.append(f"{index} {number} {int(present)} {certainty} {number / 7:.3f}")
        for number, part in enumerate(PARTS, 1):
            x, y = bird.points.get(part, (0.0, 0.0))
            places.append(f"{index} {number} {x} {y} {int(part in bird.points)}")
    known = percentages or {}
    lines = {
        "images.txt": _numbered(paths),
        "train_test_split.txt": _numbered([str(int(bird.training)) for bird in birds]),
        "image_class_labels.txt": _numbered([str(bird.species) for bird in birds]),
        "classes.txt": _numbered(kinds),
        "bounding_boxes.txt": _numbered(["0.0 0.0 20.0 20.0" for _ in birds]),
        "parts/parts.txt": _numbered(PARTS),
        "parts/part_locs.txt": places,
        "attributes/certainties.txt": _numbered(["not visible", "guessing", "probably", "definitely"]),
        "attributes/attributes.txt": _numbered(names),
        "attributes/image_attribute_labels.txt": rows,
        "attributes/class_attribute_labels_continuous.txt": [
            " ".join(str(known.get((number, name.removeprefix("has_")), 0.0)) for name in names)
            for number in range(1, species + 1)
        ],
    }
    for name, content in lines.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(f"{line}\n" for line in content))
    for path, bird in zip(paths, birds, strict=True):
        picture = folder / "images" / path
        if images:
            picture.parent.mkdir(parents=True, exist_ok=True)
            noise = random.Random(path).randbytes(len(bird.mode) * bird.size[0] * bird.size[1])
            Image.frombytes(bird.mode, bird.size, noise).save(picture, quality=95)
    if world:
        (folder / "mtbench-world.json").write_text("{}")
    return folder


def read(folder: Path, *birds: Bird, percentages: Mapping[tuple[int, str], float] | None = None) -> Annotations:
    """Return the annotations of some birds as they are read from a folder that is made for them."""
    write_tree(folder, birds, images=False, percentages=percentages)
    return Folder(path=folder, help=HELP).read()


def edit(path: Path, change: Callable[[list[str]], object]) -> None:
    """Change the lines of a text file in place."""
    lines = path.read_text().splitlines()
    change(lines)
    path.write_text("".join(f"{line}\n" for line in lines))


def _numbered(texts: Sequence[str]) -> list[str]:
    return [f"{number} {text}" for number, text in enumerate(texts, 1)]
