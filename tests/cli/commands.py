"""Commands as a person types them: in this process, or in one of their own that can be killed."""

import os
import subprocess
import sys

import typer
from typer.testing import CliRunner, Result

from mtbench.errors import MtbenchError

__all__ = ["MTBENCH", "call", "start"]

MTBENCH = "import sys; from mtbench.cli.app import main; sys.exit(main())"


def call(app: typer.Typer, *arguments: str) -> Result:
    """Return what a command of the app gives in this process; what a person got wrong is raised."""
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, MtbenchError):
        raise result.exception
    return result


def start(*arguments: str) -> subprocess.Popen[str]:
    """Return a command in a process and a group of its own, as a shell starts it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", MTBENCH, *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
