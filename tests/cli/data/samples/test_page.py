"""A page of samples: a PNG for whatever dataset has images with classes, also for the one that the README shows."""

import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from mtbench.cli.data.samples.page import one_by_one, sample_page, triplet_cells
from mtbench.contract import Classification, Dataset, NoOptions, Split, Task
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_dataset
from mtbench.report.figure.examples import caption
from mtbench_toys.datasets import Numbers, PartialLabels, draw

README = Path(__file__).parents[4] / "datasets" / "README.md"


@pytest.fixture
def stripes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """The dataset of datasets/README.md."""
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    module: Any = types.ModuleType("stripes")
    monkeypatch.setitem(sys.modules, "stripes", module)
    exec(compile(found[1], str(README), "exec"), module.__dict__)
    dataset = module.Stripes(module.StripesOptions(), tmp_path)
    assert isinstance(dataset, Dataset)
    return dataset


def tasks(*names: str) -> tuple[Task, ...]:
    return tuple(Task(name=name, kind=Classification(classes=10)) for name in names)


def labelled(*labels: int) -> Split:
    targets = tuple(torch.tensor([label]) for label in labels)
    return Split(inputs=torch.zeros(1, 1, 2, 2), targets=targets, defined=torch.tensor([labels]) >= 0)


def test_a_caption_gives_the_label_of_every_task() -> None:
    assert caption(tasks("LU", "RL"), labelled(5, 0), 0) == "LU\N{NO-BREAK SPACE}5  RL\N{NO-BREAK SPACE}0"


def test_a_caption_leaves_out_what_is_undefined() -> None:
    assert caption(tasks("LU", "RL"), labelled(-1, 3), 0) == "RL\N{NO-BREAK SPACE}3"
    assert caption(tasks("LU", "RL"), labelled(-1, -1), 0) == "(no label)"


def test_a_long_caption_is_broken_between_tasks() -> None:
    lines = caption(tasks(*(f"right{digit}" for digit in range(4))), labelled(1, 2, 3, 4), 0).splitlines()
    assert [line.replace("\N{NO-BREAK SPACE}", " ").split("  ") for line in lines] == [
        ["right0 1", "right1 2"],
        ["right2 3", "right3 4"],
    ]


def test_a_page_grows_with_its_images(data_root: Path, tmp_path: Path) -> None:
    dataset = parse_dataset("mmnist2").open(data_root)
    heights = []
    for count in (6, 12, 18):
        sample_page(dataset, tmp_path / "new" / "page.png", count=count)
        heights.append(imread(tmp_path / "new" / "page.png").shape[0])
    assert heights[0] > 100
    assert heights[1] > heights[0] + 100  # a page of 6 images has as many rows less
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=2)


def test_a_page_shows_the_images(data_root: Path, tmp_path: Path) -> None:
    sample_page(parse_dataset("mmnist3").open(data_root), tmp_path / "page.png", count=1)
    page = imread(tmp_path / "page.png")[..., 0]
    shown = parse_dataset("mmnist3").open(data_root).load("test", validation=False).first(1).inputs
    assert isinstance(shown, torch.Tensor)
    assert page.min() == 0
    black = (page < 0.05).mean()
    assert 0.3 < black < (shown == 0).float().mean().item()  # the rest of the page is white


def test_undefined_labels_have_a_page_too(tmp_path: Path) -> None:
    sample_page(PartialLabels(NoOptions(), tmp_path), tmp_path / "page.png", count=4)
    assert imread(tmp_path / "page.png").ndim == 3


def test_what_has_no_classes_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        sample_page(Numbers(NoOptions(), tmp_path), tmp_path / "page.png")
    assert str(error.value) == (
        "Numbers has no page of samples. A page shows images with classes, one image an example."
    )
    assert not (tmp_path / "page.png").exists()


def test_the_dataset_of_the_readme_is_whole(stripes: Dataset, tmp_path: Path) -> None:
    for split, size in {"train": 4000, "val": 1000, "test": 1000}.items():
        loaded = stripes.load(split, validation=True)
        assert len(loaded) == size
        assert all(task.kind.defined(target).all() for task, target in zip(stripes.tasks, loaded.targets, strict=True))
        batch = loaded.batch(torch.arange(8))
        assert isinstance(batch.inputs, torch.Tensor)
        assert batch.inputs.shape == (8, *stripes.input_shape)
    with pytest.raises(UsageError, match=r"^stripes have no split 'val'. Allowed: train, test.$"):
        stripes.load("val", validation=False)
    assert stripes.fingerprint() == "stripes-1-60"
    sample_page(stripes, tmp_path / "page.png", count=3)
    assert imread(tmp_path / "page.png").ndim == 3


def test_of_triplets_each_image_is_shown_once_with_its_class_for_every_task(tmp_path: Path) -> None:
    dataset = parse_dataset("toy-retrieval").open(tmp_path)
    split = dataset.load("test", validation=False).first(5)
    shown = one_by_one(split)
    assert split.members is not None
    first = list(dict.fromkeys(split.members.flatten().tolist()))[:5]
    images, places = draw("test")
    assert isinstance(shown.inputs, torch.Tensor)
    assert torch.equal(shown.inputs, images[first])
    for row, index in enumerate(first):
        upper, lower = places[index].tolist()
        assert caption(dataset.tasks, shown, row).replace("\N{NO-BREAK SPACE}", " ") == f"upper {upper}  lower {lower}"
    with pytest.raises(UsageError, match="has no page of samples"):
        sample_page(parse_dataset("toy-triplets").open(tmp_path), tmp_path / "none.png")


def test_of_triplets_the_first_of_each_task_is_shown_with_its_roles(tmp_path: Path) -> None:
    dataset = parse_dataset("toy-retrieval").open(tmp_path)
    split = dataset.load("test", validation=False)
    assert split.members is not None
    cells = triplet_cells(dataset.tasks, split)
    images, places = draw("test")
    firsts = split.members[:2].flatten()  # tasks come in turn
    np.testing.assert_allclose(cells.images, images[firsts, 0].numpy() / 255, atol=1e-6)
    roles = ("anchor", "positive", "negative")
    assert list(cells.captions) == [
        f"{task}: {role}\n{int(places[split.members[row, place], row])}"
        for row, task in enumerate(("upper", "lower"))
        for place, role in enumerate(roles)
    ]
    sample_page(dataset, tmp_path / "page.png", count=4)
    assert imread(tmp_path / "page.png").shape[2] == 4


def test_names_with_hyphens_are_not_broken_and_captions_of_all_examples_have_one_form() -> None:
    two = tuple(
        Task(name=name, kind=Classification(classes=2), answers=("no", "yes")) for name in ("no-beard", "wavy-hair")
    )
    texts = [caption(two, labelled(*labels), 0).replace("\N{NO-BREAK SPACE}", " ") for labels in ((0, 0), (1, 1))]
    assert texts == ["no-beard no\nwavy-hair no", "no-beard yes\nwavy-hair yes"]
    long = (*two, Task(name="mouth-slightly-open", kind=Classification(classes=2), answers=("no", "yes")))
    texts = [caption(long, labelled(*labels), 0) for labels in ((0, 0, 0), (1, 1, 1))]
    assert [text.count("\n") for text in texts] == [2, 2]
