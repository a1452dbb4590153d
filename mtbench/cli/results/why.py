"""``mtbench why``: the runs behind one number of a summary table."""

from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base import completion, shared

if TYPE_CHECKING:
    from mtbench.report.provenance.origin import Origin

__all__ = ["EXAMPLES", "why"]

EXAMPLES = """Examples:

  mtbench why mmnist3 td mean --protocol quick
  mtbench why mmnist3 td delta-m results/2026-11-24-demo/*.zip
  mtbench why "mmnist3, quick" "majority class" LU
  mtbench why mmnist2 moo mean --suite levi2020-table1 --json
"""


def why(
    dataset: Annotated[
        str,
        typer.Argument(
            help="The dataset of the table, or the name of the table in numbers.tex, e.g. 'mmnist3, quick'.",
            metavar="DATASET",
            autocompletion=completion.datasets,
        ),
    ],
    method: Annotated[
        str,
        typer.Argument(
            help="The method as on the command line or in the table; or the constant prediction, e.g. 'majority "
            "class'.",
            metavar="METHOD",
            autocompletion=completion.methods,
        ),
    ],
    column: Annotated[
        str,
        typer.Argument(
            help="The column: a task, mean, delta-m, delta-err, rank, rank-interval, n, params, macs, labels, time, "
            "memory; or a task and a metric, e.g. 'depth relative-error'.",
            metavar="COLUMN",
        ),
    ],
    folders: shared.Folders = None,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            help="The training protocol of the table, e.g. quick, or 'paper, lr=0.001'; needed where the dataset has "
            "several tables.",
            metavar="NAME",
            rich_help_panel=shared.WHAT,
        ),
    ] = "",
    suite: Annotated[
        str,
        typer.Option(
            "--suite",
            help="The suite of the table, as in `mtbench report --suite`.",
            metavar="SUITE",
            rich_help_panel=shared.WHAT,
            autocompletion=completion.suites,
        ),
    ] = "",
    convention: Annotated[
        str,
        typer.Option(
            "--convention",
            help="The published convention of the table, as in `mtbench report --convention`.",
            metavar="NAME",
            rich_help_panel=shared.WHAT,
        ),
    ] = "",
    delta: Annotated[
        str,
        typer.Option(
            "--delta",
            help="The average in Δm, as in `mtbench report --delta`.",
            metavar="task|metric|main",
            rich_help_panel=shared.WHAT,
        ),
    ] = "",
    delta_sign: Annotated[
        str,
        typer.Option(
            "--delta-sign", help="The sign of Δm, likewise.", metavar="gain|drop", rich_help_panel=shared.WHAT
        ),
    ] = "",
    delta_base: Annotated[
        str,
        typer.Option(
            "--delta-base", help="The divisor of Δm, likewise.", metavar="seed|mean", rich_help_panel=shared.WHAT
        ),
    ] = "",
    results: shared.ResultsOption = None,
    data_root: shared.DataRoot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every digit of each value.")] = False,
) -> None:
    """Show the runs behind one number of a summary table, and how it was made of them.

    It prints the number as the table has it, its making and its marks in words; value, state, code, versions and
    machine of each run, for Δm of the single-task run of each seed too; and the command that makes the runs again.

    Names are those of numbers.tex, the arguments of a macro.
    """
    from mtbench.door.contents import read_contents
    from mtbench.door.reports.why import origin_of
    from mtbench.engines.screen.say import capped, say
    from mtbench.report.data.conventions.convert import Asked

    with shared.keeping():
        found = read_contents(shared.chosen_folders(folders, results), data_root)
    origin = origin_of(
        found,
        dataset,
        method,
        column,
        protocol=protocol,
        suite=suite,
        convention=convention,
        asked=Asked(average=delta, sign=delta_sign, base=delta_base),
    )
    if as_json:
        typer.echo(_json(origin))
        return
    from mtbench.cli.results.origin import print_origin

    out = shared.console()
    print_origin(origin, out)
    for line in capped(found.unread):
        say(out, line, style="yellow", markup=False)


def _json(origin: "Origin") -> str:
    """Return the origin of a number as strict JSON, with null for NaN."""
    import json

    return json.dumps(origin.plain(), indent=1, ensure_ascii=False, allow_nan=False)
