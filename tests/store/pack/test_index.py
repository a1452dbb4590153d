"""Names that members may have, and the index of a pack."""

import pytest

from mtbench.errors import NewerResults
from mtbench.store.pack.index import FORMAT, Index, Member, read_index, refused_name, render_index
from mtbench.store.record.sealed import seal


@pytest.mark.parametrize(
    "name", ["record.json", "mmnist2/td/seed-0-0123456789ab/record.json", "a/moo,normalize=loss+/..x/.y", "a/é b/…"]
)
def test_paths_below_a_folder_are_names_of_members(name: str) -> None:
    assert refused_name([name]) == ""


@pytest.mark.parametrize(
    "name", ["/a", "../a", "a/../b", "a/..", ".", "./a", "a//b", "a/", "", "a\\b", "C:/a", "a\nb", "a\x00b", "a\x7f"]
)
def test_names_that_may_lead_elsewhere_are_refused(name: str) -> None:
    assert repr(name) in refused_name(["fine", name])


@pytest.mark.parametrize(("second", "why"), [("A/b", "differ by case only"), ("a/b", "occurs twice")])
def test_names_that_a_file_system_takes_for_one_are_refused(second: str, why: str) -> None:
    assert why in refused_name(["a/b", second])


def test_an_index_is_read_as_it_was_written() -> None:
    index = Index(made_by="mtbench 1", members={"a": Member(size=1, sha256="0" * 64)}, left_out={"b": "weights"})
    assert read_index(render_index(index), "x.zip") == index


def test_an_index_that_was_changed_is_refused() -> None:
    text = render_index(Index(made_by="mtbench 1", members={"a": Member(size=1, sha256="0" * 64)}))
    with pytest.raises(ValueError, match="its index is damaged: its checksum is"):
        read_index(text.replace(b'"size": 1', b'"size": 2'), "x.zip")


def test_an_index_of_a_later_format_is_told_as_such() -> None:
    later = seal("pack", {"format": FORMAT + 1, "made_by": "mtbench 9", "boxes": []})
    with pytest.raises(NewerResults, match=rf"x.zip has format {FORMAT + 1}, and this mtbench reads packs up to"):
        read_index(later.encode(), "x.zip")


@pytest.mark.parametrize("body", [{"format": 1}, {"format": 1, "made_by": "x", "members": {"a": 3}, "left_out": {}}])
def test_a_sealed_text_that_is_no_index_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="its index is none"):
        read_index(seal("pack", body).encode(), "x.zip")


def test_an_index_that_is_nested_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="its index is nested too deeply"):
        read_index(b'{"pack": ' + b"[" * 100_000, "x.zip")
