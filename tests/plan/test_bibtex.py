import pytest

from mtbench.plan.bibtex import bibtex_entries

ONE = "@misc{one, title = {A {Nested} \\{ title}}"
TWO = "@article{two,\n       title = {Two},\n  year = {2026},\n}"


def test_entries_are_found_with_their_keys_whatever_stands_in_braces() -> None:
    found = bibtex_entries(f"\n  {ONE},\n\n  {TWO}\n")
    assert found == [("one", ONE), ("two", "@article{two,\n  title = {Two},\n  year = {2026},\n}")]
    assert bibtex_entries(" \n") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Doe, 2026", "'Doe, 2026' does not begin an entry, as '@article{key,' does"),
        ("@misc{title = {no key}}", "'@misc{title = {no key}}' does not begin an entry"),
        (f"{ONE}\nand then\n{TWO}", "'and then' does not begin an entry"),
        ("@misc{one, title = {Two}", "the entry 'one' does not end: 1 more braces are opened than closed"),
        (f"{ONE[:-1]}\n{TWO}", "the entry 'one' does not end"),
    ],
)
def test_what_is_no_entry_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        bibtex_entries(text)
    assert says in str(caught.value)
