"""Runs as commands for schedulers of the user's own: lines for xargs, and a script for Slurm.

A command names the interpreter, the spec and the data by absolute paths, so that it does the same in any folder and
under any PATH. A run that has a record already is not trained by it.
"""

import hashlib
import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mtbench.engines.engine import Job, Site
from mtbench.engines.slurm.script import MARGIN, render_script
from mtbench.engines.slurm.submission import FOLDER
from mtbench.errors import UsageError
from mtbench.plan.spec import RunSpec
from mtbench.store.files.atomic import make_folder
from mtbench.store.identity.expected import expected_of, write_expected

__all__ = ["keep_code", "slurm_script", "xargs_lines"]

ELEMENTS = 1_000
"""Elements of a job array: Slurm's default of MaxArraySize is 1,001."""

_HEADER = f"""\
#!/bin/bash
# {{runs}} of mtbench as a job array. Options of sbatch take precedence over those below:
#     sbatch --partition=main --time=4:00:00 FILE
# The script can be submitted again at any time: runs that have a record are not trained, others resume from their
# checkpoint. {MARGIN} s before a time limit an element stops, and goes back into the queue.
#SBATCH --job-name=mtbench
#SBATCH --array=0-{{last}}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR2@{MARGIN}
##SBATCH --partition=main
##SBATCH --time=4:00:00
##SBATCH --gres=gpu:1

export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"""


def xargs_lines(jobs: Sequence[Job], site: Site) -> list[str]:
    """Return a command for each run, in a line that a shell and xargs read alike.

    No module of the folder that it is given in takes the place of another one of that name.

    Raises:
        UsageError: a path has a line break.
    """
    lines = [shlex.join(["env", "PYTHONSAFEPATH=1", *site.command(job)]) for job in jobs]
    for line in lines:
        if len(line.splitlines()) > 1:
            raise UsageError(
                "the path of the interpreter, of the results or of the data has a line break, so that no line can be "
                "a command.",
                mend="Use a folder without one.",
            )
    return lines


def slurm_script(jobs: Sequence[Job], site: Site, expect: Path) -> str:
    """Return a script for sbatch: an array with an element for each run, or for several runs of a large grid.

    Args:
        jobs: the runs, at least one.
        site: their circumstances.
        expect: see `Site.command`.
    """
    size = math.ceil(len(jobs) / ELEMENTS)
    elements = [[job.folder / "spec.json" for job in jobs[first : first + size]] for first in range(0, len(jobs), size)]
    header = _HEADER.format(runs=f"{len(jobs)} run{'s' * (len(jobs) != 1)}", last=len(elements) - 1)
    return header + render_script("mtbench", elements, site.command(expect=expect)).removeprefix("#!/bin/bash\n")


def keep_code(results: Path, specs: Sequence[RunSpec]) -> Path:
    """Write the present code of runs into a file of the results folder, for `slurm_script`, and return its path.

    Raises:
        PluginError: the source of a plug-in cannot be found or read.
        StoreError: the file cannot be written.
    """
    expected = expected_of(specs)
    digest = hashlib.sha256(json.dumps(asdict(expected)).encode()).hexdigest()
    path = results / FOLDER / f"code-{digest[:12]}.json"
    make_folder(path.parent)
    write_expected(path, expected)
    return path
