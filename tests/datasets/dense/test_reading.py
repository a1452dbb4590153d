"""Files that are missing, damaged or of other numbers: each is an error that says where, and nothing is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtbench.errors import DataError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets.dense.arrays import Depths, Images, Labels, read_row
from mtbench_datasets.dense.cityscapes import Cityscapes
from mtbench_datasets.dense.nyuv2 import LAYOUT, Nyuv2
from mtbench_datasets.dense.reading import Folder
from tests.datasets.dense.trees import CITY, write_city, write_nyu

INDEX = 7


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("tree") / "cityscapes", 12, 2)


@pytest.fixture
def root(tree: Path, tmp_path: Path) -> Path:
    shutil.copytree(tree, tmp_path / "cityscapes")
    return tmp_path


def prepare(root: Path) -> list[str]:
    said: list[str] = []
    parse_dataset("cityscapes").open(root).prepare(said.append)
    return said


def changed(place: tuple[int, ...], value: float) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        array = np.load(path)
        array[place] = value
        np.save(path, array)

    return change


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


BROKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "truncated": (
        "image",
        cut,
        r"is missing, truncated or damaged \(ValueError: .*\)\. .* Expected: an array \(128, 256, 3",
    ),
    "empty": (
        "image",
        lambda path: path.write_bytes(b""),
        r"is missing or empty; 1 of the 12 files of cityscapes-train-im",
    ),
    "missing": ("depth", Path.unlink, r"train/depth lacks 7\.npy, which train/image has\."),
    "text": ("depth", lambda path: path.write_text("1 2 3"), r"is missing, truncated or damaged \(ValueError"),
    "objects": ("depth", lambda path: np.save(path, np.array([{}])), r"is missing, truncated or damaged \(ValueError"),
    "archive": ("depth", archive, r"does not fit: it is an archive of several arrays"),
    "channels first": (
        "image",
        lambda path: np.save(path, np.load(path).transpose(2, 0, 1)),
        r"does not fit: its array has the shape \(3, 128, 256\), and not \(128, 256, 3\)\.",
    ),
    "complex": (
        "depth",
        lambda path: np.save(path, np.load(path) + 1j),
        r"does not fit: its values are of the type complex64, and no real numbers",
    ),
    "bytes": (
        "image",
        lambda path: np.save(path, np.full((*CITY, 3), 200, np.uint8)),
        r"does not fit: its value at \[0, 0, 0\] is 200, and colors are from 0 to 1\.",
    ),
    "nan": ("image", changed((3, 17, 2), np.nan), r"its value at \[3, 17, 2\] is nan, and numbers are finite\."),
    "infinite": ("depth", changed((3, 17, 0), np.inf), r"its value at \[3, 17, 0\] is inf, and numbers are finite\."),
    "negative": (
        "depth",
        changed((9, 1, 0), -0.25),
        r"its value at \[9, 1, 0\] is -0.25, and these numbers are from 0",
    ),
    "half a label": ("label_7", changed((5, 6), 2.5), r"its value at \[5, 6\] is 2.5, and labels are whole numbers\."),
    "label": ("label_7", changed((5, 6), 7), r"its value at \[5, 6\] is 7, and labels are from -1 to 6\."),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named_and_once_it_is_mended_preparing_goes_on(case: str, root: Path) -> None:
    folder, damage, message = BROKEN[case]
    path = root / "cityscapes" / "train" / folder / f"{INDEX}.npy"
    content = path.read_bytes()
    damage(path)
    with pytest.raises(DataError, match=message) as caught:
        prepare(root)
    assert f"{INDEX}.npy" in str(caught.value)
    assert str(caught.value).endswith("`mtbench data link cityscapes FOLDER` says where it lies.")
    assert parse_dataset("cityscapes").open(root).fingerprint() == ""
    noted = sum(path.read_bytes().count(b"\n") for path in (root / "images").glob("*.rows"))
    path.write_bytes(content)
    decoded = [int(line.split()[2]) for line in prepare(root) if ": decoded" in line]
    assert sum(decoded) + noted == 3 * 12 + 3 * 2
    parse_dataset("cityscapes").open(root).verify()


def test_a_broken_file_among_prepared_ones_loses_nothing(root: Path) -> None:
    prepare(root)
    kept = {path.name: path.read_bytes() for path in (root / "images").glob("*.pixels")}
    path = root / "cityscapes" / "train" / "depth" / f"{INDEX}.npy"
    changed((0, 0, 0), np.nan)(path)
    with pytest.raises(DataError, match=r"depth/7\.npy does not fit: its value at \[0, 0, 0\] is nan"):
        prepare(root)
    with pytest.raises(DataError, match=r"pixels is not there, or not finished\. `mtbench data prepare cityscapes`"):
        parse_dataset("cityscapes").open(root).load("train", validation=False)
    changed((0, 0, 0), 2.0)(path)
    assert "cityscapes-train-depth: decoded 1 images, 11 were there" in prepare(root)
    now = {path.name: path.read_bytes() for path in (root / "images").glob("*.pixels")}
    assert [name for name in kept if kept[name] != now[name]] in (["cityscapes-train-depth-128x256-v1.pixels"], [])


def test_all_folders_have_the_same_files(root: Path) -> None:
    train = root / "cityscapes" / "train"
    np.save(train / "depth" / "12.npy", np.zeros((*CITY, 1)))
    (train / "depth" / ".DS_Store").touch()
    (train / "depth" / "03.npy").touch()
    with pytest.raises(DataError, match=r"train/depth has 12\.npy, which train/image lacks\."):
        prepare(root)
    (train / "depth" / "12.npy").unlink()
    for folder in ("image", "label_7", "depth"):
        for index in (2, 3, 4, 5, 8):
            (train / folder / f"{index}.npy").unlink()
    with pytest.raises(
        DataError, match=r"train/image has 7 files up to 11\.npy, and lacks 5, the first of them 2\.npy\."
    ):
        prepare(root)
    shutil.rmtree(root / "cityscapes" / "val" / "depth")
    shutil.rmtree(train / "image")
    (train / "image").touch()
    with pytest.raises(DataError, match=r"train/image is missing\."):
        prepare(root)


@pytest.mark.parametrize("cls", [Nyuv2, Cityscapes])
def test_the_released_numbers_of_files_are_demanded_of_what_is_no_world(
    cls: type[Nyuv2 | Cityscapes], tmp_path: Path
) -> None:
    counts = {Nyuv2: (795, 654), Cityscapes: (2975, 500)}[cls]
    dataset = cls(cls.Options(), tmp_path)
    for part, count in zip(("train", "val"), counts, strict=True):
        (tmp_path / part / "image").mkdir(parents=True)
        for index in range(count):
            (tmp_path / part / "image" / f"{index}.npy").touch()
        for folder in ("label", "depth", "normal"):
            (tmp_path / part / folder).symlink_to("image")
    files = Folder(path=tmp_path, layout=dataset.layout, help="")
    assert files.counts() == dict(zip(("train", "val"), counts, strict=True))
    (tmp_path / "val" / "image" / f"{counts[1]}.npy").touch()
    expected = rf"val/image has {counts[1] + 1} files, and {dataset.layout.title} has {counts[1]}\. A world of other"
    with pytest.raises(DataError, match=expected):
        files.counts()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Nyuv2.check_folder(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/train/image is missing. NYUv2 is a folder with train/ and val/, in each image, label, depth, "
        "normal, and in each of these 0.npy, 1.npy ...: 795 and 654 arrays of 288 x 384, channels last. " + Nyuv2.help
    )


def test_normals_of_other_lengths_are_refused(tmp_path: Path) -> None:
    """Normals as colors (n + 1) / 2 have lengths up to 1.7."""
    folder = write_nyu(tmp_path / "nyuv2", 1, 1)
    path = folder / "val" / "normal" / "0.npy"
    np.save(path, (np.load(path) + 1) / 2)
    with pytest.raises(
        DataError, match=r"val/normal/0\.npy does not fit: .* defined normals have another length than 1"
    ):
        Folder(path=folder, layout=LAYOUT, help="").check()


def test_numbers_of_any_type_are_read_and_kept_as_narrow_ones(tmp_path: Path) -> None:
    path = tmp_path / "0.npy"
    for dtype in (np.float32, np.float64, np.int64, np.int8, ">f4"):
        np.save(path, np.array([[0, -1, 6]], dtype=dtype))
        assert read_row(path, Labels(7), (1, 3), "", "").tolist() == [[0, 255, 6]]
    np.save(path, np.array([[[0.0], [1e-12], [65504.0]]]))
    kept = read_row(path, Depths(), (1, 3), "", "")
    assert kept.tolist() == [[0, 2.0**-24, 65504]]  # what is defined stays so
    np.save(path, np.array([[[0, 1 / 255, 0.0019]], [[1, 1.001, 0.5]]], np.float32))
    assert read_row(path, Images(), (2, 1), "", "").tolist() == [[[0], [255]], [[1], [255]], [[0], [128]]]
