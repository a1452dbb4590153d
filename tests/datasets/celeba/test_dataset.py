"""The datasets on small trees in the official format: pictures, classes, triplets, splits, and what is wrong."""

import errno
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import CenterCrop, Resize
from typer.testing import CliRunner

from mtbench.cli.data.commands import app
from mtbench.conformance.dataset import dataset_checks
from mtbench.contract import Dataset, Split
from mtbench.contract.data.links import set_link
from mtbench.errors import DataError, UsageError
from mtbench.plan.parse import parse_dataset
from tests.datasets.celeba.trees import NAMES, SIZE, balanced_rows, edit, write_tree

PARTS = [0] * 14 + [1] * 6 + [2] * 10
ROWS = balanced_rows(PARTS)
LABELS = "celeba:size=16"
TRIPLETS = "celeba7:size=16:triplets=20:test_triplets=9"
SEVEN = ["Smiling", "Oval_Face", "5_o_Clock_Shadow", "Bald", "Arched_Eyebrows", "Big_Lips", "Big_Nose"]
HAS = torch.tensor(ROWS) == 1


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a small world under the name of CelebA, prepared. It is not written to."""
    root = tmp_path_factory.mktemp("data")
    write_tree(root / "celeba", ROWS, PARTS)
    for name in (LABELS, TRIPLETS):
        prepare(root, name)
    return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


def opened(root: Path, name: str) -> Dataset:
    return parse_dataset(name).open(root)


def prepare(root: Path, name: str) -> list[str]:
    said: list[str] = []
    opened(root, name).prepare(said.append)
    return [line.partition(": ")[2] for line in said]


def members(split: Split) -> Tensor:
    assert split.members is not None
    return split.members


def inputs(split: Split) -> Tensor:
    assert isinstance(split.inputs, Tensor)
    return split.inputs


def original(root: Path, row: int) -> Image.Image:
    with Image.open(root / "celeba" / "img_align_celeba" / f"{row + 1:06d}.jpg") as file:
        return file.convert("RGB")


def test_classes_are_those_of_the_images_of_the_official_parts(prepared: Path) -> None:
    dataset = opened(prepared, LABELS)
    assert [task.name for task in dataset.tasks] == [name.lower().replace("_", "-") for name in NAMES]
    for name, first, last in (("train", 0, 14), ("val", 14, 20), ("test", 20, 30)):
        split = dataset.load(name, validation=True)
        assert members(split)[:, 0].tolist() == list(range(first, last))
        assert torch.equal(torch.stack(split.targets, 1), HAS[first:last].long())
        assert split.defined.all()
    alone = dataset.load("train", validation=False)
    assert members(alone)[:, 0].tolist() == list(range(14))
    with pytest.raises(UsageError, match="has no split 'val' without validation"):
        dataset.load("val", validation=False)


def test_the_recipes_give_the_pixels_and_the_means_of_their_codes(root: Path) -> None:
    expected = {
        "plain": (Image.Resampling.BILINEAR, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        # (x - mean) / 255 of blue, green, red: isl-org's loader. famo: ToTensor alone.
        "isl": (Image.Resampling.NEAREST, (72.39 / 255, 82.91 / 255, 73.16 / 255), (1, 1, 1)),
        "famo": (Image.Resampling.BILINEAR, (0, 0, 0), (1, 1, 1)),
    }
    for recipe, (way, mean, std) in expected.items():
        prepare(root, f"{LABELS}:recipe={recipe}")
        split = opened(root, f"{LABELS}:recipe={recipe}").load("test", validation=False)
        assert split.mean == pytest.approx(mean)
        assert split.std == std
        for row in (20, 29):
            pixels = np.asarray(original(root, row).resize((16, 16), way)).transpose(2, 0, 1)
            assert np.array_equal(inputs(split)[row].numpy(), pixels)


def test_retrieval_sees_the_middle_square(prepared: Path) -> None:
    split = opened(prepared, TRIPLETS).load("train", validation=False)
    assert inputs(split).shape == (30, 3, 16, 16)
    for row in (0, 17, 29):
        square = Resize((16, 16))(CenterCrop(min(SIZE))(original(prepared, row)))
        assert np.array_equal(inputs(split)[row].numpy(), np.asarray(square).transpose(2, 0, 1))
    batch = split.batch(torch.tensor([0]))
    assert isinstance(batch.inputs, Tensor)
    # (x - mean) / 128, of red, green and blue.
    raw = inputs(split)[members(split)[0]].float()
    mean = torch.tensor([122.7717, 115.9465, 102.9801])[:, None, None]
    torch.testing.assert_close(batch.inputs, (raw - mean) / 128, rtol=0, atol=1e-5)


def test_triplets_are_of_their_attribute_and_of_their_split(prepared: Path) -> None:
    dataset = opened(prepared, TRIPLETS)
    assert [task.name for task in dataset.tasks] == [name.lower().replace("_", "-") for name in SEVEN]
    for name, each, first, last in (("train", 20, 0, 14), ("val", 9, 14, 20), ("test", 9, 20, 30)):
        split = dataset.load(name, validation=True)
        assert split.defined.sum(0).tolist() == [each] * 7
        assert (split.defined.sum(1) == 1).all()
        assert (members(split) >= first).all()
        assert (members(split) < last).all()
        for task, attribute in enumerate(SEVEN):
            triplets = members(split)[split.defined[:, task]]
            has = HAS[triplets, NAMES.index(attribute)]
            assert has.tolist() == [[True, True, False]] * each
            assert (triplets[:, 0] != triplets[:, 1]).all()
            target = split.targets[task][split.defined[:, task]]
            assert target[:, :, 0].tolist() == triplets.tolist()
            assert target[:, :, 1].tolist() == [[1, 1, 0]] * each


def test_an_attribute_has_the_same_triplets_among_other_attributes(root: Path) -> None:
    other = TRIPLETS.replace("celeba7", "celeba20")
    prepare(root, other)
    lists = []
    for name in (TRIPLETS, other):
        dataset = opened(root, name)
        split = dataset.load("train", validation=False)
        task = [task.name for task in dataset.tasks].index("bald")
        lists.append(members(split)[split.defined[:, task]])
    assert torch.equal(*lists)


def test_lists_are_the_same_wherever_they_are_drawn_and_prepare_prints_their_sums(root: Path, tmp_path: Path) -> None:
    lines = prepare(root, TRIPLETS)
    sums = [line.rpartition(" ")[2] for line in lines if "triplets of each of 7 tasks" in line]
    assert len(set(sums)) == 3
    assert {len(each) for each in sums} == {64}
    elsewhere = tmp_path / "elsewhere"
    write_tree(elsewhere / "celeba", ROWS, PARTS)
    again = prepare(elsewhere, TRIPLETS)
    assert [line for line in again if "sha256" in line] == [line for line in lines if "sha256" in line]
    assert opened(elsewhere, TRIPLETS).fingerprint() == opened(root, TRIPLETS).fingerprint() != ""
    both = prepare(elsewhere, f"{TRIPLETS}:anchor=both")
    assert not set(sums) & {line.rpartition(" ")[2] for line in both}


def test_prepare_says_what_the_labels_are_like(root: Path) -> None:
    lines = prepare(root, TRIPLETS)
    assert lines[0].startswith("14 images to train on, 10 to test on, and 6 of a validation split")
    fraction = 100 * float(HAS[:14, NAMES.index("Bald")].double().mean())
    assert f"Bald {fraction:.1f} %" in lines[1]
    [together] = [line for line in lines if line.startswith("attributes that go together most")]
    first = together.partition("correlation: ")[2].partition(", ")[0]
    one, _, other, value = first.split()
    classes = HAS[:14][:, [NAMES.index(name) for name in SEVEN]].numpy()
    correlations = np.corrcoef(classes.T)
    np.fill_diagonal(correlations, -1)
    assert correlations[SEVEN.index(one), SEVEN.index(other)] == pytest.approx(correlations.max())
    assert float(value) == pytest.approx(correlations.max(), abs=0.005)


def test_labels_need_no_pictures(tmp_path: Path) -> None:
    write_tree(tmp_path / "celeba", ROWS, PARTS)
    shutil.rmtree(tmp_path / "celeba" / "img_align_celeba")
    for name in (LABELS, TRIPLETS):
        split = opened(tmp_path, name).labels("test", validation=False)
        assert inputs(split).shape[1] == 0
        assert len(split) == (10 if name == LABELS else 63)


def test_a_split_without_images_is_refused_where_it_is_needed(tmp_path: Path) -> None:
    parts = [0] * 20 + [2] * 10
    write_tree(tmp_path / "celeba", balanced_rows(parts), parts)
    for name in (LABELS, TRIPLETS):
        prepare(tmp_path, name)
        opened(tmp_path, name).load("train", validation=True)
        with pytest.raises(DataError, match=r"list_eval_partition\.txt has no image of the val split"):
            opened(tmp_path, name).load("val", validation=True)
    write_tree(tmp_path / "data" / "celeba", ROWS, [0] * 30)
    with pytest.raises(DataError, match=r"list_eval_partition\.txt has no image of the test split"):
        prepare(tmp_path / "data", LABELS)


@pytest.mark.parametrize("name", [LABELS, TRIPLETS])
def test_a_listed_image_that_is_absent_is_named_and_nothing_is_lost(name: str, tmp_path: Path) -> None:
    write_tree(tmp_path / "celeba", ROWS, PARTS)
    path = tmp_path / "celeba" / "img_align_celeba" / "000012.jpg"
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(DataError, match=r"000012\.jpg is missing or empty; 1 of the 30 files"):
        prepare(tmp_path, name)
    path.write_bytes(content[:300])
    with pytest.raises(DataError, match=r"000012\.jpg is missing, truncated or damaged"):
        prepare(tmp_path, name)
    assert opened(tmp_path, name).fingerprint() == ""
    path.write_bytes(content)
    assert "decoded 19 images, 11 were there" in prepare(tmp_path, name)[-1]


def test_pictures_in_the_wild_are_refused_by_their_size(tmp_path: Path) -> None:
    write_tree(tmp_path / "celeba", ROWS, PARTS)
    path = tmp_path / "celeba" / "img_align_celeba" / "000003.jpg"
    Image.new("RGB", (40, 30)).save(path)
    with pytest.raises(DataError, match=r"000003\.jpg .* it has 40 x 30 pixels, not 18 x 22"):
        prepare(tmp_path, LABELS)


def test_an_attribute_that_too_few_images_have_is_refused(tmp_path: Path) -> None:
    rows = [list(row) for row in ROWS]
    for row in rows[20:]:
        row[NAMES.index("Bald")] = -1
    rows[24][NAMES.index("Bald")] = 1
    write_tree(tmp_path / "celeba", rows, PARTS)
    with pytest.raises(DataError, match=r"list_attr_celeba\.txt: Bald is 1 for 1 of the 10 images of the test split"):
        prepare(tmp_path, TRIPLETS)
    prepare(tmp_path, LABELS)


def test_a_faulty_list_loses_nothing_that_was_prepared(root: Path) -> None:
    path = root / "celeba" / "list_attr_celeba.txt"
    kept, whole, times = _contents(root / "faces"), path.read_bytes(), path.stat()
    edit(path, lambda lines: lines.__setitem__(11, lines[11].rsplit(" ", 2)[0]))
    for name in (LABELS, TRIPLETS):
        with pytest.raises(DataError, match=r"^line 12 of .*list_attr_celeba\.txt: it has 38 values for 40 attributes"):
            prepare(root, name)
    assert _contents(root / "faces") == kept
    path.write_bytes(whole)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    opened(root, TRIPLETS).load("train", validation=False)


def test_where_there_is_no_space_it_says_so_and_goes_on_once_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path / "celeba", ROWS, PARTS)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"faces/celeba-v1\.safetensors cannot be written: No space left on device\."):
        prepare(tmp_path, TRIPLETS)
    assert _contents(tmp_path / "faces") == {}
    monkeypatch.undo()
    prepare(tmp_path, TRIPLETS)
    opened(tmp_path, TRIPLETS).verify()


def test_two_preparations_at_once_do_no_harm(prepared: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "celeba", ROWS, PARTS)
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda _: prepare(tmp_path, TRIPLETS), range(4)))
    assert sum("decoded 30 images, 0 were there" in lines[-1] for lines in said) == 1
    assert opened(tmp_path, TRIPLETS).fingerprint() == opened(prepared, TRIPLETS).fingerprint() != ""
    opened(tmp_path, TRIPLETS).verify()
    assert {path.suffix for path in (tmp_path / "faces").iterdir()} == {".safetensors", ".sha256"}


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_lists_that_are_altered_or_of_other_labels_are_not_used(root: Path) -> None:
    [path] = (root / "faces").glob("celeba-triplets-7-*.safetensors")
    kept = path.read_bytes()
    path.write_bytes(kept[:-8] + bytes(8))
    with pytest.raises(DataError, match="is truncated or altered"):
        opened(root, TRIPLETS).load("train", validation=False)
    with pytest.raises(DataError, match="is truncated or altered"):
        opened(root, TRIPLETS).verify()
    prepare(root, TRIPLETS)
    assert path.read_bytes() == kept
    edit(root / "celeba" / "list_attr_celeba.txt", lambda lines: _flip(lines, 20))
    with pytest.raises(DataError, match="is not the file any more"):
        opened(root, TRIPLETS).load("train", validation=False)
    prepare(root, LABELS)
    with pytest.raises(DataError, match="was drawn from other annotations"):
        opened(root, TRIPLETS).load("train", validation=False)
    assert opened(root, TRIPLETS).fingerprint() == ""
    prepare(root, TRIPLETS)
    opened(root, TRIPLETS).load("train", validation=False)
    assert path.read_bytes() != kept


def _flip(lines: list[str], image: int) -> None:
    """Change the last attribute of an image."""
    head, value = lines[image + 1].rsplit(" ", 1)
    lines[image + 1] = f"{head} {-int(value)}"


def test_fingerprints_are_of_labels_pixels_and_lists(root: Path) -> None:
    sums = {opened(root, name).fingerprint() for name in (LABELS, TRIPLETS)}
    assert len(sums) == 2
    more = TRIPLETS.replace("triplets=20", "triplets=21")
    assert opened(root, more).fingerprint() == ""
    prepare(root, more)
    assert opened(root, more).fingerprint() not in sums


def test_a_folder_is_linked_if_it_is_celeba(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "other"))
    wild = tmp_path / "wild"
    (wild / "img_celeba").mkdir(parents=True)
    refused = CliRunner().invoke(app, ["link", "celeba", str(wild)])
    assert refused.exit_code != 0
    assert "in the wild" in str(refused.exception)
    assert CliRunner().invoke(app, ["link", "celeba", str(root / "celeba")]).exit_code == 0
    assert json.loads((tmp_path / "other" / "links.json").read_text()) == {"celeba": str(root / "celeba")}


def test_a_linked_folder_in_another_layout_has_the_same_fingerprint(prepared: Path, tmp_path: Path) -> None:
    elsewhere = write_tree(tmp_path / "elsewhere", ROWS, PARTS, "kaggle")
    set_link(tmp_path / "data", "celeba", elsewhere)
    prepare(tmp_path / "data", LABELS)
    assert opened(tmp_path / "data", LABELS).fingerprint() == opened(prepared, LABELS).fingerprint()


@pytest.mark.parametrize("name", [LABELS, TRIPLETS])
def test_the_datasets_conform(name: str, root: Path) -> None:
    checks = dataset_checks(name, root)
    whole = {sentence for sentence in checks if "trained" in sentence or "measure" in sentence}
    assert len(whole) == 2  # these take the whole networks
    assert len(checks) == 11
    for sentence in checks.keys() - whole:
        checks[sentence]()


def test_protocols_state_the_papers_settings() -> None:
    for name, batch in (("celeba7", 56), ("celeba20", 60), ("celeba40", 80)):
        paper = parse_dataset(name).dataset_class.protocols["paper"]
        assert (paper.optimizer, paper.lr, paper.initial_accumulator, paper.batch) == ("adagrad", 0.01, 0.1, batch)
        assert [paper.learning_rate(epoch) for epoch in (39, 40, 80)] == pytest.approx([1e-2, 1e-3, 1e-4])
    protocols = parse_dataset("celeba").dataset_class.protocols
    assert [protocols["paper"].learning_rate(epoch) for epoch in (9, 10)] == pytest.approx([5e-4, 4.25e-4])
    assert [protocols["unitary-celeba"].learning_rate(epoch) for epoch in (0, 2)] == pytest.approx([1e-3, 9.025e-4])
    assert protocols["famo-celeba"].learning_rate(14) == 3e-4
