"""``mtbench data`` as a person types it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from mtbench.cli.data.commands import app
from mtbench.cli.data.known import check_known, known_sums
from mtbench.errors import DataError, PluginError, UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.train.assemble import assemble
from mtbench_datasets import mnist
from mtbench_datasets.composites import PARTS
from mtbench_datasets.files import sum_beside, write_with_sum
from mtbench_toys.datasets import AllTasks


def typed(*words: str | Path) -> str:
    """Return what a command prints; its error is raised as it is."""
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False).output


@pytest.fixture
def root(data_root: Path, tmp_path: Path) -> Path:
    """A root in which files may be replaced: MNIST and mmnist2 as links."""
    (tmp_path / "mnist").mkdir()
    for path in (data_root / "mnist").iterdir():
        if path.name in mnist.MD5 or path.name.startswith("mmnist2-offset6-canvas36-"):
            (tmp_path / "mnist" / path.name).symlink_to(path)
    return tmp_path


def test_where_tells_the_root_and_whether_a_dataset_is_there(root: Path) -> None:
    assert typed("where", "--data-root", root) == f"{root}\n"
    assert typed("where", "mmnist2", "--data-root", root) == f"{root}\nmmnist2 is ready\n"
    assert typed("where", "mmnist3", "--data-root", root) == (
        f"{root}\nmmnist3 is not ready yet: mtbench data prepare mmnist3\n"
    )


def test_the_root_may_be_given_by_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTBENCH_DATA", str(root))
    assert typed("where") == f"{root}\n"


def test_verify_prints_a_line_for_each_file(root: Path) -> None:
    lines = typed("verify", "mmnist2", "--data-root", root).splitlines()
    assert len(lines) == len(mnist.MD5) + len(PARTS) + 1
    for line, (name, md5) in zip(lines, mnist.MD5.items(), strict=False):
        assert line == f"{root}/mnist/{name}  md5:{md5}"
    assert lines[-1] == "mmnist2: every file is as it should be"


def test_verify_fails_on_a_damaged_file_and_prepare_mends_it(root: Path) -> None:
    damaged = root / "mnist" / "mmnist2-offset6-canvas36-val-v1.safetensors"
    damaged.unlink()
    damaged.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"val-v1\.safetensors is truncated or altered"):
        typed("verify", "mmnist2", "--data-root", root)
    said = typed("prepare", "mmnist2", "--data-root", root)
    assert said.startswith(f"mmnist2: composing val\nmmnist2 is ready in {root}\n  LU: all labeled; 0: ")
    assert typed("verify", "mmnist2", "--data-root", root).endswith("mmnist2: every file is as it should be\n")


def test_verify_refuses_a_file_that_was_replaced_together_with_the_sum_beside_it(root: Path) -> None:
    path = root / "mnist" / "mmnist2-offset6-canvas36-val-v1.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.unlink()
    path.with_suffix(".sha256").unlink()
    write_with_sum(path, bytes(content))
    with pytest.raises(DataError, match=r"val-v1\.safetensors is not what the recipe makes.*Remove it and mmnist2-"):
        typed("verify", "mmnist2", "--data-root", root)
    path.unlink()
    path.with_suffix(".sha256").unlink()
    typed("prepare", "mmnist2", "--data-root", root)
    assert typed("verify", "mmnist2", "--data-root", root).endswith("mmnist2: every file is as it should be\n")


def test_verify_says_of_which_files_only_the_sum_beside_them_is_known(tmp_path: Path) -> None:
    path = tmp_path / "mnist" / "mmnist2-offset5-canvas36-val-v1.safetensors"
    write_with_sum(path, b"0")
    known = known_sums("mmnist2")
    checksum = f"sha256:{sum_beside(path)}"
    assert check_known(path, checksum, tmp_path, known, "mmnist2") == f"compared with {path.stem}.sha256 alone"
    assert {name.rpartition("-canvas")[0] for name in known} == {
        *("mnist/mmnist2-offset6", "mnist/mmnist3-offset6", "mnist/mmnist4-offset12", "mnist/mmnist9-offset12")
    }


def test_a_misspelt_name_is_found_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^dataset 'mmnist5' is not installed\. Did you mean 'mmnist\d'\?"):
        typed("prepare", "mmnist2", "mmnist5", "--data-root", tmp_path)
    assert not list(tmp_path.iterdir())


def test_show_writes_a_page_of_images(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "two.png"
    assert typed("show", "mmnist2", "--out", page, "--count", "6", "--data-root", root) == f"{page}\n"
    assert page.read_bytes().startswith(b"\x89PNG")


def test_show_names_the_page_after_the_dataset(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed("show", "mmnist2:canvas=36:offset=6", "--data-root", root) == "mmnist2,canvas=36,offset=6.png\n"
    assert (tmp_path / "mmnist2,canvas=36,offset=6.png").is_file()


def test_what_cannot_be_written_is_refused_in_a_sentence(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path, tmp_path / "file" / "page"):
        for words in (("--labels",), ()):
            message = rf"^{out} cannot be written: .*\. Choose another file with --out\.$"
            with pytest.raises(UsageError, match=message):
                typed("show", "mmnist2", *words, "--out", out, "--count", "6", "--data-root", root)


@pytest.fixture
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dataset that is made of files called squares, among which there is to be one of that name."""

    def check_folder(folder: Path) -> None:
        if not (folder / "squares").exists():
            raise DataError(f"{folder} has no file squares.")

    monkeypatch.setattr(AllTasks, "source", "squares")
    monkeypatch.setattr(AllTasks, "check_folder", check_folder)


@pytest.mark.usefixtures("squares")
def test_link_tells_where_original_files_lie_and_where_shows_it(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "folder"
    folder.mkdir()
    (folder / "squares").touch()
    assert (
        typed("link", "squares", "--data-root", root)
        == f"squares is not linked; its files are expected in {root}/squares\n"
    )
    assert typed("where", "toy-all", "--data-root", root) == f"{root}\ntoy-all is ready\n"
    opened = parse_dataset("toy-all").open(root)
    assert opened.folder == root / "squares"
    fingerprint = opened.fingerprint()
    for words in (("link", "toy-all", folder), ("link", "squares"), ("link", "toy-all")):
        assert typed(*words, "--data-root", root) == f"squares is linked to {folder}\n"
    for name in ("toy-all", "toy-all:noise=0/.3"):
        assert typed("where", name, "--data-root", root).endswith(f"is ready\nsquares is linked to {folder}\n")
        assert parse_dataset(name).open(root).folder == folder
    assert opened.fingerprint() == fingerprint


@pytest.mark.usefixtures("squares")
def test_what_cannot_be_linked_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    root = tmp_path / "root"
    message = r"^no dataset is made from files called 'square'\. Did you mean 'squares'\? Names: .*squares"
    with pytest.raises(UsageError, match=message):
        typed("link", "square", tmp_path, "--data-root", root)
    with pytest.raises(
        UsageError, match=rf"^{tmp_path}/none is not a folder\. Give the folder of the files of squares"
    ):
        typed("link", "squares", tmp_path / "none", "--data-root", root)
    with pytest.raises(UsageError, match=r"x is not a folder\. Give the folder of the files of squares"):
        typed("link", "squares", tmp_path / ("x" * 300), "--data-root", root)
    with pytest.raises(DataError, match="has no file squares"):
        typed("link", "squares", tmp_path, "--data-root", root)
    assert not root.exists()


def test_the_commands_import_nothing_heavy_before_they_run() -> None:
    program = "import sys, mtbench.cli.data.commands; print({'torch', 'numpy', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "set()\n"


def test_targets_that_a_kind_cannot_be_given_are_told_of_as_a_dataset_is_prepared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    split = AllTasks.split
    monkeypatch.setattr(
        AllTasks, "split", lambda self, images, targets: split(self, images, tuple(target + 1 for target in targets))
    )
    with pytest.raises(PluginError) as error:
        typed("prepare", "toy-all", "--data-root", tmp_path)
    assert str(error.value) == (
        "in split 'train' the targets of task 'upper' have 28 numbers that are none of the 4 classes 0 to 3: 4. The "
        "same holds for 1 more task. The dataset has to give other targets, or other kinds of tasks; `mtbench check` "
        "checks all splits."
    )
    [spec, *_] = plan(Request(methods=["uniform"], datasets=["toy-all"], protocol="paper", settings={}, seeds=[0]))
    with pytest.raises(PluginError, match="in split 'train' the targets of task 'upper' have 28 numbers"):
        assemble(spec, root=tmp_path, device=torch.device("cpu"))
