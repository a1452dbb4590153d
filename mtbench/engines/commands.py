"""Runs as commands for schedulers of the user's own: lines for xargs, and a script for Slurm.

A command names the interpreter, the spec and the data by absolute paths, so that it does the same in any folder and
under any PATH. A run that has a record already is not trained by it.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from string import Template

from mtbench.engines.engine import Job, Site
from mtbench.errors import UsageError

__all__ = ["slurm_script", "xargs_lines"]

MOST_ELEMENTS = 1_000
"""Elements of a job array; Slurm's MaxArraySize is 1,001 unless the cluster has set it."""

_SCRIPT = Template(
    """\
#!/bin/bash
# $runs of mtbench as a job array. Options of sbatch go before those below, as in:
#     sbatch --partition=main --time=4:00:00 $name
# The same script can be submitted again, after a time limit or a lost node: a run that has a record ends at once, and
# any other one resumes from its checkpoint. With fewer elements, as with --array=0-9, each does several runs.
#SBATCH --job-name=mtbench
#SBATCH --array=0-$last
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
##SBATCH --partition=main
##SBATCH --time=4:00:00
##SBATCH --gres=gpu:1

export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
specs=(
$specs
)
job=$${SLURM_ARRAY_JOB_ID:-}_$${SLURM_ARRAY_TASK_ID:?submit this script with sbatch}
status=0
for ((n = SLURM_ARRAY_TASK_ID; n < $${#specs[@]}; n += $${SLURM_ARRAY_TASK_COUNT:-$elements})); do
    $command --job "$$job" "$${specs[n]}" || status=1
done
exit $$status
"""
)


def xargs_lines(jobs: Sequence[Job], site: Site) -> list[str]:
    """Return a command for each run, in a line that a shell, xargs and GNU parallel read alike.

    Raises:
        UsageError: a path has a line break.
    """
    lines = [shlex.join(site.command(job)) for job in jobs]
    for line in lines:
        if len(line.splitlines()) > 1:
            raise UsageError(
                "the path of the interpreter, of the results or of the data has a line break, so that no line can be "
                "a command.",
                mend="Use a folder without one.",
            )
    return lines


def slurm_script(jobs: Sequence[Job], site: Site, *, expect: Path | None = None) -> str:
    """Return a script for sbatch: an array with an element for each run, of which a large one does several.

    Args:
        jobs: the runs, at least one.
        site: their circumstances.
        expect: see `Site.command`.
    """
    elements = min(len(jobs), MOST_ELEMENTS)
    return _SCRIPT.substitute(
        runs=f"{len(jobs)} run{'s' * (len(jobs) != 1)}",
        name="grid.sh",
        last=elements - 1,
        elements=elements,
        specs="\n".join(shlex.quote(str(job.folder / "spec.json")) for job in jobs),
        command=shlex.join(site.command(expect=expect)),
    )
