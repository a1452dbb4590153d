"""Output that cannot be written, and work that goes on without it."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtbench.engines.screen.output import Output

WORK = """
import sys
from pathlib import Path
from rich.console import Console
from mtbench.engines.screen.display import choose_display
from mtbench.engines.screen.output import outlive_output
from mtbench.engines.engine import Job

if sys.argv[2:]:
    outlive_output()
job, file = Job(folder=Path("a"), title="a"), Path(sys.argv[1])
with choose_display(Console(), 20, quiet=False) as display:
    for number in range(20):
        display.started(job, "cpu")
        display.noted(job, "something is unusual " * 40)
        display.refresh()
        display.ended(job, "failed", "no")
    file.write_text("done")
print("bye")
"""
STRICT = """
import sys
from pathlib import Path
from mtbench.cli import app
app.app = lambda: print("much " * 10_000)
app.main()
"""
HERE = Path(__file__).parents[3]


def worked(stdout: int | None, *arguments: str | Path, code: str = WORK, close: bool = False) -> tuple[int, str]:
    """Return the exit code of a script with this standard output, and what it writes to standard error."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *command] if close else command
    done = subprocess.run(shell, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=HERE, timeout=300, check=False)
    return done.returncode, done.stderr


def gone_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def gone_terminal() -> int:
    leader, follower = pty.openpty()
    os.close(leader)
    return follower


def full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


@pytest.mark.parametrize(
    ("open_it", "why"),
    [
        (full_disk, "Standard output cannot be written (No space left on device): the work goes on.\n"),
        (gone_terminal, "Standard output cannot be written (Input/output error): the work goes on.\n"),
        (gone_pipe, ""),
    ],
)
def test_work_goes_on_where_its_output_cannot_be_written(open_it: Callable[[], int], why: str, tmp_path: Path) -> None:
    stdout = open_it()
    try:
        assert worked(stdout, tmp_path / "file", "outlive") == (0, why)
    finally:
        os.close(stdout)
    assert (tmp_path / "file").read_text() == "done"


def test_an_encoding_without_a_letter_gets_plain_ones() -> None:
    code = "from mtbench.cli import app; app.app = lambda: print('50.4 ± 0.1 Δm → é ≥3 \\u6570'); app.main()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=HERE, timeout=300, check=True
    )
    assert done.stdout == "50.4 +- 0.1 Dm -> e >=3 ?\n"


def test_a_name_that_is_too_long_is_one_line(tmp_path: Path) -> None:
    code = "import sys; from mtbench.cli import app; sys.argv = ['mtbench', 'run', '--suite', 'a' * 300]; app.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (2, f"Error: {'a' * 300} cannot be used: File name too long.\n")


def test_work_goes_on_when_its_terminal_goes_while_lines_are_redrawn(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-c", WORK, str(tmp_path / "file"), "outlive"]
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.PIPE, text=True, cwd=HERE) as process:
        os.close(follower)
        seen = b""
        while b"0 of 20 runs" not in seen:  # the bar
            seen += os.read(leader, 1024)
        os.close(leader)
        errors = process.communicate(timeout=300)[1]
    assert (process.returncode, errors.count("\n")) == (0, 1)
    assert errors.startswith("Standard output cannot be written (Input/output error)")
    assert (tmp_path / "file").read_text() == "done"


def test_work_goes_on_without_a_standard_output_and_no_file_takes_its_number(tmp_path: Path) -> None:
    assert worked(None, tmp_path / "file", "outlive", close=True) == (0, "")
    assert (tmp_path / "file").read_text() == "done"


def test_a_command_whose_output_is_lost_says_so_in_a_sentence() -> None:
    stdout = full_disk()
    try:
        found = worked(stdout, code=STRICT)
    finally:
        os.close(stdout)
    assert found == (2, "Error: standard output cannot be written: No space left on device.\n")


def test_a_command_whose_reader_is_gone_ends_without_a_word() -> None:
    stdout = gone_pipe()
    try:
        assert worked(stdout, code=STRICT) == (1, "")
    finally:
        os.close(stdout)


def test_a_console_of_python_code_drops_what_its_standard_output_does_not_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, text)

    for stream in (Full(), None):
        monkeypatch.setattr(sys, "stdout", stream)
        assert Output().write("text") == 4
        Output().flush()
        assert not Output().isatty()
    paper = io.StringIO()
    monkeypatch.setattr(sys, "stdout", paper)
    Output().write("text")
    assert paper.getvalue() == "text"
