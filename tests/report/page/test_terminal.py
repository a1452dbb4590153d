# ruff: noqa: RUF001
import io

from rich.console import Console

from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.terminal import print_page
from mtbench.store.status import RunStatus
from tests.report.records import MANY, QUICK, finished, many_runs, mixed_runs


def printed(runs: list[RunStatus], width: int, *, color: bool = False) -> str:
    (comparison,) = compare(runs)
    console = Console(file=io.StringIO(), width=width, force_terminal=color, color_system="standard" if color else None)
    print_page(page_of(build_table(comparison)), console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_a_table_on_80_columns_has_costs_beside_the_mean() -> None:
    assert printed(mixed_runs(), 80) == (
        "mmnist2, protocol paper\n"
        "method            LU            RL\n"
        "chmod†  69.52 ± 0.74  62.02 ± 1.44\n"
        "moo     88.50 ± 1.05  81.00 ± 1.53\n"
        "single             –             –\n"
        "td      91.00 ± 1.00  82.00 ± 2.00\n"
        "\n"
        "method          mean  Δm ↑    n       #P    MACs  labels  s/epoch  memory\n"
        "chmod†  65.77 ± 1.09     –  2/4  ×1.0025  800.0k   12.0M     1.50  300 MB\n"
        "moo     84.75 ± 1.28     –    3    ×2.00  800.0k   12.0M     1.50  300 MB\n"
        "single             –     –  0/2        –       –       –        –       –\n"
        "td      86.50 ± 1.50     –    3    ×1.25  800.0k   12.0M     1.50  300 MB\n"
        "Δm, the gain over single-task networks, needs runs of them.\n"
        "chmod†: 1 failed (seed 2: loss of task LU became NaN at step 14), 1 missing\n"
        "(seed 3), 1 stale (seed 0: the network's code changed).\n"
        "single: 1 damaged (seed 1: its checksum is wrong), 1 running (seed 0).\n"
        "† Stale runs: code or data that their numbers depend on has changed since they\n"
        "were trained."
    )


def test_a_table_on_200_columns_wraps_nothing() -> None:
    assert printed(mixed_runs(), 200) == (
        "mmnist2, protocol paper\n"
        "method            LU            RL          mean  Δm ↑    n       #P    MACs  labels  s/epoch  memory\n"
        "chmod†  69.52 ± 0.74  62.02 ± 1.44  65.77 ± 1.09     –  2/4  ×1.0025  800.0k   12.0M     1.50  300 MB\n"
        "moo     88.50 ± 1.05  81.00 ± 1.53  84.75 ± 1.28     –    3    ×2.00  800.0k   12.0M     1.50  300 MB\n"
        "single             –             –             –     –  0/2        –       –       –        –       –\n"
        "td      91.00 ± 1.00  82.00 ± 2.00  86.50 ± 1.50     –    3    ×1.25  800.0k   12.0M     1.50  300 MB\n"
        "Δm, the gain over single-task networks, needs runs of them.\n"
        "chmod†: 1 failed (seed 2: loss of task LU became NaN at step 14), 1 missing (seed 3), "
        "1 stale (seed 0: the network's code changed).\n"
        "single: 1 damaged (seed 1: its checksum is wrong), 1 running (seed 0).\n"
        "† Stale runs: code or data that their numbers depend on has changed since they were trained."
    )


def test_on_a_narrow_console_blocks_of_columns_stand_below_one_another() -> None:
    scores = {"5_o_Clock_Shadow": 90.0, "RL": 80.0, "LL": 70.0}
    long = "td:channels=6:bu2=mul+fixed:weights=.3/.4/.3"
    assert printed([finished(long, seed, scores) for seed in range(2)], 60) == (
        "mmnist2, protocol paper\n"
        "                                5_o_Clock_\n"
        "method                              Shadow            RL\n"
        "td:channels=6:bu2=mul+fixed:  90.00 ± 0.00  80.00 ± 0.00\n"
        "weights=.3/.4/.3\n"
        "\n"
        "method                                  LL          mean\n"
        "td:channels=6:bu2=mul+fixed:  70.00 ± 0.00  80.00 ± 0.00\n"
        "weights=.3/.4/.3\n"
        "\n"
        "method                        Δm ↑  n     #P    MACs  labels\n"
        "td:channels=6:bu2=mul+fixed:     –  2  ×1.25  800.0k   12.0M\n"
        "weights=.3/.4/.3\n"
        "\n"
        "method                        s/epoch  memory\n"
        "td:channels=6:bu2=mul+fixed:     1.50  300 MB\n"
        "weights=.3/.4/.3\n"
        "Δm, the gain over single-task networks, needs runs of them."
    )


def test_a_table_of_all_methods_is_three_blocks_on_80_columns() -> None:
    first, second, third = printed(many_runs(), 80).split("\n\n")
    title, head, *rows = first.splitlines()
    assert title == "mmnist2, protocol quick. Preview, not a result."
    assert head.split() == ["method", "LU", "RL"]
    assert [row.split()[0] for row in rows] == sorted(MANY)
    head, *rows = second.splitlines()
    assert head.split() == ["method", "mean", "Δm", "↑", "Δerr", "n"]
    assert [row.split()[0] for row in rows] == sorted(MANY)
    head, *rows = third.splitlines()
    assert head.split() == ["method", "#P", "MACs", "labels", "time", "memory"]
    assert [row.split()[0] for row in rows[:45]] == sorted(MANY)
    assert max(map(len, [*first.splitlines(), *second.splitlines(), *third.splitlines()])) <= 80
    # uniform is method 13 of the made-up ones: 3.1 (1 + 1.2) seconds per epoch.
    assert rows[44].split()[-3:] == ["×1.00", "590", "MB"]
    assert " ".join(rows[45:47]) == (
        "Δm: gain over single in %, mean over tasks; Δerr: of the error rate, lower is better. "
        "time: training time relative to uniform (6.82 s per epoch)."
    )


def test_a_table_of_all_methods_is_one_block_on_200_columns() -> None:
    _, head, *rows = printed(many_runs(), 200).splitlines()
    names = ["method", "LU", "RL", "mean", "Δm", "↑", "Δerr", "n", "#P", "MACs", "labels", "time", "memory"]
    assert head.split() == names
    assert len({len(row) for row in rows[:45]}) == 1


def test_a_preview_is_marked_beside_the_title() -> None:
    assert printed([finished(protocol=QUICK)], 80).startswith("mmnist2, protocol quick. Preview, not a result.\n")


def test_what_is_separated_is_bold_on_a_terminal() -> None:
    text = printed(mixed_runs(), 80, color=True)
    assert "\x1b[1m91.00 ± 1.00\x1b[0m" in text
    assert "\x1b[1m82.00 ± 2.00\x1b[0m" not in text


def test_brackets_in_names_are_no_markup() -> None:
    assert "[bold]x" in printed([finished("td", 0, {"[bold]x": 90.0})], 80)
