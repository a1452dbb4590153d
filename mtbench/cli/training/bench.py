"""``mtbench bench``: the speed of training on this machine."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import (
    MACHINE,
    WHAT,
    WHERE,
    Changes,
    DataRoot,
    Device,
    ProtocolName,
    data_root,
    number,
)
from mtbench.cli.base.shared import console as open_console
from mtbench.contract.options.limits import LIMITS, in_words, shown
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.bench.measure import Bench

__all__ = ["bench"]

DEFAULT = Path(__file__).parents[2] / "bench" / "default.toml"
SHARING = 5
"""Number of runs that share a GPU, measured beside one."""


def bench(
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            "--method",
            help="Methods, separated by commas; by default a few.",
            metavar="NAMES",
            rich_help_panel=WHAT,
            autocompletion=completion.methods,
        ),
    ] = "",
    dataset: Annotated[
        str,
        typer.Option(
            "--dataset",
            "--datasets",
            help="Dataset; by default one of small images.",
            metavar="NAME",
            rich_help_panel=WHAT,
            autocompletion=completion.datasets,
        ),
    ] = "",
    protocol: ProtocolName = "paper",
    changes: Changes = None,
    device: Device = "auto",
    jobs: Annotated[
        str,
        typer.Option(
            "--jobs",
            help="Numbers of runs at a time, separated by commas; by default 1 and the number of cores, on a GPU 1 "
            "and 5.",
            metavar="NUMBERS",
            rich_help_panel=MACHINE,
        ),
    ] = "",
    seconds: Annotated[
        float, number("--seconds", "Seconds of training in each measurement.", low=0.01, limit="seconds")
    ] = 2.0,
    is_random: Annotated[
        bool,
        typer.Option(
            "--random",
            help="Use random images of the dataset's shape, as is done where its files are missing.",
            rich_help_panel=WHAT,
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the files; by default reports/local/bench.",
            metavar="DIR",
            rich_help_panel=WHERE,
        ),
    ] = None,
    root: DataRoot = None,
) -> None:
    """Measure the speed of training on this machine: seconds per step, memory, and several runs at a time."""
    from mtbench.bench.measure import Ask, measure
    from mtbench.bench.page import bench_page
    from mtbench.cli.training.execution import settings
    from mtbench.door.given import names
    from mtbench.engines.local.slots import cores
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.screen.say import say
    from mtbench.plan.parse import parse_dataset, parse_method
    from mtbench.report.page.terminal import print_page
    from mtbench.report.place import DEFAULT_REPORTS
    from mtbench.train.machine.device import check_precision, choose_device

    outlive_output()
    console, chosen, changed = open_console(), choose_device(device), settings(changes or [])
    check_precision(chosen, changed.get("precision", "float32"))
    default = tomllib.loads(DEFAULT.read_text())
    dataset, asked = dataset or default["dataset"], names(methods) or default["methods"]
    for method in asked:
        parse_method(method)  # refuses an unknown name before anything is measured
    is_there = bool(parse_dataset(dataset).open(data_root(root)).fingerprint())
    if not is_there and not is_random:
        say(console, f"The files of '{dataset}' are missing: random images take their place.", style="dim")
    ask = Ask(
        methods=tuple(asked),
        dataset=dataset,
        protocol=protocol,
        settings=dict(changed),
        device=str(chosen),
        jobs=_numbers(jobs, SHARING if chosen.type == "cuda" else cores()),
        seconds=seconds,
        is_random=is_random or not is_there,
        root=data_root(root),
    )
    found = measure(ask, lambda what: say(console, f"measuring {what}", style="dim", markup=False))
    print_page(bench_page(found), console)
    folder = out or DEFAULT_REPORTS / "bench"
    say(console, f"Written to {folder}:", markup=False)
    for name in _write(found, folder):
        say(console, f"  {name}", markup=False)
    if any(each.why for each in found.methods):
        raise typer.Exit(1)


def _numbers(text: str, most: int) -> tuple[int, ...]:
    """Return the numbers of runs that are measured at a time, in ascending order and one first.

    Raises:
        UsageError: the text is not a list of positive numbers.
    """
    if not text:
        return tuple(sorted({1, most}))
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 9 and 0 < int(part) <= LIMITS["jobs"] for part in parts):
        raise UsageError(
            f"--jobs is '{shown(text)}'.",
            allowed=f"Allowed: numbers from {in_words(1, LIMITS['jobs'])}, separated by commas, as in 1,5.",
        )
    return tuple(sorted({1, *map(int, parts)}))


def _write(found: "Bench", folder: Path) -> Sequence[str]:
    """Write the table, the numbers and the figure into a folder, and return the names of the files."""
    from mtbench.bench.figure import draw_bench
    from mtbench.bench.page import bench_frame, bench_page
    from mtbench.report.exhibit import Shown
    from mtbench.report.write import write_shown

    figure = draw_bench(found)
    piece = Shown(
        pages={"bench": bench_page(found)},
        numbers={"bench": bench_frame(found)},
        figures={"bench": lambda: figure} if figure else {},
    )
    return [path.name for path in write_shown([piece], folder)]
