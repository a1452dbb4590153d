"""The simulation of a grid on nodes that fail, in words and a table."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mtbench.engines.simulation.measured import Measured
    from mtbench.engines.simulation.setting import Cluster, RunCost
    from mtbench.engines.simulation.sweep import Row
    from mtbench.plan.spec import RunSpec

__all__ = ["cluster_of", "print_simulation"]

SHORTEST = 1.0
"""The smallest number of seconds between failures that is asked for."""
_UNITS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0))


def cluster_of(nodes: int, mtbf: str, recovery: str, runs_per_node: int) -> "Cluster":
    """Return the nodes that options ask for.

    Runs of a lost node count as being trained until their leases are dead; those of a single node, which comes back,
    are resumed by it at once.

    Raises:
        UsageError: a duration cannot be read or is out of bounds.
    """
    from mtbench.engines.simulation.setting import Cluster
    from mtbench.plan.durations import parse_duration
    from mtbench.store.run.lease import SILENCE

    return Cluster(
        nodes=nodes,
        mtbf=parse_duration(mtbf, subject="--mtbf", low=SHORTEST),
        recovery=parse_duration(recovery, subject="--recovery"),
        runs_per_node=runs_per_node,
        notice=SILENCE if nodes > 1 else 0.0,
    )


def print_simulation(
    specs: "Sequence[RunSpec]",
    cluster: "Cluster",
    intervals: Sequence[float],
    console: "Console",
    *,
    root: Path,
    device: str,
    results: Path,
) -> None:
    """Measure the times of runs, simulate them, and print the intervals between checkpoints beside each other.

    Args:
        specs: the runs, at least one.
        cluster: the nodes.
        intervals: seconds between two checkpoints; the usual ones if there are none.
        console: the console.
        root: the folder of the data files.
        device: see `mtbench.engines.simulation.measured.measure_costs`.
        results: the results folder.

    Raises:
        UsageError: no run would end.
        RunError: the time of no run is known.
    """
    from mtbench.engines.screen.say import say
    from mtbench.engines.simulation.measured import measure_costs
    from mtbench.engines.simulation.setting import NEVER
    from mtbench.engines.simulation.sweep import compare, courses_for, usual_intervals

    measured = measure_costs(specs, root=root, device=device, results=results)
    for line in _measured_lines(measured):
        say(console, line, markup=False)
    asked = [*dict.fromkeys(intervals), NEVER] if intervals else usual_intervals(measured.runs)
    courses = courses_for(measured.runs, cluster)
    say(console, _cluster_line(cluster, courses), markup=False)
    rows = compare(measured.runs, cluster, asked, courses=courses)
    if not any(row.courses for row in rows):
        raise UsageError(
            "no interval lets the runs end, since a node fails more often than an epoch and its checkpoint take.",
            mend="Give a longer --mtbf, or shorten the epochs, e.g. with --set images=...",
        )
    unit = _unit(min(row.mean("makespan") for row in rows if row.courses))
    say(console, f"Times in {unit[0]}; twice: training that a failure made undone.", markup=False)
    console.print(_table(rows, cluster, unit))
    for line in (*_verdict(rows, courses), *_closed_lines(measured.runs, cluster)):
        say(console, line, markup=False)


def _measured_lines(measured: "Measured") -> Iterator[str]:
    from mtbench.store.upkeep.space import megabytes

    runs = measured.runs
    unknown = f" The time of {measured.unknown} is unknown: the mean of the others." if measured.unknown else ""
    yield (
        f"Training takes {_spread([run.useful for run in runs])} a run, {_spread([run.epoch for run in runs])} an "
        f"epoch.{unknown}"
    )
    sizes = megabytes(measured.sizes[0])
    if (largest := megabytes(measured.sizes[1])) != sizes:
        sizes += f" to {largest}"
    yield (
        f"A start takes {_spread([run.start for run in runs])}, a checkpoint ({sizes}) "
        f"{_spread([run.checkpoint for run in runs])}. Measured on this machine, and checkpoints written in "
        f"{measured.place}."
    )


def _cluster_line(cluster: "Cluster", courses: int) -> str:
    from mtbench.engines.screen.display import duration

    each = "one run" if cluster.runs_per_node == 1 else f"{cluster.runs_per_node} runs"
    if cluster.nodes == 1:
        nodes, often, again = "one node", "", "It resumes its runs then."
    else:
        nodes, often = f"{cluster.nodes} nodes", f", one of them every {_short(cluster.mtbf / cluster.nodes)},"
        again = f"Other nodes resume its runs {duration(cluster.notice)} after the failure, when their leases are dead."
    return (
        f"{courses} simulated courses on {nodes}, {each} at a time on each. Each node fails every "
        f"{duration(cluster.mtbf)} on average{often} and is back {duration(cluster.recovery)} later. {again}"
    )


def _table(rows: "Sequence[Row]", cluster: "Cluster", unit: tuple[str, float]) -> "Table":
    from rich.table import Table

    from mtbench.engines.simulation.sweep import best_rows
    from mtbench.report.text import duration as digits

    size = unit[1]
    best = {row.every for row in best_rows(rows)}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("checkpoint")
    for head in ("makespan", "5-95 %", "node time", "twice", "share", "attempts"):
        table.add_column(head, justify="right")
    table.add_column("")
    for row in rows:
        if not row.courses:
            table.add_row(_every(row.every), "no end", *[""] * 6)
            continue
        low, high = row.span("makespan")
        table.add_row(
            _every(row.every),
            digits(row.mean("makespan") / size),
            f"{digits(low / size)}-{digits(high / size)}",
            digits(row.mean("busy") / cluster.runs_per_node / size),
            digits(row.mean("lost") / size),
            f"{100 * row.mean('lost') / row.mean('busy'):.1f} %",
            f"{row.mean('attempts'):.1f}",
            "best" if row.every in best else "",
        )
    return table


def _verdict(rows: "Sequence[Row]", courses: int) -> Iterator[str]:
    from mtbench.engines.simulation.setting import NEVER
    from mtbench.engines.simulation.sweep import ENDLESS, best_rows

    best = {row.every for row in best_rows(rows)}
    names = ", ".join(_every(row.every) for row in rows if row.every in best)
    if len(best) == len(rows):
        yield f"No interval is better than another in {courses} courses."
    elif len(best) > 1:
        yield f"Best: {names}; none of these is better than another in {courses} courses."
    else:
        yield f"Best of these: {names}."
    lacking = [row for row in rows if not row.courses]
    if lacking:
        yield (
            f"Does not end: a run would meet more than {ENDLESS:,.0f} failures on average before it reached its next "
            "checkpoint or its end."
        )
    if rows[-1].courses and NEVER not in best:
        least = min(row.mean("makespan") for row in rows if row.courses)
        times = rows[-1].mean("makespan") / least
        much = f"{100 * (times - 1):.1f} % longer than" if times < 2 else f"{times:.1f} times as long as"
        yield f"Without checkpoints the grid takes {much} with the best of these intervals."


def _closed_lines(runs: "Sequence[RunCost]", cluster: "Cluster") -> Iterator[str]:
    """Yield the intervals of Young and Daly, and what prevents them."""
    from mtbench.engines.simulation.closed import daly, young

    costs = sorted({run.checkpoint for run in runs})
    first, second = ([formula(cost, cluster.mtbf) for cost in costs] for formula in (young, daly))
    line = (
        f"Closed forms for a long run that can be kept at any time: {_spread(first)} (Young), {_spread(second)} (Daly)."
    )
    if max(second) <= min(run.epoch for run in runs):
        line += " Every epoch is longer, so that a checkpoint after each is best."
    elif min(second) >= max(run.useful for run in runs):
        line += " Every run is shorter, so that none needs a checkpoint."
    yield line


def _every(seconds: float) -> str:
    from mtbench.engines.screen.display import duration
    from mtbench.engines.simulation.setting import NEVER

    if seconds == NEVER:
        return "none"
    return f"every {duration(seconds)}" if seconds else "each epoch"


def _spread(values: Sequence[float]) -> str:
    """Return the smallest and the largest of some seconds, or one if they are equal in what is printed."""
    low, high = _short(min(values)), _short(max(values))
    return low if low == high else f"{low} to {high}"


def _short(seconds: float) -> str:
    from mtbench.engines.screen.display import duration

    if seconds < 0.0995:
        return f"{1000 * seconds:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 9.95 else duration(seconds)


def _unit(seconds: float) -> tuple[str, float]:
    """Return the largest unit of which a time has at least two, and its seconds."""
    return next((unit for unit in _UNITS if seconds >= 2 * unit[1]), _UNITS[-1])
