"""Slurm's commands as scripts that keep a queue in a file, for tests without a cluster."""

import os
import re
from pathlib import Path

import pytest

__all__ = ["FakeSlurm"]

SBATCH = """\
for word in "$@"; do
    case $word in
    --job-name=*) name=${word#*=} ;;
    --array=*) last=${word#*=0-}; last=${last%\\%*} ;;
    esac
done
printf '%s\\n' "$@" >> "$HERE/submitted"; echo >> "$HERE/submitted"
id=$(( $(cat "$HERE/id") + 1 )); echo $id > "$HERE/id"
for index in $(seq 0 "$last"); do echo "${id}_$index|$index|PENDING||Priority|$name" >> "$HERE/queue"; done
echo $id
"""


class FakeSlurm:
    """A queue that tests write, and commands that read it.

    A command does what is in the file ``<name>.says`` instead, if there is one: a line for bash each time it is called,
    the first of which is removed.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "id").write_text("10\n")
        (folder / "queue").write_text("")
        self._add("sbatch", SBATCH)
        self._add("squeue", 'cat "$HERE/queue"\n')
        self._add("scontrol", 'echo "MaxArraySize            = ${MAX_ARRAY_SIZE:-1001}"\n')
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def says(self, command: str, *lines: str) -> None:
        """Let a command do these lines of bash, one each time that it is called, before it does its work again."""
        (self.folder / f"{command}.says").write_text("".join(line + "\n" for line in lines))

    @property
    def submitted(self) -> list[list[str]]:
        """The words of each call of sbatch that was accepted."""
        path = self.folder / "submitted"
        return [call.splitlines() for call in path.read_text().split("\n\n")[:-1]] if path.exists() else []

    @property
    def queue(self) -> list[str]:
        """The lines of the queue."""
        return (self.folder / "queue").read_text().splitlines()

    def has(self, jobs: int) -> bool:
        """Return True if the queue has as many jobs."""
        return len(self.queue) == jobs

    def change(self, job: str, state: str, node: str = "", reason: str = "None") -> None:
        """Change the state of a job, such as ``11_0``."""
        lines = [
            re.sub(rf"^({job}\|\d+)\|[^|]*\|[^|]*\|[^|]*", rf"\1|{state}|{node}|{reason}", line) for line in self.queue
        ]
        (self.folder / "queue").write_text("".join(line + "\n" for line in lines))

    def forget(self, job: str) -> None:
        """Remove a job from the queue."""
        lines = [line for line in self.queue if not line.startswith(f"{job}|")]
        (self.folder / "queue").write_text("".join(line + "\n" for line in lines))

    def _add(self, name: str, body: str) -> None:
        path = self.folder / name
        said = (
            f'if [ -s "$HERE/{name}.says" ]; then\n'
            f'    line=$(head -n 1 "$HERE/{name}.says"); sed -i 1d "$HERE/{name}.says"; eval "$line"; exit\nfi\n'
        )
        path.write_text(f"#!/bin/bash\nHERE={self.folder}\n{said}{body}")
        path.chmod(0o755)
