#!/usr/bin/env bash
# ray 2.60.0: `ray start --head --node-ip-address=127.0.0.1` listens on all interfaces, and so does ray.init().
#
# Guess: a node with the address 127.0.0.1 can be reached from this machine alone.
# Behavior: Ray replaces 127.0.0.1 by the address of the network, without a word, and its processes listen on all
# interfaces; clusters have no token by default. A program that is given 127.0.0.1:PORT as the address of a cluster
# replaces it, too. It is otherwise if Ray takes Linux for a system on which it supports no clusters, by a variable that
# is named after Windows and macOS; then a second node is refused.
#     --node-ip-address=127.0.0.1              gcs_server: ::          raylet: ::
#     RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0      gcs_server: 127.0.0.1   raylet: 127.0.0.1
#
# Fails if both listen alike. Needs Linux and an address besides 127.0.0.1; PYTHON may have Ray already.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -z "${PYTHON:-}" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet ray==2.60.0
    PYTHON=$folder/venv/bin/python
fi
export RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
"$PYTHON" - "$folder" <<'PYTHON'
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

NAMES = ("gcs_server", "raylet")


def processes(session: int) -> dict[int, str]:
    """Return the names of the processes of a session by number."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = path.read_text().partition(" (")[2].rpartition(") ")
            if int(rest.split()[3]) == session and rest[0] != "Z":
                found[int(path.parent.name)] = name
    return found


def listening(pid: int) -> set[str]:
    """Return the addresses at which a process accepts connections."""
    sockets = {os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()}
    found = set()
    for family, file in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                words = bytes.fromhex(fields[1].partition(":")[0])
                number = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
                found.add(socket.inet_ntop(family, number).removeprefix("::ffff:"))
    return found


def head(name: str, **variables: str) -> dict[str, set[str]]:
    """Start a head, and return the addresses at which its processes accept connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--head", "--node-ip-address=127.0.0.1", f"--port={port}", "--include-dashboard=false", "--block"]
    options += [f"--temp-dir={sys.argv[1]}/{name}", "--num-cpus=1", "--object-store-memory=80000000"]
    options += ["--min-worker-port=0", "--max-worker-port=0"]
    log = Path(sys.argv[1], name + ".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *options],
            env=os.environ | variables,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 120
        while b"Ray runtime started" not in log.read_bytes():
            assert time.monotonic() < end and process.poll() is None, log.read_text()
            time.sleep(0.1)
        return {name: listening(pid) for pid, name in processes(process.pid).items() if name in NAMES}
    finally:
        while found := processes(process.pid):
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
            process.poll()


asked, other = head("asked"), head("other", RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")
for text, found in (("--node-ip-address=127.0.0.1", asked), ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0", other)):
    print(f"{text:40}", *(f"{name}: {', '.join(sorted(found[name])):12}" for name in NAMES))
assert asked == {name: {"::"} for name in NAMES}
assert other == {name: {"127.0.0.1"} for name in NAMES}
PYTHON
