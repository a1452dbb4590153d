import tomllib

import pytest

from mtbench.plan.toml_lines import Lines

TEXT = '''\
title = "T"
note = """several lines, [of which one
[looks]
like = "a header", {and another
a key: \\""" """
plain = \'\'\'
[[grid]]
\'\'\'

[protocol]  # a comment with [brackets
lr = 1e-3
"quoted key" = 'with # no comment ['
deep.key = 2

[[grid]]
methods = [
    "td",  # ]
    ["nested", "]"],
    "uniform:lr=3",
]
vary = { fraction = [1, 2] }

[[grid]]
methods = ["moo"]
[grid.set]
adds = "own"

[[paper]]
[paper.rows]
td = [1.0]
"a:b=c" = [2.0]
'''


def line(containing: str, nth: int = 1) -> int:
    found = [number for number, text in enumerate(TEXT.splitlines(), start=1) if containing in text]
    return found[nth - 1]


def test_the_text_is_toml() -> None:
    content = tomllib.loads(TEXT)
    assert content["note"].endswith('a key: """ ')
    assert len(content["grid"]) == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("title",), line("title")),
        (("note",), line("note")),
        (("plain",), line("plain")),
        (("protocol",), line("[protocol]")),
        (("protocol", "lr"), line("lr = 1e-3")),
        (("protocol", "quoted key"), line("quoted key")),
        (("protocol", "deep", "key"), line("deep.key")),
        (("grid", 0), line("[[grid]]", 2)),
        (("grid", 0, "methods"), line("methods = [\n".strip())),
        (("grid", 0, "vary"), line("vary")),
        (("grid", 1), line("[[grid]]", 3)),
        (("grid", 1, "methods"), line('"moo"')),
        (("grid", 1, "set"), line("[grid.set]")),
        (("grid", 1, "set", "adds"), line("adds")),
        (("paper", 0, "rows", "td"), line("td = [1.0]")),
        (("paper", 0, "rows", "a:b=c"), line("a:b=c")),
    ],
)
def test_a_key_or_table_is_found_on_its_line(path: tuple[str | int, ...], expected: int) -> None:
    assert Lines(TEXT).find(path) == expected


def test_what_lies_in_a_list_of_several_lines_is_found_by_its_text() -> None:
    lines = Lines(TEXT)
    assert lines.find(("grid", 0, "methods"), "uniform:lr=3") == line("uniform:lr=3")
    assert lines.find(("grid", 0, "methods"), "nested") == line("nested")
    assert lines.find(("grid", 0, "methods"), "absent") == line("methods = [")


def test_what_has_no_line_of_its_own_is_found_in_what_is_around_it() -> None:
    lines = Lines(TEXT)
    assert lines.find(("grid", 0, "vary", "fraction")) == line("vary")
    assert lines.find(("grid", 1, "datasets")) == line("[[grid]]", 3)  # missing: where its table begins
    assert lines.find(("grid", 1), "own") == line("adds")  # a table of a list reaches over its own tables
    assert lines.find(("nothing",)) == 1


def test_a_word_is_not_found_within_another() -> None:
    lines = Lines('[[grid]]\nmethods = [\n  "td-more",\n  "td",\n]\n')
    assert lines.find(("grid", 0, "methods"), "td") == 4


def test_an_empty_text_has_a_first_line() -> None:
    assert Lines("").find(("grid", 0, "methods"), "td") == 1
