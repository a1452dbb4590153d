"""The command line, put together. Torch is imported inside the commands that need it."""

import sys
from typing import Annotated, NoReturn

import typer

from mtbench import __version__
from mtbench.cli import suite
from mtbench.cli.base.command import App
from mtbench.cli.data import commands as data
from mtbench.cli.plugins import check, info, inspect, new
from mtbench.cli.results import browse, diff, explain, export, report, rescore, store, track, why
from mtbench.cli.results.states import status
from mtbench.cli.training import bench, certify, exec, plan, run, search
from mtbench.engines.screen.output import guard_output
from mtbench.errors import MtbenchError

__all__ = ["app", "main"]

app = App(
    name="mtbench",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mtbench {__version__}")
        raise typer.Exit


@app.callback()
def _mtbench(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Compare multi-task-learning methods under one training protocol: from one command to a table."""


app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("plan", epilog=plan.EXAMPLES)(plan.plan)
app.command("search", epilog=search.EXAMPLES)(search.search)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("open", epilog=browse.EXAMPLES)(browse.open_)
app.command("explain")(explain.explain)
app.command("export")(export.export)
app.command("rescore", epilog=rescore.EXAMPLES)(rescore.rescore)
app.command("why", epilog=why.EXAMPLES)(why.why)
app.command("diff", epilog=diff.EXAMPLES)(diff.diff)
app.command("status", epilog=status.EXAMPLES)(status.status)
app.command("track", epilog=track.EXAMPLES)(track.track)
app.command("list")(inspect.list_)
app.command("info")(info.info)
app.command("doctor")(inspect.doctor)
app.add_typer(data.app, name="data")
app.add_typer(suite.app, name="suite")
app.add_typer(store.app, name="store")
app.add_typer(new.app, name="new")
app.command("check")(check.check)
app.command("certify", epilog=certify.EXAMPLES)(certify.certify)
app.command("bench")(bench.bench)
app.command("exec", epilog=exec.EXAMPLES)(exec.exec_)


def main() -> None:
    """Run the command line; print an error of the user as a sentence, without a traceback, and exit with code 2."""
    guard_output()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        sys.exit(1)
    except MtbenchError as error:
        _end(str(error))
    except OSError as error:
        if error.filename is None or not error.strerror:
            raise
        _end(f"{error.filename} cannot be used: {error.strerror}.")


def _end(error: str) -> NoReturn:
    from rich.markup import escape

    from mtbench.engines.screen.say import Visible

    Visible(stderr=True, emoji=False).print(f"[bold red]Error:[/] {escape(error)}", soft_wrap=True, highlight=False)
    sys.exit(2)
