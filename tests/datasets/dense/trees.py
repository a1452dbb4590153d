"""Small trees in the layout of the preprocessed datasets, made by hand of numbers that are easy to tell."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CITY = (128, 256)
NYU = (288, 384)


def image(size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Colors (H, W, 3) float32 that are multiples of 1/255."""
    values = np.random.default_rng(seed).integers(0, 256, (*size, 3))
    return (values / 255).astype(np.float32)


def label(size: tuple[int, int], seed: int, classes: int) -> NDArray[np.float32]:
    """Return labels (H, W) float32, of which about one in C + 1 is undefined."""
    return np.random.default_rng([seed, 1]).integers(-1, classes, size).astype(np.float32)


def depth(size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Depths (H, W, 1) float32 from .5 to 9.5, of which one in ten is undefined."""
    generator = np.random.default_rng([seed, 2])
    values = generator.uniform(0.5, 9.5, (*size, 1))
    return np.where(generator.random((*size, 1)) < 0.1, 0, values).astype(np.float32)


def normal(size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Unit vectors (H, W, 3) float32, of which one in ten is undefined."""
    generator = np.random.default_rng([seed, 3])
    values = generator.normal(size=(*size, 3))
    values /= np.linalg.norm(values, axis=2, keepdims=True)
    return np.where(generator.random((*size, 1)) < 0.1, 0, values).astype(np.float32)


def write_tree(
    folder: Path,
    size: tuple[int, int],
    counts: dict[str, int],
    *,
    labels: dict[str, int],
    normals: bool,
    world: bool = True,
) -> Path:
    """Write a tree, image i of a part from seed i, or 1000 + i in ``val``.

    Args:
        labels: the number of classes by the name of a folder of labels.
        world: True if it says that it is another world, with other numbers of images.
    """
    for part, count in counts.items():
        for index in range(count):
            seed = index + (1000 if part == "val" else 0)
            arrays = {"image": image(size, seed), "depth": depth(size, seed)}
            arrays |= {name: label(size, seed, classes) for name, classes in labels.items()}
            if normals:
                arrays["normal"] = normal(size, seed)
            for name, array in arrays.items():
                (folder / part / name).mkdir(parents=True, exist_ok=True)
                np.save(folder / part / name / f"{index}.npy", array)
    if world:
        (folder / "mtbench-world.json").write_text(json.dumps({"size": [size[1], size[0]]}))
    return folder


def write_city(folder: Path, train: int = 20, val: int = 5, **labels: int) -> Path:
    """Write a world of Cityscapes, with labels of 7 classes in ``label_7`` unless others are given."""
    return write_tree(folder, CITY, {"train": train, "val": val}, labels=labels or {"label_7": 7}, normals=False)


def write_nyu(folder: Path, train: int = 6, val: int = 3) -> Path:
    """Write a world of NYUv2."""
    return write_tree(folder, NYU, {"train": train, "val": val}, labels={"label": 13}, normals=True)
