"""Measurements as a table, and as numbers."""

import pandas as pd

from mtbench.bench.measure import Bench, Measured
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import counted, duration, fixed, listed, memory

__all__ = ["bench_frame", "bench_page", "times"]


def bench_page(bench: Bench) -> Page:
    """Return a table with a row per method; a method that failed is named below it."""
    ask, more = bench.ask, bench.ask.jobs[1:]
    on_gpu, limit = ask.device.startswith("cuda"), f"{counted(bench.limit)} FLOP/s"
    where, whose = ("GPU", "which share the GPU") if on_gpu else ("core", "a core each")
    several = (
        f"{listed(f'{jobs} runs' for jobs in more)}: ms/step of each of so many runs at a time, {whose}, and the "
        "throughput of all over that of one."
        if more
        else ""
    )
    return Page(
        title=f"Speed of training on {ask.dataset}, protocol {bench.protocol}, {ask.device}",
        label="bench",
        quick=False,
        layout=Layout(
            header=("method", "ms/step", "images/s", "FLOP/step", "of limit", "memory", *map("{} runs".format, more)),
            lines=tuple(plain((each.method, *_cells(bench, each))) for each in bench.methods),
            tasks=0,
            costs=0,
        ),
        caption=(
            f"Steps of the training loop without evaluation, timed for {ask.seconds:g} s after a few others, on images "
            f"of {ask.dataset}{', which are random here' * ask.is_random}.",
        ),
        details=(
            "FLOP/step: 2 for each multiply-accumulate of the forward pass, times 3, since a backward pass takes two.",
            f"Limit: {limit}, the best of a large product of matrices in the same precision on one {where}.",
            "Memory: at the peak, of the process on a CPU, of its tensors on a GPU.",
            *([several] if more else []),
        ),
        footnotes=tuple(f"{each.method} failed: {each.why}" for each in bench.methods if each.why),
        aside=f"Limit: {limit}, of a large product of matrices. {several}".rstrip(),
    )


def _cells(bench: Bench, found: Measured) -> list[str]:
    more = bench.ask.jobs[1:]
    if 1 not in found.steps:
        return [DASH] * (5 + len(more))
    [first], rate = found.steps[1], found.rate(1)
    return [
        duration(1000 / rate),
        counted(rate * first.examples),
        counted(found.flops),
        f"{fixed(100 * found.flops * rate / bench.limit, 1)} %",
        memory(first.memory),
        *(
            f"{duration(1000 * found.seconds(jobs))} {times(found.rate(jobs) / rate)}" if jobs in found.steps else DASH
            for jobs in more
        ),
    ]


def times(number: float) -> str:
    """Return a throughput as a multiple of another, in two decimals."""
    return f"\N{MULTIPLICATION SIGN}{fixed(number)}"


def bench_frame(bench: Bench) -> pd.DataFrame:
    """Return a row per method and number of runs at a time, at full precision; a failed method has no numbers."""
    ask, rows = bench.ask, []
    about = {
        "dataset": ask.dataset,
        "protocol": bench.protocol,
        "device": ask.device,
        "random_images": ask.is_random,
        "limit_flops_per_second": bench.limit,
    }
    for found in bench.methods:
        for jobs in ask.jobs:
            row = {"method": found.method, "runs_at_a_time": jobs, **about}
            if jobs in found.steps:
                each, rate = found.steps[jobs], found.rate(jobs)
                row |= {
                    "steps": sum(one.steps for one in each),
                    "seconds_per_step": found.seconds(jobs),
                    "steps_per_second": rate,
                    "images_per_second": rate * each[0].examples,
                    "speed_up": rate / found.rate(1),
                    "flops_per_step": found.flops,
                    "fraction_of_limit": found.flops / found.seconds(jobs) / bench.limit,
                    "peak_memory": max(one.memory for one in each),
                }
            rows.append({**row, "why_not": "" if jobs in found.steps else found.why})
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame(rows, columns=columns)
