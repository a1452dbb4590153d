"""Folders in the format of CelebA made by hand, in each layout that people have."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

HELP = "Ask the authors."
# As list_attr_celeba.txt has them.
NAMES = [
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald"),
    *("Bangs", "Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair"),
    *("Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin"),
    *("Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones"),
    *("Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard"),
    *("Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks"),
    *("Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings"),
    *("Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young"),
]
SIZE = (22, 18)
"""Height and width of the pictures."""
MANIFEST = "mtbench-world.json"
Rows = Sequence[Sequence[int]]


def random_rows(count: int) -> list[list[int]]:
    """Return rows of 40 values, 1 or -1, of which each attribute has both, the same for the same count."""
    draw = random.Random(3)
    return [[draw.choice([1, -1]) for _ in NAMES] for _ in range(count)]


def balanced_rows(parts: Sequence[int]) -> list[list[int]]:
    """Return rows of which half in each part have each attribute, whose order is random."""
    draw = random.Random(4)
    columns = []
    for _ in NAMES:
        left = {part: [1, -1] * (parts.count(part) // 2) + [1] * (parts.count(part) % 2) for part in set(parts)}
        for values in left.values():
            draw.shuffle(values)
        columns.append([left[part].pop() for part in parts])
    return [list(row) for row in zip(*columns, strict=True)]


def write_tree(folder: Path, rows: Rows, parts: Sequence[int], layout: str = "flat", *, world: bool = True) -> Path:
    """Write pictures, if any, and lists.

    Args:
        layout: ``flat``, ``official`` (Anno, Eval, Img), ``png`` (the same with PNG files), or ``kaggle`` (CSV files,
            and a folder in a folder of the same name).
        world: False for a folder that claims to be CelebA itself, which has no pictures then.
    """
    official, kaggle = layout in ("official", "png"), layout == "kaggle"
    names = [f"{number:06d}.jpg" for number in range(1, len(rows) + 1)]
    if kaggle:
        attributes = "image_id," + ",".join(NAMES) + "\n"
        attributes += "".join(f"{name},{','.join(map(str, row))}\n" for name, row in zip(names, rows, strict=True))
        partition = "image_id,partition\n" + "".join(f"{n},{part}\n" for n, part in zip(names, parts, strict=True))
    else:
        attributes = f"{len(rows)}\n{' '.join(NAMES)} \n"
        attributes += "".join(
            f"{name} {' '.join(f'{value:2d}' for value in row)}\n" for name, row in zip(names, rows, strict=True)
        )
        partition = "".join(f"{name} {part}\n" for name, part in zip(names, parts, strict=True))
    end = "csv" if kaggle else "txt"
    put(folder / ("Anno" if official else "") / f"list_attr_celeba.{end}", attributes)
    put(folder / ("Eval" if official else "") / f"list_eval_partition.{end}", partition)
    if not world:
        return folder
    put(folder / MANIFEST, f'{{"size": [{SIZE[1]}, {SIZE[0]}]}}')
    where = {
        "flat": "img_align_celeba",
        "official": "Img/img_align_celeba",
        "png": "Img/img_align_celeba_png",
        "kaggle": "img_align_celeba/img_align_celeba",
    }[layout]
    (folder / where).mkdir(parents=True)
    for number, name in enumerate(names):
        path = folder / where / name
        if layout == "png":
            Image.fromarray(pixels(number)).save(path.with_suffix(".png"))
        else:
            Image.fromarray(pixels(number)).save(path, quality=95)
    return folder


def pixels(number: int) -> np.ndarray:
    """Return a picture that is different for each number: noise whose middle square is brighter."""
    draw = np.random.default_rng(number)
    return draw.integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def edit(path: Path, change: Callable[[list[str]], None]) -> None:
    """Change the lines of a text file."""
    lines = path.read_text().split("\n")
    change(lines)
    path.write_text("\n".join(lines))
