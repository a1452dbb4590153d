"""From image files to pixels."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize

from mtbench.errors import DataError
from mtbench_datasets.images.decode import decode

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def decoded(path: Path, size: tuple[int, int] = (12, 16)) -> np.ndarray:
    return np.frombuffer(decode(path, size, "Mend it.", "Get it."), dtype=np.uint8).reshape(3, *size)


def content_of(image: Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("size", [(12, 16), (5, 7), (24, 20), (64, 64)])
def test_pixels_are_those_of_torchvision_resize(format: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(content_of(Image.fromarray(PIXELS), format))
    with Image.open(path) as image:
        expected = np.asarray(Resize(size)(image.convert("RGB")))
    assert np.array_equal(decoded(path, size), expected.transpose(2, 0, 1))


@pytest.mark.parametrize("crop", [(12, 12), (7, 10), (9, 5)])
def test_the_middle_is_cropped_as_torchvision_does(crop: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    found = np.frombuffer(decode(path, (6, 6), "", "", crop=crop), dtype=np.uint8).reshape(3, 6, 6)
    expected = Resize((6, 6))(CenterCrop(crop)(Image.fromarray(PIXELS)))
    assert np.array_equal(found, np.asarray(expected).transpose(2, 0, 1))


def test_the_nearest_pixels_are_those_of_torchvision(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    found = np.frombuffer(decode(path, (5, 7), "", "", nearest=True), dtype=np.uint8).reshape(3, 5, 7)
    expected = Resize((5, 7), interpolation=InterpolationMode.NEAREST)(Image.fromarray(PIXELS))
    assert np.array_equal(found, np.asarray(expected).transpose(2, 0, 1))


def test_an_image_that_is_smaller_than_its_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    with pytest.raises(DataError, match="it has 16 x 12 pixels, less than 12 x 13"):
        decode(path, (5, 5), "", "", crop=(13, 12))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_an_image_of_any_mode_becomes_rgb(mode: str, tmp_path: Path) -> None:
    image, path = Image.fromarray(PIXELS).convert(mode), tmp_path / "image.png"
    image.save(path)
    assert np.array_equal(decoded(path), np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def test_transparency_is_dropped_and_the_colors_stay(tmp_path: Path) -> None:
    alpha, path = np.full((12, 16, 1), 3, dtype=np.uint8), tmp_path / "image.png"
    Image.fromarray(np.concatenate([PIXELS, alpha], axis=2)).save(path)
    assert np.array_equal(decoded(path), PIXELS.transpose(2, 0, 1))
    palette = Image.fromarray(PIXELS).quantize(8)
    palette.save(path, transparency=bytes([0, 40, 80, 120, 160, 200, 240, 255]))
    assert np.array_equal(decoded(path), np.asarray(palette.convert("RGB")).transpose(2, 0, 1))


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_file_that_is_cut_anywhere_is_refused_or_has_all_its_pixels(format: str, tmp_path: Path) -> None:
    """Only bytes after the last pixel can be missing: the mark of a JPEG's end, the checksum of a PNG's end."""
    content, path, whole = content_of(Image.fromarray(PIXELS), format), tmp_path / "image", []
    path.write_bytes(content)
    expected = decoded(path)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        try:
            assert np.array_equal(decoded(path), expected)
        except DataError:
            continue
        whole.append(len(content) - length)
    assert set(whole) <= ({1, 2, 3, 4} if format == "PNG" else {1, 2})


def test_a_png_with_a_wrong_byte_anywhere_is_refused_or_has_all_its_pixels(tmp_path: Path) -> None:
    content, path, whole = content_of(Image.fromarray(PIXELS), "PNG"), tmp_path / "image.png", 0
    path.write_bytes(content)
    expected = decoded(path)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            assert np.array_equal(decoded(path), expected)
        except DataError:
            continue
        whole += 1
    assert whole <= 8  # of the chunk that marks the end


def test_what_is_no_image_of_8_bits_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_text("no image")
    reason = "UnidentifiedImageError: neither a PNG nor a JPEG"
    expected = r" Mend it\. Expected: an image in PNG or JPEG with 8 bits a channel\. Get it\.$"
    with pytest.raises(DataError, match=rf"^{path} is missing, truncated or damaged \({reason}\)\.{expected}"):
        decoded(path)
    Image.fromarray(np.full((4, 4), 60_000, dtype=np.uint16)).save(path)
    with pytest.raises(DataError, match=r"its pixels are of mode I;16"):
        decoded(path)
    Image.fromarray(PIXELS).save(path, format="GIF")
    with pytest.raises(DataError, match="neither a PNG nor a JPEG"):
        decoded(path)
    with pytest.raises(DataError, match="FileNotFoundError"):
        decoded(tmp_path / "none.png")


def test_an_image_of_absurd_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12 * 16 // 2 - 1)
    with pytest.raises(DataError, match="DecompressionBombError"):
        decoded(path)
