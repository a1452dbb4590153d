"""``mtbench suite``: suites listed, shown, declared and validated."""

import shlex
import tomllib
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.command import App
from mtbench.cli.base.shared import DEFAULT_RESULTS, Results, console, grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtbench.plan.suite import Grid, Suite

__all__ = ["app"]

app = App(
    help="List, show, declare and validate suites: tables and figures of papers, and your own.", no_args_is_help=True
)

Name = Annotated[
    str,
    typer.Argument(
        help="A suite that comes with mtbench, or a TOML file.", metavar="SUITE", autocompletion=completion.suites
    ),
]


@app.command("list")
def list_() -> None:
    """List the suites that come with mtbench."""
    from rich.markup import escape

    from mtbench.plan.suite.built_in import built_in_suites

    table = grid("suite", "description", "from")
    for name, path in built_in_suites().items():
        # Reading it as a suite would build every network that it names, to see whether they fit.
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        table.add_row(name, *(escape(str(said.get(key, ""))) for key in ("title", "source")))
    console().print(table)
    console().print("mtbench run --suite NAME trains one, mtbench suite show NAME describes it.", highlight=False)


@app.command()
def show(name: Name) -> None:
    """Show the runs and the claims of a suite."""
    from rich.markup import escape

    from mtbench.engines.screen.say import say
    from mtbench.plan.parse import parse_dataset
    from mtbench.plan.suite.built_in import suite_path
    from mtbench.plan.suite.file import find_suite
    from mtbench.plan.suite.planned import later_rows, plan_suite

    suite = find_suite(name)
    out = console()
    say(out, f"[bold]{escape(suite.name)}[/]: {escape(suite.title)}")
    for text in (suite.source, suite.note):
        if text:
            say(out, text, markup=False)
    table = grid("datasets", "methods", "protocol")
    for part in suite.grid:
        table.add_row(*map(escape, (", ".join(part.datasets), ", ".join(part.methods), _protocol(suite, part))))
    for search in suite.search:
        tuning = f"{search.seeds} tuning seed{'s' * (search.seeds > 1)}"
        what = f"search: {search.trials} trials each by {search.sampler}, {tuning}"
        table.add_row(*map(escape, (", ".join(search.datasets), ", ".join(search.methods), what)))
    for counted in suite.counted:
        table.add_row(*map(escape, (", ".join(counted.datasets), ", ".join(counted.methods), "counted, not trained")))
    out.print(table)
    datasets = [parse_dataset(name).dataset_class for part in suite.grid for name in part.datasets]
    bases = [base for base in dict.fromkeys((suite.base, "quick")) if all(base in each.protocols for each in datasets)]
    if datasets:
        later = {base: sum(len(row.firsts()) for row in later_rows(suite, base=base)) for base in bases}
        counts = [f"{len(plan_suite(suite, base=base)) + later[base]} at {base}" for base in bases]
        besides = ", besides those of its searches" if suite.search else ""
        say(out, f"Runs: {', '.join(counts)}{besides}.", markup=False)
        if later[bases[0]]:
            waiting = ", ".join(f"{count} at {base}" for base, count in later.items())
            say(out, f"Of these come after others, whose task weights they take: {waiting}.", markup=False)
    for line in _claims(suite):
        say(out, line, markup=False)
    if suite.claim and suite.judges == "tuned":
        say(out, "Claims are about tuned runs: those with the settings that its searches choose.", markup=False)
    say(out, f"To write a suite of your own, begin with a copy of {suite_path(name)}", markup=False)


@app.command()
def declare(name: Name, results: Results = DEFAULT_RESULTS) -> None:
    """Write the runs, claims and margins of a suite into a results folder, before anything is trained.

    Reports then say if the suite was changed after its first run. `mtbench run --suite` declares a suite too;
    declare it earlier to publish the file, or to put it under version control.
    """
    from mtbench.cli.training.execution import declared_line
    from mtbench.engines.screen.say import say
    from mtbench.plan.suite.file import find_suite

    say(console(), declared_line(find_suite(name), results))


@app.command()
def validate(name: Name) -> None:
    """Print every error in a suite, with its line; the exit code is 1 if there is one."""
    from rich.markup import escape

    from mtbench.engines.screen.say import say
    from mtbench.plan.suite.built_in import suite_path
    from mtbench.plan.suite.file import Fault, read_suite
    from mtbench.plan.toml_lines import Lines
    from mtbench.search.suite import search_misfits

    path = suite_path(name)
    suite, faults = read_suite(path)
    if suite is not None and not faults and (misfits := search_misfits(suite)):
        lines = Lines(path.read_text(encoding="utf-8-sig"))
        faults = [Fault(line=lines.find(("search", number)), text=text) for number, text in misfits.items()]
    out = console()
    for fault in faults:
        say(out, f"[red]{escape(str(path))}:{fault.line}[/]: {escape(fault.text)}")
    if faults:
        raise typer.Exit(1)
    assert suite is not None
    say(out, f"{path} is valid: mtbench run --suite {shlex.quote(name)}", markup=False)


def _protocol(suite: "Suite", part: "Grid") -> str:
    from mtbench.plan.suite import rendered

    fixed = [f"{name}={value}" for name, value in rendered({**suite.settings, **part.set}).items()]
    varied = [
        f"{name} in {', '.join(rendered({name: value})[name] for value in part.vary[name])}" for name in part.vary
    ]
    return "; ".join([", ".join([suite.base, *fixed]), *varied])


def _claims(suite: "Suite") -> "Iterator[str]":
    from mtbench.plan.suite import AcrossClaim, SettingsClaim, rendered
    from mtbench.plan.suite.claims.held import RESOURCES
    from mtbench.plan.suite.names import listed_settings

    for claim in suite.claim:
        relation = "equivalent to" if claim.direction == "equivalent" else f"{claim.direction} than"
        margin = f"margin {claim.margin:g}, " if claim.margin else ""
        held = f", equal {', '.join(RESOURCES[name] for name in claim.equal)}" if claim.equal else ""
        test = f"({margin}{claim.test} test{held})"
        if isinstance(claim, SettingsClaim):
            first, second = map(listed_settings, claim.settings)
            what = f"{claim.method}'s gain over {claim.against}" if claim.against else claim.method
            said = f"{what} with {first} is {relation} that with {second} in {claim.measured}"
            yield f"Claim across settings on {claim.dataset}: {said} {test}."
            continue
        varied = "".join(f", {name}={value}" for name, value in rendered(claim.set).items())
        if isinstance(claim, AcrossClaim):
            dataset, other = claim.datasets
            what = f"{claim.method}'s gain over {claim.against}" if claim.against else claim.method
            said = f"{what} on {dataset} is {relation} that on {other}"
            yield f"Claim across datasets on {claim.task}{varied}: {said} {test}."
        else:
            first, second = claim.contrast
            yield f"Claim on {claim.dataset}{varied}: {first} is {relation} {second} in {claim.measured} {test}."
