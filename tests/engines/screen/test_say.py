import io

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from mtbench.engines.screen.say import Visible, say

WORDS = st.lists(st.text("ab-/.:[", min_size=1, max_size=30), min_size=1, max_size=30)


def said(text: str, width: int, *, terminal: bool = False) -> list[str]:
    file = io.StringIO()
    say(Console(file=file, width=width, force_terminal=terminal, color_system=None), text, markup=False)
    return file.getvalue().splitlines()


@settings(deadline=None, max_examples=50)
@given(WORDS, st.integers(40, 100))
def test_in_a_file_lines_fit_the_width_and_no_word_is_broken(words: list[str], width: int) -> None:
    lines = said(" ".join(words), width)
    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == words
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_path_that_is_longer_than_a_line_stays_in_one_piece() -> None:
    path = "/results/" + "x" * 60
    assert said(f"Written to {path}:", 40) == ["Written to", f"  {path}:"]


def test_a_control_character_is_shown_and_not_sent() -> None:
    file = io.StringIO()
    console = Visible(file=file, width=80, force_terminal=True, color_system="standard")
    say(console, "a\x1b[2Jb \x9b [c]", markup=False)
    say(console, "[red]d[/]")
    assert file.getvalue() == "a\\x1b[2Jb \\x9b [c]\n\x1b[31md\x1b[0m\n"


def test_a_control_character_in_a_table_is_not_sent() -> None:
    table, file = Table(), io.StringIO()
    table.add_column("method")
    table.add_row("td\x1b]0;title\x07")
    Visible(file=file, width=80).print(table)
    assert "td" in file.getvalue()
    assert "\x1b" not in file.getvalue()
    assert "\x07" not in file.getvalue()


def test_a_terminal_gets_a_line_as_it_is() -> None:
    text = "a command to be copied " * 10
    assert said(text, 40, terminal=True) == [text]
