"""Nodes of a Ray cluster on this machine, each with its processes in a session of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mtbench.engines.ray.options import RayOptions
from tests.waits import wait_until

__all__ = ["free_port", "head", "kill", "listening", "marked", "node", "processes"]

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_worker_niceness": "0",
    "RAY_grpc_client_keepalive_time_ms": "5000",
    "RAY_grpc_client_keepalive_timeout_ms": "5000",
}


@contextmanager
def head(folder: Path, *, cpus: int) -> Iterator[RayOptions]:
    """Start the head of a cluster; yield the options of the engine that connect to it."""
    token, port = folder / "token", free_port()
    token.write_text(os.urandom(16).hex())
    options = ("--head", f"--port={port}", "--include-dashboard=false", "--node-ip-address=127.0.0.2")
    with _started(folder, token, "head", *options, f"--num-cpus={cpus}"):
        yield RayOptions(head="127.0.0.2", port=port, token=str(token))


@contextmanager
def node(folder: Path, cluster: RayOptions, name: str, *, cpus: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a further node; yield its process, whose number is that of its session."""
    options = (f"--address={cluster.address}", "--node-ip-address=127.0.0.3", f"--num-cpus={cpus}")
    with _started(folder, Path(cluster.token), name, *options) as process:
        yield process


@contextmanager
def _started(folder: Path, token: Path, name: str, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    log = folder / f"{name}.log"
    ports = ("--dashboard-agent-listen-port=0", "--min-worker-port=0", "--max-worker-port=0")
    # Paths of sockets have at most 107 bytes, and those of pytest's folders are long.
    with TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as place:
        more = ("--block", "--include-log-monitor=false", "--object-store-memory=80000000", f"--temp-dir={place}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", "start", *options, *more, *ports],
                env=os.environ | QUIET | {"RAY_AUTH_TOKEN_PATH": str(token)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            wait_until(lambda: b"Ray runtime started" in log.read_bytes() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            kill(process)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def processes(session: int) -> list[int]:
    """Return the processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


def marked(text: str) -> list[int]:
    """Return the processes that have a text in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def listening(pids: Collection[int]) -> set[str]:
    """Return the addresses at which processes accept connections, as numbers; ``::`` for all interfaces."""
    sockets = set()
    for pid in pids:
        for path in Path(f"/proc/{pid}/fd").glob("*"):
            with suppress(OSError):
                sockets.add(os.readlink(path))
    found = set()
    for family, file in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                words = bytes.fromhex(fields[1].partition(":")[0])
                number = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
                found.add(socket.inet_ntop(family, number).removeprefix("::ffff:"))
    return found


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a node as a power cut would: all of its processes at once."""

    def are_gone() -> bool:
        for pid in (found := processes(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not found

    wait_until(are_gone, within=30)
    process.wait(timeout=30)
