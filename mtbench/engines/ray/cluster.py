"""A cluster of Ray, reached through a bridge: a process that this module starts, waits for and ends."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType
from typing import IO

from mtbench.engines.ray.attend import STOPPING
from mtbench.engines.ray.messages import Cluster, Connected, Nodes, Over, Refused, Stop, Submit
from mtbench.engines.ray.options import RayOptions
from mtbench.errors import RunError, Stopped

__all__ = ["Connection"]

KEEPALIVE = {"RAY_grpc_client_keepalive_time_ms": "5000", "RAY_grpc_client_keepalive_timeout_ms": "5000"}
"""Settings with which Ray notices within about 40 s that a node hangs; by default it takes some minutes."""
LOOPBACK = ("localhost", "127.0.0.1")
ENDING = 10.0
"""Seconds that the bridge has to end after its tasks, before it is killed; a cluster of its own ends with it."""


class Connection:
    """A connection to a cluster for the duration of the block.

    Args:
        options: the options of the engine.
        room: the number of CPUs of a cluster that is started here.
        asked: signals that ask for a stop; the connection is given up when there is one.

    Attributes:
        job: the name of this connection at Ray.
        nodes: the nodes of the cluster, as far as known.

    Raises:
        RunError: the cluster cannot be reached, or answers not in time.
        Stopped: a stop was requested meanwhile.
    """

    def __init__(self, options: RayOptions, room: int, asked: Sequence[signal.Signals]) -> None:
        _knock(options)
        self.job = ""
        self.nodes = Nodes(alive=0, fit=True)
        self._cluster = Cluster(address=options.address, room=room, cpus=options.cpus, gpus=options.gpus)
        self._options, self._asked = options, asked
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._pipe, theirs = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mtbench.engines.ray.bridge", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=_environment(options),
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C on a terminal reaches this process alone, which asks the bridge to stop
        )
        theirs.close()

    def __enter__(self) -> "Connection":
        try:
            self._pipe.send(self._cluster)
            self.job = self._connected()
        except BaseException:
            self._kill()
            self._log.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pipe.close()
        try:
            self._process.wait(ENDING + (STOPPING if kind else 0))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            pass
        finally:
            self._kill()
            self._log.close()

    def submit(self, task: Submit) -> None:
        """Submit a task.

        Raises:
            RunError: the connection is lost.
        """
        try:
            self._pipe.send(task)
        except OSError as cause:
            raise self._lost() from cause

    def receive(self, seconds: float) -> list[Over]:
        """Return the tasks that have ended, after at most some seconds.

        Raises:
            RunError: the connection is lost.
        """
        found: list[Over] = []
        try:
            while self._pipe.poll(0 if found else seconds):
                message = self._pipe.recv()
                if isinstance(message, Nodes):
                    self.nodes = message
                    seconds = 0
                else:
                    found.append(message)
        except (EOFError, OSError) as cause:
            if found:
                return found
            raise self._lost() from cause
        return found

    def stop(self) -> None:
        """Cancel all tasks, whose ends are still received."""
        with suppress(OSError):
            self._pipe.send(Stop())

    def _connected(self) -> str:
        """Wait for the bridge to connect, and return the name of the connection at Ray."""
        end = time.monotonic() + self._options.deadline
        while not self._pipe.poll(0.25):
            if self._asked:
                raise Stopped(f"stopped by {self._asked[0].name}.", mend="The same command resumes it.")
            if time.monotonic() > end:
                raise RunError(
                    f"Ray does not answer within {self._options.deadline:g} s ({_name(self._options)}).",
                    mend="A cluster with a token needs token=FILE, and deadline=SECONDS gives it more time.",
                )
        try:
            message = self._pipe.recv()
        except (EOFError, OSError) as cause:
            raise self._lost() from cause
        if isinstance(message, Refused):
            raise RunError(
                f"Ray cannot be used ({_name(self._options)}): {message.why}",
                mend="The cluster and this command must have equal versions of Ray and Python, and this machine must "
                "be a node of the cluster.",
            )
        assert isinstance(message, Connected)
        return message.job

    def _lost(self) -> RunError:
        self._kill()
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().rpartition("\n")[2]
        return RunError(
            f"the connection to Ray is lost ({_name(self._options)}): {last}", mend="The same command resumes its runs."
        )

    def _kill(self) -> None:
        """Kill the bridge and, by its end, a cluster of its own."""
        with suppress(ProcessLookupError, PermissionError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._pipe.close()


def _name(options: RayOptions) -> str:
    return f"the cluster at {options.address}" if options.address else "a cluster on this machine"


def _knock(options: RayOptions) -> None:
    """Test the port of the head: Ray itself would wait for minutes.

    Raises:
        RunError: nothing listens there.
    """
    if not options.address:
        return
    try:
        socket.create_connection((options.head, options.port), timeout=options.deadline).close()
    except OSError as cause:
        raise RunError(
            f"no cluster of Ray answers at {options.address}: {cause.strerror or cause}.",
            mend="`ray start --head` on a machine prints its address; see also `ray status`.",
        ) from cause


def _environment(options: RayOptions) -> Mapping[str, str]:
    """Return the environment of the bridge, with all that Ray would otherwise decide by itself."""
    without = ("RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
    chosen = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the behavior of later versions, without a warning
        "RAY_AUTH_MODE": "token" if options.token or not options.address else "disabled",
    }
    if options.token:
        chosen["RAY_AUTH_TOKEN_PATH"] = str(Path(options.token).absolute())
    if not options.address:
        chosen["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # other users of this machine can use no cluster of ours
        chosen["RAY_memory_monitor_refresh_ms"] = "0"  # its kills would be repeated without end
        chosen["RAY_worker_niceness"] = "0"  # runs are what this machine is to do, and no background of it
    if not options.address or options.head in LOOPBACK:
        # Ray replaces a loopback address by that of the network, and listens there, unless it takes this for macOS.
        chosen["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    kept = {name: text for name, text in os.environ.items() if name not in without}
    return {**KEEPALIVE, **kept, **chosen}
