"""Shoes made by hand, and folders in the format of UT-Zappos50K made of them, as released."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

HEAD = "CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle"
CONDITIONS = {"class": "category", "closure": "closure", "gender": "gender", "heel": "heel"}
HELP = "Ask the authors."


@dataclass(frozen=True, kw_only=True)
class Made:
    """A picture as image-path.mat and meta-data.csv describe it.

    Attributes:
        path: the path in image-path.mat.
        disk: the same below the folder of pictures; empty if it is equal.
    """

    path: str
    disk: str = ""
    category: str = "Shoes"
    heel: str = "Flat"
    closure: str = "Lace up"
    gender: str = "Men"
    color: tuple[int, int, int] = (90, 60, 40)

    @property
    def cid(self) -> str:
        return self.path.rsplit("/", 1)[1].removesuffix(".jpg").replace(".", "-")

    @property
    def row(self) -> str:
        return f"{self.cid},{self.category},Oxfords,{self.heel},,{self.closure},{self.gender},Leather;Suede,"


def many(count: int) -> list[Made]:
    """Shoes with all labels, of which no two pictures are equal."""
    categories, closures = ("Shoes", "Boots", "Sandals", "Slippers"), ("Lace up", "Buckle;Zipper", "Slip-On")
    heels, genders = ("Flat", "Under 1in", "2in - 2 3/4in", "5in & over", ""), ("Men", "Women", "Boys;Girls")
    return [
        Made(
            path=f"{categories[i % 4]}/Kind/Maker {i % 3}/{100 + i}.{i}.jpg",
            category=categories[i % 4],
            closure=closures[i % 3],
            heel=heels[i % 5],
            gender=genders[i // 2 % 3],
            color=(i % 256, 3 * i % 256, 7 * i % 256),
        )
        for i in range(count)
    ]


def write_tree(
    folder: Path,
    shoes: Sequence[Made],
    *,
    pictures: str = "ut-zap50k-images",
    data: str = "ut-zap50k-data",
    world: bool = True,
) -> None:
    """Write a folder in the official format; as a world, so that it may be small."""
    for shoe in shoes:
        path = folder / pictures / (shoe.disk or shoe.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (17, 13), shoe.color).save(path)
    (folder / data).mkdir(parents=True, exist_ok=True)
    (folder / data / "meta-data.csv").write_text("\n".join([HEAD, *(shoe.row for shoe in shoes)]) + "\n")
    write_paths(folder / data / "image-path.mat", [shoe.path for shoe in shoes])
    if world:
        (folder / "mtbench-world.json").write_text("{}")


def write_paths(path: Path, paths: Sequence[str], **options: Any) -> None:
    """Write paths as a cell array (N, 1), as in the released file."""
    cells = np.empty((len(paths), 1), object)
    cells[:, 0] = paths
    savemat(path, {"imagepath": cells}, **options)


def write_lists(folder: Path, names: Sequence[str], lines: Callable[[str, str], Sequence[Sequence[int]]]) -> None:
    """Write public triplet lists; `lines` gives those of a condition and a part, as anchor, far, close."""
    (folder / "tripletlists").mkdir(parents=True)
    (folder / "filenames.json").write_text("".join(f"{name}\n" for name in names))
    for condition in CONDITIONS:
        for part in ("train", "val", "test"):
            text = "".join(" ".join(map(str, line)) + "\n" for line in lines(condition, part))
            (folder / "tripletlists" / f"{condition}_tripletlist_{part}.txt").write_text(text)
