"""The output that a person sees, as exact text."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from mtbench.engines.engine import Job
from mtbench.engines.screen.display import Lines, LiveLines, Silence, choose_display, duration
from mtbench.train.progress import Progress

TD = Job(folder=Path("a"), title="mmnist3:offset=8 td:channels=6:gate=tanh seed 0")
MOO = Job(folder=Path("b"), title="mmnist3 [moo] seed 1")


def console(width: int, *, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, height=20, force_terminal=terminal, color_system=None)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def progress(epoch: int, score: float | None = 91.234) -> Progress:
    return Progress(epoch=epoch, epochs=20, step=epoch * 5, steps=100, loss=0.41234, metric="accuracy", score=score)


def drawn(width: int) -> list[str]:
    display = LiveLines(console(width), total=4)
    display.started(TD, "cpu")
    display.advanced(TD, progress(10))
    display.started(MOO, "cpu")
    display.ended(Job(folder=Path("c"), title="third"), "busy", "process 7 on elsewhere has it")
    paper = console(width)
    paper.print(display.render())
    return [line.rstrip() for line in printed(paper).splitlines()]


def test_a_wide_terminal_shows_a_line_per_run_and_a_bar_for_all() -> None:
    lines = drawn(200)
    assert lines[0].startswith("mmnist3:offset=8 td:channels=6:gate=tanh seed 0   ")
    assert lines[0].endswith("  epoch 10/20  loss 0.412  accuracy 91.23")
    assert lines[1].startswith("mmnist3 [moo] seed 1   ")
    assert lines[1].split()[-1] == "starting"
    assert lines[2].startswith("0 of 4 runs, 1 with another mtbench  ━━━")
    assert len(lines) == 3


def test_a_narrow_terminal_cuts_titles_and_never_wraps() -> None:
    lines = drawn(80)
    assert len(lines) == 3
    assert lines[0].startswith("mmnist3:offset=8 td:channels=6:gate")
    assert "…" in lines[0]
    assert lines[0].endswith("epoch 10/20  loss 0.412  accuracy 91.23")
    assert max(map(len, lines)) <= 80


def test_a_note_on_a_run_stays_above_the_live_lines_and_is_a_line_of_a_log() -> None:
    text = "The checkpoint cannot be used: its content does not match its checksum."
    paper = console(200)
    Lines(paper, total=4).noted(MOO, text)
    assert printed(paper) == f"note          mmnist3 [moo] seed 1: {text}\n"
    live = LiveLines(console(200), total=4)
    live.noted(MOO, text)
    assert printed(live.console) == printed(paper)


def test_a_run_that_ends_leaves_a_line_above_the_live_ones() -> None:
    paper = console(80, terminal=True)
    with LiveLines(paper, total=2) as display:
        display.started(MOO, "cpu")
        display.advanced(MOO, progress(20))
        display.ended(MOO, "done", "")
        display.refresh()
    assert "done    1/2  mmnist3 [moo] seed 1\n" in printed(paper)
    assert "1 of 2 runs" in printed(paper)


def test_where_there_is_no_terminal_a_run_says_something_ten_times_and_at_its_end() -> None:
    paper = console(80)
    with Lines(paper, total=2) as display:
        display.started(MOO, "cpu")
        for epoch in range(1, 21):
            display.advanced(MOO, progress(epoch, score=None))
            display.advanced(MOO, progress(epoch))
        display.ended(MOO, "again", "its process died; attempt 2 of 3 follows")
        display.ended(MOO, "busy", "process 7 on elsewhere has it")
        display.ended(MOO, "failed", "RuntimeError: [oops]")
    lines = printed(paper).splitlines()
    assert lines[0] == "mmnist3 [moo] seed 1: epoch 2/20, loss 0.412"
    assert len(lines) == 13
    assert lines[10:] == [
        "again   0/2  mmnist3 [moo] seed 1: its process died; attempt 2 of 3 follows",
        "waiting 0/2  mmnist3 [moo] seed 1: process 7 on elsewhere has it",
        "failed  1/2  mmnist3 [moo] seed 1: RuntimeError: [oops]",
    ]


def test_the_display_suits_the_console() -> None:
    assert type(choose_display(console(80), 1, quiet=False)) is Lines
    assert type(choose_display(console(80, terminal=True), 1, quiet=False)) is LiveLines
    assert type(choose_display(console(80, terminal=True), 1, quiet=True)) is Silence


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (48, "48 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7530, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_time_span_is_told_in_the_units_that_matter(seconds: float, text: str) -> None:
    assert duration(seconds) == text
