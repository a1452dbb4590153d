"""Links to folders of files that a person has already."""

import json
from pathlib import Path

import pytest

from mtbench.contract.data.links import linked_folder, read_links, set_link
from mtbench.errors import DataError


def test_a_link_is_found_again_and_a_later_one_takes_its_place(tmp_path: Path) -> None:
    root = tmp_path / "root"
    assert linked_folder(root, "squares") is None
    for folder in ("first", "second"):
        set_link(root, "squares", tmp_path / folder)
        assert linked_folder(root, "squares") == tmp_path / folder
    set_link(root, "circles", tmp_path / "third")
    assert read_links(root) == {"circles": str(tmp_path / "third"), "squares": str(tmp_path / "second")}
    assert [path.name for path in root.iterdir()] == ["links.json"]


def test_a_relative_folder_is_linked_as_an_absolute_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    set_link(tmp_path, "squares", Path("here"))
    assert linked_folder(tmp_path, "squares") == tmp_path / "here"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"squares": 1}', b"\xff\xfe", b"[" * 100_000])
def test_garbage_is_an_error_that_says_how_to_mend_it_and_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "links.json"
    path.write_bytes(content)
    message = rf"^{path} cannot be read \(.*\)\. Delete it and give the links again: `mtbench data link NAME FOLDER`\."
    with pytest.raises(DataError, match=message):
        linked_folder(tmp_path, "squares")
    with pytest.raises(DataError, match=message):
        set_link(tmp_path, "squares", tmp_path)
    assert path.read_bytes() == content


def test_what_is_written_is_an_object_from_names_to_folders(tmp_path: Path) -> None:
    set_link(tmp_path, "squares", tmp_path)
    assert json.loads((tmp_path / "links.json").read_text()) == {"squares": str(tmp_path)}
