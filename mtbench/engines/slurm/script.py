"""The script of a submission, which Slurm starts for each element of an array."""

import shlex
from collections.abc import Sequence
from pathlib import Path

__all__ = ["MARGIN", "render_script"]

MARGIN = 90
"""Seconds before the time limit at which an element is asked to stop.

Slurm looks at limits about every 30 s (22.05), so that the request comes up to 30 s late, and a run needs up to
`mtbench.engines.stop.LIMIT` to stop. Nothing depends on the request: a run that is killed has its checkpoint.
"""

# A requeue by $SLURM_JOB_ID in the element that carries the number of the array would requeue all elements, and end
# those at work. After a SIGTERM nothing is requeued: scancel sends one too, and the job that a user has cancelled would
# start again (22.05). A scheduler that needs the node requeues the job itself; SIGUSR2 announces the time limit.
_SCRIPT = """\
#!/bin/bash
# An element of the job array {name} of mtbench: the runs of the line below that has its number.
job=${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}
case $SLURM_ARRAY_TASK_ID in
{cases}
*) echo "there is no element $job" >&2; exit 2 ;;
esac

left=
for spec in "${{specs[@]}}"; do
    [ -e "${{spec%spec.json}}record.json" ] || left=yes
done
[ "$left" ] || exit 0

export COLUMNS=1000      # each message in a line of its own
export PYTHONSAFEPATH=1  # no module of the folder that this was submitted from takes the place of another
{command} --job "$job" "${{specs[@]}}" &
mtbench=$!
again=
trap 'again=yes; kill -TERM $mtbench' USR2
trap 'again=; kill -TERM $mtbench' TERM
wait $mtbench
code=$?
while kill -0 $mtbench 2>/dev/null; do  # a signal ends the wait before the process has ended
    wait $mtbench
    code=$?
done
if [ "$again" ] && [ $code -ne 0 ]; then
    scontrol requeue "$job"
fi
exit $code
"""


def render_script(name: str, elements: Sequence[Sequence[Path]], command: Sequence[str]) -> str:
    """Return the script of an array.

    Args:
        name: the name of the submission.
        elements: the paths of the specs of each element.
        command: the words of ``mtbench exec`` without the specs and the name of the job.
    """
    cases = "\n".join(
        f"{index}) specs=({' '.join(shlex.quote(str(spec)) for spec in specs)}) ;;"
        for index, specs in enumerate(elements)
    )
    return _SCRIPT.format(name=name, cases=cases, command=shlex.join(command))
