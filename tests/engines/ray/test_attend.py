"""The task of a worker, called without Ray: it has a process of its own, which ends with it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from mtbench.engines.ray.attend import attend
from mtbench.store.files.process import started
from tests.waits import wait_until

SLEEP = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(300)"


def call(folder: Path, code: str, environment: Mapping[str, str] | None = None) -> tuple[int | None, str]:
    return attend([sys.executable, "-c", code], environment or {}, str(folder), str(folder / "log.txt"))


def pid_in(folder: Path) -> int:
    """Wait for the process to write its number, and return it."""
    wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text())
    return int((folder / "pid").read_text())


def test_the_exit_code_is_returned_and_the_output_is_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("before\n")
    assert call(tmp_path, "print('here'); raise SystemExit(3)") == (3, "")
    assert (tmp_path / "log.txt").read_text() == "before\nhere\n"
    assert call(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == (-signal.SIGKILL, "")


def test_a_process_has_the_folder_and_the_variables_of_the_command_and_none_of_ray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RAY_AUTH_TOKEN", "OMP_NUM_THREADS", "MTBENCH_SOME", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "of the worker")
    names = "'RAY_AUTH_TOKEN', 'OMP_NUM_THREADS', 'MTBENCH_SOME', 'CUDA_VISIBLE_DEVICES'"
    code = f"import os; print(os.getcwd()); print([os.environ.get(name) for name in ({names})])"
    call(tmp_path, code, {"OMP_NUM_THREADS": "1"})
    folder, values = (tmp_path / "log.txt").read_text().splitlines()
    assert folder == str(tmp_path.resolve())
    assert values == "[None, '1', None, 'of the worker']"


def test_a_machine_without_the_interpreter_or_the_folder_says_so(tmp_path: Path) -> None:
    code, why = attend([str(tmp_path / "python"), "-c", "0"], {}, str(tmp_path), str(tmp_path / "log.txt"))
    assert code is None
    assert f"No such file or directory: '{tmp_path / 'python'}'" in why
    code, why = call(tmp_path / "elsewhere", "0")
    assert code is None
    assert f"No such file or directory: '{tmp_path / 'elsewhere' / 'log.txt'}'" in why


def test_a_canceled_task_asks_its_process_to_stop_and_waits_for_it(tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, sys, time\n"
        "def stop(number, frame):\n    time.sleep(0.5)\n    print('stopped')\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "pathlib.Path('pid').write_text('1')\n"
        "time.sleep(300)"
    )

    def cancel() -> None:
        pid_in(tmp_path)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=cancel)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            call(tmp_path, code)
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join(30)
    assert (tmp_path / "log.txt").read_text() == "stopped\n"


def test_a_process_ends_with_its_worker_however_that_ends(tmp_path: Path) -> None:
    code = (
        f"from mtbench.engines.ray.attend import attend; attend([{sys.executable!r}, '-c', {SLEEP!r}], {{}}, '.', 'l')"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    pid = pid_in(tmp_path)
    birth = started(pid)
    assert birth is not None
    worker.kill()
    worker.wait(timeout=60)
    wait_until(lambda: started(pid) != birth)


def test_a_process_whose_worker_is_gone_does_not_begin(tmp_path: Path) -> None:
    script = Path(sys.modules[attend.__module__].__file__ or "")
    begun = tmp_path / "begun"
    gone = subprocess.Popen([sys.executable, "-c", "0"])
    gone.wait(timeout=60)
    words = [sys.executable, str(script), str(gone.pid), sys.executable, "-c", f"open({str(begun)!r}, 'w')"]
    assert subprocess.run(words, check=False, timeout=60).returncode == 1
    assert not begun.exists()
