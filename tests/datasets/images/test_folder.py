"""The cache of a folder of images: decoded once, resumed, checked."""

import errno
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mtbench.errors import DataError
from mtbench_datasets.images import cache, progress
from mtbench_datasets.images import folder as module
from mtbench_datasets.images.decode import decode
from tests.datasets.images.pictures import folder_of, write_pictures
from tests.waits import wait_until

COUNT = 40


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_pictures(tmp_path / "originals", COUNT)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded, as it happens, eight between two writes."""
    names: list[str] = []

    def counted(path: Path, *more: Any, **named: Any) -> bytes:
        content = decode(path, *more, **named)
        names.append(path.name)
        return content

    monkeypatch.setattr(module, "decode", counted)
    monkeypatch.setattr(cache, "AT_ONCE", 8)
    return names


def pixels_of(file: Path, size: tuple[int, int]) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR)).transpose(2, 0, 1)


def silent(_: str) -> None:
    pass


def test_row_i_has_the_pixels_of_file_i_and_nothing_is_decoded_twice(
    files: list[Path], tmp_path: Path, decoded: list[str]
) -> None:
    for size in ((6, 8), (9, 12)):
        made, said = folder_of(files, tmp_path / "root", size=size), list[str]()
        assert made.fingerprint() == ""
        made.prepare(said.append)
        images = made.open().images
        assert images.shape == (COUNT, 3, *size)
        assert all(np.array_equal(row, pixels_of(file, size)) for row, file in zip(images.numpy(), files, strict=True))
        assert said[0].startswith(f"pictures: {COUNT} images at {size[0]} x {size[1]} need 0.0 MB in {tmp_path}")
        assert said[-1] == f"pictures: decoded {COUNT} images, 0 were there"
    assert len(decoded) == 2 * COUNT
    folder_of(files, tmp_path / "root").prepare(lambda _: pytest.fail("there is nothing to do"))
    assert len(decoded) == 2 * COUNT


def test_nothing_is_written_where_the_originals_are(files: list[Path], tmp_path: Path) -> None:
    def state() -> list[tuple[Path, int]]:
        return [(path, path.stat().st_mtime_ns) for path in sorted((tmp_path / "originals").rglob("*"))]

    before = state()
    folder_of(files, tmp_path / "root").prepare(silent)
    assert state() == before


def test_the_fingerprint_is_that_of_the_pixels(files: list[Path], tmp_path: Path, decoded: list[str]) -> None:
    first, second = folder_of(files, tmp_path / "a"), folder_of(files, tmp_path / "b", stem="others")
    for made in (first, second):
        made.prepare(silent)
    assert first.fingerprint() == second.fingerprint() != ""
    Image.fromarray(255 - np.asarray(Image.open(files[7]))).save(files[7])
    second.prepare(silent)
    assert first.fingerprint() != second.fingerprint()
    assert decoded[2 * COUNT :] == [files[7].name]


def test_a_damaged_image_stops_it_and_once_replaced_it_goes_on_where_it_stopped(
    files: list[Path], tmp_path: Path, decoded: list[str]
) -> None:
    content, made = files[21].read_bytes(), folder_of(files, tmp_path / "root")
    files[21].write_bytes(content[:-60])
    files[30].write_bytes(content[:50])  # wrong too, but later in the list
    with pytest.raises(DataError, match=rf"^{files[21]} is missing, truncated or damaged .* from nowhere\.$"):
        made.prepare(silent)
    assert made.fingerprint() == ""
    with pytest.raises(DataError, match=r"pictures-6x8-v1\.pixels is not there, or not finished\. `mtbench data prep"):
        made.open()
    for file in (files[21], files[30]):
        file.write_bytes(content)
    decoded.clear()
    made.prepare(silent)
    assert sorted(decoded) == [file.name for file in files[21:]]
    made.verify()


@pytest.mark.parametrize("left", [0, 25])
def test_a_half_copied_folder_is_refused_before_anything_is_decoded(
    left: int, files: list[Path], tmp_path: Path, decoded: list[str]
) -> None:
    for file in files[left:-1]:
        file.unlink()
    with pytest.raises(DataError) as caught:
        folder_of(files, tmp_path / "root").prepare(silent)
    assert str(caught.value) == (
        f"{files[left]} is missing or empty; {COUNT - 1 - left} of the {COUNT} files of pictures are. "
        "Copy the whole dataset; `mtbench data prepare some-set` then goes on. The pictures can be had from nowhere."
    )
    assert not decoded


def test_a_cache_of_other_originals_is_not_used(files: list[Path], tmp_path: Path, decoded: list[str]) -> None:
    root = tmp_path / "root"
    made = folder_of(files, root)
    made.prepare(silent)
    swapped = folder_of([files[1], files[0], *files[2:]], root)
    fewer = folder_of(files[:-1], root)
    for other in (swapped, fewer):
        assert other.fingerprint() == ""
        with pytest.raises(DataError, match=r"mtbench data prepare some-set"):
            other.open()
    files[5].write_bytes(files[6].read_bytes())
    with pytest.raises(DataError, match=rf"^{files[5]} is not the file any more that .*pixels was made of"):
        made.open()
    decoded.clear()
    swapped.prepare(silent)
    assert sorted(decoded) == [files[number].name for number in (0, 1, 5)]
    assert np.array_equal(swapped.open().images[1].numpy(), pixels_of(files[0], (6, 8)))
    fewer.prepare(silent)
    assert len(fewer.open().images) == COUNT - 1


def test_originals_that_are_deleted_afterwards_are_not_missed(files: list[Path], tmp_path: Path) -> None:
    made = folder_of(files, tmp_path / "root")
    made.prepare(silent)
    shutil.rmtree(tmp_path / "originals")
    made.prepare(silent)
    assert len(made.open().images) == COUNT


def test_every_flipped_byte_is_found_and_prepare_mends_it(tmp_path: Path, decoded: list[str]) -> None:
    made = folder_of(write_pictures(tmp_path / "originals", 3), tmp_path / "root", size=(2, 2))
    made.prepare(silent)
    good = {path: path.read_bytes() for path in (made.pixels, made.rows, made.seal)}
    for path, content in good.items():
        for place in range(0, len(content), 1 if path == made.pixels else 5):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(DataError, match="mtbench data prepare some-set` mends it"):
                made.verify()
            for other, right in good.items():  # a seal that was broken is there again
                other.write_bytes(right)
    fingerprint = made.fingerprint().encode()
    made.seal.write_bytes(good[made.seal].replace(fingerprint, fingerprint[::-1]))
    with pytest.raises(DataError, match=r"json is altered: it does not fit .*rows\."):
        made.verify()
    made.prepare(silent)
    made.verify()
    made.pixels.write_bytes(good[made.pixels][:-1] + b"\0")
    with pytest.raises(
        DataError, match=rf"the sha256 of image 2 \({made.files[2].name}\) is not [0-9a-f]{{64}}; 1 of 3"
    ):
        made.verify()
    decoded.clear()
    made.prepare(silent)
    assert decoded == [made.files[2].name]
    assert {path: path.read_bytes() for path in good} == good
    assert made.verify() == [(made.pixels, f"sha256:{made.fingerprint()}")]


@pytest.mark.parametrize("garbage", ['["a", 2, 3, 4, 5]', "[[1], 2, 3, 4, 5]", '{"a": 1}', "[1, 2]", "[" * 100_000])
def test_notes_that_are_garbage_are_made_anew(garbage: str, files: list[Path], tmp_path: Path) -> None:
    made = folder_of(files, tmp_path / "root")
    for path in (made.rows, made.seal):
        made.prepare(silent)
        path.write_text(f"{garbage}\n")
        with pytest.raises(DataError, match="mtbench data prepare some-set` mends it"):
            made.verify()
        made.prepare(silent)
        made.verify()


def test_truncated_pixels_are_found_when_they_are_opened(files: list[Path], tmp_path: Path, decoded: list[str]) -> None:
    made = folder_of(files, tmp_path / "root")
    made.prepare(silent)
    with made.pixels.open("r+b") as file:
        file.truncate(3 * 6 * 8 * 30)
    with pytest.raises(DataError, match=r"has 4320 bytes, not 5760\. `mtbench data prepare some-set` mends it\."):
        made.open()
    decoded.clear()
    made.prepare(silent)
    assert sorted(decoded) == [file.name for file in files[30:]]


def test_where_there_is_no_space_nothing_is_written(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 5000, 5000))
    made = folder_of(files, tmp_path / "root")
    with pytest.raises(
        DataError, match=r"^pictures: 40 images at 6 x 8 need 0\.0 MB in .*, where 0\.0 MB are free\. Make"
    ):
        made.prepare(silent)
    assert not made.pixels.exists()


def test_without_a_terminal_progress_is_a_line_now_and_then(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    said: list[str] = []
    folder_of(files, tmp_path / "root").prepare(said.append)
    assert said[1].startswith("pictures at 6 x 8: 1 of 40 images, 0:0")
    assert len(said) == 1 + COUNT - 1 + 1


def test_what_cannot_be_written_is_an_error_in_a_sentence(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"file/images/pictures-6x8-v1\.lock cannot be written: Not a directory\. Make room"
    ):
        folder_of(files, tmp_path / "file").prepare(silent)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    made = folder_of(files, tmp_path / "root")
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(
        DataError, match=r"pictures-6x8-v1\.pixels cannot be written: No space left on device\. Make room"
    ):
        made.prepare(silent)
    monkeypatch.undo()
    made.prepare(silent)
    made.verify()


def test_on_a_terminal_progress_is_a_bar_with_the_time_left(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    said: list[str] = []
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    folder_of(files, tmp_path / "root").prepare(said.append)
    shown = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", terminal.getvalue())
    assert re.search(r"pictures at 6 x 8.* 40/40 0:00:00", shown)
    assert len(said) == 2


SLOW = """
import sys, time
from pathlib import Path
from mtbench_datasets.images import cache
from mtbench_datasets.images import folder as module
from tests.datasets.images.pictures import folder_of

decode, cache.AT_ONCE = module.decode, 4

def slow(*given, **named):
    time.sleep(0.01)
    return decode(*given, **named)

module.decode = slow
files = sorted(Path(sys.argv[1]).iterdir())
folder_of(files, Path(sys.argv[2])).prepare(lambda line: print(line, flush=True))
"""


def started(originals: Path, root: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", SLOW, originals, root], stdout=subprocess.PIPE, text=True)


def test_killed_it_goes_on_where_it_was_and_two_at_once_do_no_harm(tmp_path: Path, decoded: list[str]) -> None:
    originals, root = tmp_path / "originals", tmp_path / "root"
    files = write_pictures(originals, 80)
    made, undisturbed = folder_of(files, root), folder_of(files, tmp_path / "other")
    with started(originals, root) as process:
        wait_until(lambda: made.rows.is_file() and made.rows.read_bytes().count(b"\n") >= 12)
        process.kill()
    noted = made.rows.read_bytes().count(b"\n")
    assert 12 <= noted < 80
    assert made.fingerprint() == ""

    with started(originals, root) as process:
        assert process.stdout is not None
        assert "80 images" in process.stdout.readline()  # it has the lock
        said: list[str] = []
        made.prepare(said.append)
        assert said == ["pictures: another process is at it; waiting for it"]
        assert not decoded
        assert process.stdout.read() == f"pictures: decoded {80 - noted} images, {noted} were there\n"
        assert process.wait(60) == 0
    made.verify()
    undisturbed.prepare(silent)
    assert made.pixels.read_bytes() == undisturbed.pixels.read_bytes()
    assert made.fingerprint() == undisturbed.fingerprint()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="counts the pages of a map")
def test_release_gives_the_memory_back_and_the_images_stay_readable(files: list[Path], tmp_path: Path) -> None:
    made = folder_of(files, tmp_path / "root", size=(64, 64))
    made.prepare(silent)
    mapped = made.open()

    def resident() -> int:
        lines = iter(Path("/proc/self/smaps").read_text().splitlines())
        assert any(str(made.pixels) in line for line in lines)
        return int(next(line for line in lines if line.startswith("Rss:")).split()[1]) * 1024

    before = mapped.images.clone()
    assert resident() >= 3 * 64 * 64 * COUNT
    mapped.release()
    assert resident() == 0
    assert torch.equal(mapped.images, before)
