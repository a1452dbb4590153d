"""The command that makes runs again."""

import shlex
from collections.abc import Sequence

from mtbench.plan.spec import RunSpec

__all__ = ["run_command"]


def run_command(specs: Sequence[RunSpec]) -> str:
    """Return the command line that makes runs which differ only in their seed."""
    titles = specs[0].titles
    protocol, *settings = titles.protocol.split(", ")
    seeds = ",".join(str(spec.seed) for spec in specs)
    words = ["mtbench", "run", "--methods", titles.method, "--dataset", titles.dataset, "--protocol", protocol]
    words += [word for setting in settings for word in ("--set", setting)]
    return shlex.join([*words, "--seeds", seeds if len(specs) > 1 else f"{seeds},"])
