"""The fingerprint of data, remembered for as long as its files stay as they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mtbench.contract.data.links import LINKS
from mtbench.errors import UsageError
from mtbench.plan import chosen
from mtbench.plan.chosen import split_options
from mtbench.plan.parse import parse_dataset
from mtbench.store.identity.data import find_fingerprint
from mtbench.store.memory import CACHE


def ask(dataset: str, root: Path) -> str:
    """Return the fingerprint as a new process has it."""
    return find_fingerprint(split_options(dataset, "dataset"), root, {})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with files as those of mmnist3, whose sums are all that its fingerprint depends on."""
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    for number, file in enumerate(parse_dataset("mmnist3").open(tmp_path).fingerprint_files() or ()):
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{number:064}")
    return tmp_path


@pytest.fixture
def unasked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state in which the fingerprint is known and the dataset must not be asked again."""
    assert ask("mmnist3", root)
    monkeypatch.setattr(chosen, "load_dataset", None)


def test_it_is_that_of_the_dataset(root: Path) -> None:
    assert ask("mmnist3", root) == parse_dataset("mmnist3").open(root).fingerprint() != ""
    assert ask("mmnist3:noise=0/0/.3", root) == ask("mmnist3", root)


@pytest.mark.usefixtures("unasked")
def test_while_no_file_changes_the_dataset_is_not_asked_again(root: Path) -> None:
    assert ask("mmnist3", root)


def altered(file: Path) -> None:
    file.write_text("f" * 64 + " ")


@pytest.mark.parametrize("change", [altered, Path.unlink])
def test_a_change_of_any_file_is_noticed(root: Path, change: Callable[[Path], None]) -> None:
    files = parse_dataset("mmnist3").open(root).fingerprint_files()
    assert files
    assert any(file.suffix == ".sha256" for file in files)
    for file in files:
        before, content = ask("mmnist3", root), file.read_text()
        change(file)
        now = ask("mmnist3", root)
        assert now == parse_dataset("mmnist3").open(root).fingerprint()
        assert (now != before) == (file.suffix == ".sha256" or change is Path.unlink)
        file.write_text(content)


def test_data_that_come_are_noticed(root: Path, tmp_path: Path) -> None:
    there, elsewhere = root / "mnist", tmp_path / "elsewhere"
    there.rename(elsewhere)
    assert ask("mmnist3", root) == ""
    elsewhere.rename(there)
    assert ask("mmnist3", root) != ""


@pytest.mark.usefixtures("unasked")
def test_a_new_link_to_a_folder_of_data_is_noticed(root: Path) -> None:
    (root / LINKS).write_text("{}")
    with pytest.raises(TypeError):
        ask("mmnist3", root)


def test_a_dataset_that_is_not_installed_is_no_fingerprint(root: Path) -> None:
    with pytest.raises(UsageError):
        ask("nothing", root)
