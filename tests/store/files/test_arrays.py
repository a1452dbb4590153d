"""The claims of a file of arrays or weights are compared with its bytes before memory is taken."""

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from zipfile import ZipFile

import numpy as np
import pytest
import safetensors.torch
import torch

from mtbench.store.files import arrays
from mtbench.store.files.arrays import Unreadable, read_arrays, read_weights


def npy(descr: str, shape: tuple[int, ...], content: bytes) -> bytes:
    """Return an ``.npy`` file with this head, whether or not it fits the content."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def npz(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def saved(save: object = np.savez_compressed, **values: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, **values)  # type: ignore[operator]
    return file.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_read_as_numpy_reads_them(save: object) -> None:
    values: dict[str, np.ndarray] = {
        "classes": np.arange(7, dtype=np.uint8),
        "numbers": np.asfortranarray(np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)),
        "(images)": np.zeros((0, 2), np.int32),
    }
    data = saved(save, **values)
    read = read_arrays(data)
    with np.load(io.BytesIO(data), allow_pickle=False) as expected:
        assert list(read) == list(expected)
        for name, array in read.items():
            assert (array.dtype, array.shape) == (expected[name].dtype, expected[name].shape)
            assert np.array_equal(array, expected[name])
            assert array.flags.writeable


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (("<f4", (10**12,), bytes(8)), r"an array of float32 and shape \(1000000000000,\) has 8 bytes"),
        (("<f4", (3,), bytes(8)), "has 8 bytes"),
        (("<f4", (-1, -2), bytes(8)), "has 8 bytes"),
        (("|O", (1,), bytes(8)), "an array of object"),
        (("|V0", (10**12,), b""), r"an array of \|V0"),
    ],
)
def test_an_array_that_claims_more_than_it_has_or_is_no_array_of_numbers_is_refused(
    head: tuple[str, tuple[int, ...], bytes], why: str
) -> None:
    with pytest.raises(Unreadable, match=why):
        read_arrays(npz({"LU": npy(*head)}))


def test_a_small_file_that_unpacks_to_a_large_one_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = npz({"LU": npy("|u1", (100_000,), bytes(100_000))})
    assert read_arrays(data)["LU"].shape == (100_000,)
    monkeypatch.setattr(arrays, "COMPRESSED", 50_000)
    monkeypatch.setattr(arrays, "_array", lambda _: pytest.fail("it was unpacked"))
    with pytest.raises(Unreadable, match=r"claims 100,128 bytes of content, and at most 50,000"):
        read_arrays(data)


def test_members_of_one_name_and_other_compressions_are_refused() -> None:
    array = npy("|u1", (2,), b"ab")
    with pytest.raises(Unreadable, match="compressed in another way"):
        read_arrays(npz({"LU": array}, zipfile.ZIP_LZMA))
    twice = io.BytesIO()
    with ZipFile(twice, "w") as archive:
        archive.writestr("LU.npy", array)
        archive.writestr("LU", array)
    with pytest.raises(Unreadable, match="two of its arrays have one name"):
        read_arrays(twice.getvalue())


@pytest.mark.parametrize("data", [b"", b"PK", bytes(200), npz({"LU": b"no array"})])
def test_what_is_no_file_of_arrays_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="it is no file of arrays"):
        read_arrays(data)


def test_weights_that_claim_more_than_the_file_has_are_refused() -> None:
    weights = {"weight": torch.arange(6.0).view(2, 3)}
    data = safetensors.torch.save(weights)
    assert torch.equal(read_weights(data)["weight"], weights["weight"])
    head = json.dumps({"weight": {"dtype": "F32", "shape": [10**9, 10**3], "data_offsets": [0, 4 * 10**12]}}).encode()
    for wrong in (b"", data[:-1], struct.pack("<Q", len(head)) + head + bytes(24), struct.pack("<Q", 2**40) + head):
        with pytest.raises(Unreadable, match="it is no file of weights"):
            read_weights(wrong)
