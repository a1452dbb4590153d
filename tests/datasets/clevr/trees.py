"""Scenes made by hand, and folders in CLEVR's format made of them."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mtbench_datasets.clevr.reading import Folder
from mtbench_datasets.clevr.scenes import Scenes

Thing = dict[str, Any]
Scene = dict[str, Any]

COLORS = ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow")
DIRECTIONS = {"left": [-1.0, 0.0, 0.0], "right": [1.0, 0.0, 0.0], "front": [0.0, -1.0, 0.0], "behind": [0.0, 1.0, 0.0]}
FRAME = (32, 48)  # height and width of the pictures here


def thing(
    words: str = "large red rubber cube", x: float = 0, y: float = 0, place: Sequence[float] | None = None
) -> Thing:
    """Return an object from words such as ``small cyan metal sphere`` at a pixel and at a place in space."""
    size, color, material, shape = words.split()
    return {
        "color": color,
        "material": material,
        "shape": shape,
        "size": size,
        "rotation": 10.0,
        "pixel_coords": [x, y, 9.5],
        "3d_coords": list(place) if place is not None else [x / 10, -y / 10, 0.7],
    }


def scene(*objects: Thing, **changes: Any) -> Scene:
    """Return a scene whose relations follow from places in space; `changes` replace its entries, and those of None
    go."""
    places = [item["3d_coords"] for item in objects]
    relations = {
        name: [
            [
                j
                for j, other in enumerate(places)
                if j != i and sum(d * (b - a) for d, a, b in zip(direction, place, other, strict=True)) > 0.2
            ]
            for i, place in enumerate(places)
        ]
        for name, direction in DIRECTIONS.items()
    }
    made = {"objects": list(objects), "directions": DIRECTIONS, "relationships": relations} | changes
    return {key: value for key, value in made.items() if value is not None}


def random_scene(draw: random.Random) -> Scene:
    """Return a crowded scene of 1 to 10 objects: equal pixels and repeated descriptions are frequent."""
    few = draw.choice([1, 2, 8])  # colors, so that some scenes have many alike
    objects = [
        thing(
            " ".join(
                [
                    draw.choice(["large", "small"]),
                    draw.choice(COLORS[:few]),
                    draw.choice(["rubber", "metal"]),
                    draw.choice(["cube", "sphere", "cylinder"]),
                ]
            ),
            x=draw.randrange(12),
            y=draw.randrange(12),
            place=[draw.uniform(-3, 3), draw.uniform(-3, 3), 0.5],
        )
        for _ in range(draw.randint(1, 10))
    ]
    return scene(*objects)


def content(scenes: Sequence[Scene], part: str = "train") -> dict[str, Any]:
    """Return the content of a scene file, with the names and indices that scenes do not have already."""
    return {
        "info": {"split": part, "version": "1.0", "date": "2/14/2017", "license": "CC BY 4.0"},
        "scenes": [
            {"split": part, "image_index": i, "image_filename": f"CLEVR_{part}_{i:06d}.png"} | made
            for i, made in enumerate(scenes)
        ],
    }


def write_tree(
    folder: Path, parts: Mapping[str, Sequence[Scene]], *, images: bool = True, world: Mapping[str, Any] | None = None
) -> Path:
    """Write a folder as CLEVR v1.0 lies on disk, with pictures of noise, and a small world's file in its root."""
    (folder / "scenes").mkdir(parents=True, exist_ok=True)
    for part, scenes in parts.items():
        (folder / "scenes" / f"CLEVR_{part}_scenes.json").write_text(json.dumps(content(scenes, part)))
        if images:
            (folder / "images" / part).mkdir(parents=True, exist_ok=True)
        for index in range(len(scenes) if images else 0):
            noise = random.Random(f"{part} {index}").randbytes(3 * FRAME[0] * FRAME[1])
            picture = Image.frombytes("RGB", (FRAME[1], FRAME[0]), noise)
            picture.save(folder / "images" / part / f"CLEVR_{part}_{index:06d}.png")
    facts = {"size": [FRAME[1], FRAME[0]]} if world is None else world
    (folder / "mtbench-world.json").write_text(json.dumps(facts))
    return folder


def read(folder: Path, *scenes: Scene) -> Scenes:
    """Return some scenes as they are read from a folder that is made for them."""
    write_tree(folder, {"train": scenes}, images=False)
    return Folder(path=folder, help="Ask the authors.").read("train")
