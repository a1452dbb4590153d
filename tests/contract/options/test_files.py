"""Options that are files: known by their content, checked whenever they are read."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from mtbench.contract import File, option
from mtbench.contract.options import differences, parse_options, render_value
from mtbench.contract.options.files import _sha256, known_paths, with_short_hashes
from mtbench.errors import DataError, UsageError

# sha256 of b"abc", the first example of FIPS 180-2
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@dataclass(frozen=True, kw_only=True)
class Options:
    weights: File | None = option(None, "a file", formerly="start")
    width: float = option(1.0, "factor")


def parse(text: str, **paths: str) -> File | None:
    options: Options = parse_options(Options, {"weights": text}, owner="backbone 'x'", paths=paths)
    return options.weights


def given(text: str | Path, **paths: str) -> File:
    file = parse(str(text), **paths)
    assert file is not None
    return file


@pytest.fixture
def abc(tmp_path: Path) -> Path:
    path = tmp_path / "abc.txt"
    path.write_bytes(b"abc")
    return path


def test_a_path_becomes_the_hash_of_what_lies_there(abc: Path) -> None:
    file = given(abc)
    assert (file.sha256, file.path, file.read()) == (ABC, abc, b"abc")
    assert render_value(file) == f"sha256-{ABC}"


def test_the_same_content_under_two_paths_is_one_value_and_other_content_another(abc: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "other.bin"
    other.parent.mkdir()
    other.write_bytes(b"abc")
    first, second = given(abc), given(other)
    assert first == second
    assert hash(first) == hash(second)
    assert first.path != second.path
    abc.write_bytes(b"abd")
    os.utime(abc, ns=(0, 1))
    assert given(abc) != first


def test_a_hash_is_read_back_and_can_be_read_from_where_a_mapping_says(abc: Path) -> None:
    text = render_value(given(abc))
    assert given(text) == given(abc)
    assert given(text).path is None
    assert given(text, **{ABC: str(abc)}).read() == b"abc"
    assert given(text.replace(ABC, ABC.upper())) == given(abc)


@pytest.mark.parametrize("text", ["", "none"])
def test_no_file_is_the_default_and_no_difference(text: str) -> None:
    assert parse(text) is None
    assert differences(Options(weights=parse(text))) == {}
    assert render_value(None) == "none"


def test_a_file_is_a_difference_under_the_first_name_of_its_option(abc: Path) -> None:
    assert differences(Options(weights=given(abc))) == {"start": given(abc)}


@pytest.mark.parametrize("name", ["a b", "a+b=c", "x@y.pth", "ü", "100%", "-w", "sha256.pth", "none.txt", "a'b"])
def test_a_name_may_hold_any_character_but_those_that_separate(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"abc")
    assert given(path).sha256 == ABC


def test_a_path_is_relative_to_the_current_folder_and_knows_the_home_folder(
    abc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(abc.parent)
    monkeypatch.setenv("HOME", str(abc.parent))
    assert given("abc.txt").path == given("~/abc.txt").path == abc


def test_a_file_is_hashed_once_while_it_stays_as_it_is(abc: Path) -> None:
    given(abc)
    before = _sha256.cache_info().misses
    for _ in range(100):
        given(abc)
    assert _sha256.cache_info().misses == before


def test_content_that_changed_is_found_out_even_where_size_and_time_did_not(abc: Path) -> None:
    file, stamp = given(abc), abc.stat()
    abc.write_bytes(b"abd")
    os.utime(abc, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with pytest.raises(DataError) as error:
        file.read()
    assert str(error.value) == (
        f"option 'weights' of backbone 'x' is the file with sha256 {ABC}, and the content of {abc}, where it was last, "
        f"has changed: its sha256 is {hashlib.sha256(b'abd').hexdigest()}. Put it back, or run the same command again "
        "with the path of the right file, which continues the same run. A file of other content makes another run."
    )


def test_a_file_that_was_moved_is_named_with_its_hash_its_place_and_the_way_on(abc: Path) -> None:
    file = given(abc)
    abc.rename(abc.with_name("moved"))
    with pytest.raises(DataError) as error:
        file.read()
    assert str(error.value) == (
        f"option 'weights' of backbone 'x' is the file with sha256 {ABC}, which cannot be read at {abc}, where it was "
        "last: No such file or directory. Put it back, or run the same command again with the path of the right file, "
        "which continues the same run."
    )


def test_a_file_of_which_only_the_hash_is_known_cannot_be_read() -> None:
    with pytest.raises(
        DataError, match=rf"^option 'weights' of backbone 'x' is the file with sha256 {ABC}, and no path"
    ):
        given(f"sha256-{ABC}").read()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}/no.pth", r"is '.*/no\.pth', and there is no such file\. A path cannot hold ':' or ','"),
        ("{}", "which is a folder"),
        ("{}/abc.txt/x", "which cannot be read: Not a directory"),
        ("{}/pipe", "which is no ordinary file"),
        ("{}/\udc80", "which cannot be read: .*surrogates not allowed"),
        ("{}/a\0b", "which cannot be read: .*null"),
        ("~nobody-of-this-name/x", "cannot be read: Could not determine home directory"),
        (f"sha256-{ABC[:12]}", r"has 64 digits, not 12\. Give the path of the file\. Titles show the first 12"),
        (f"sha256-{ABC}0", "has 64 digits, not 65"),
    ],
)
def test_what_is_no_file_is_refused_in_words(text: str, says: str, abc: Path, tmp_path: Path) -> None:
    os.mkfifo(abc.with_name("pipe"))
    with pytest.raises(UsageError, match=says) as error:
        parse(text.format(tmp_path))
    assert str(error.value).startswith("option 'weights' of backbone 'x' is '")


def test_other_options_take_no_file(abc: Path) -> None:
    with pytest.raises(UsageError, match=r"is 'sha256-ba78.*'. Allowed: a number\."):
        parse_options(Options, {"width": given(abc)}, owner="backbone 'x'")


def test_a_file_cannot_be_declared_to_be_searched() -> None:
    with pytest.raises(ValueError, match="does not fit an option that is a file"):
        option(None, "a file", search=("a", "b"))


def test_only_files_with_a_known_path_are_in_the_mapping(abc: Path) -> None:
    assert known_paths(Options(weights=given(abc)), Options()) == {ABC: str(abc)}
    assert known_paths(Options(weights=given(f"sha256-{ABC}"))) == {}


def test_a_title_has_the_first_digits_of_every_hash() -> None:
    assert with_short_hashes(f"x:a=sha256-{ABC}:b=sha256-{ABC}") == "x:a=sha256-ba7816bf8f01:b=sha256-ba7816bf8f01"
    assert with_short_hashes("td:channels=6") == "td:channels=6"
