"""The bridge to Ray, a process of its own: it submits tasks, and reports their ends. It decides nothing.

Its standard output is a file, since Ray prints there. It ends, and Ray's tasks with it, when the command that started
it closes the pipe, as by its death.
"""

import sys
import time
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError, TaskCancelledError

from mtbench.engines.ray.attend import STOPPING, attend
from mtbench.engines.ray.messages import Cluster, Connected, Nodes, Over, Refused, Stop, Submit

__all__ = ["main"]

PAUSE = 0.1
"""Seconds between two looks at the pipe."""
LOOK = 2.0
"""Seconds between two looks at the nodes."""
STORE = 80 * 2**20
"""Bytes of the object store of a cluster that is started here, nearly the smallest that Ray allows: no run uses it."""


def main() -> None:
    """Serve the command at the other end of the pipe whose descriptor is the only argument."""
    # Ray's own folder may belong to another user. Not the one that TMPDIR names: paths of sockets must be short.
    with TemporaryDirectory(prefix="mtbench-ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        _serve(Connection(int(sys.argv[1])), folder)


def _serve(pipe: Connection, folder: str) -> None:
    try:
        cluster = pipe.recv()
        try:
            _connect(cluster, folder)
        except Exception as cause:
            pipe.send(Refused(why=f"{type(cause).__name__}: {' '.join(str(cause).split())}"))
            return
        try:
            pipe.send(Connected(job=ray.get_runtime_context().get_job_id()))
            _Bridge(pipe, cluster).serve()
        finally:
            ray.shutdown()
    except (EOFError, OSError):  # the command is gone
        pass


def _connect(cluster: Cluster, folder: str) -> None:
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if cluster.address:
        ray.init(address=cluster.address, **common)
    else:
        common |= {"include_dashboard": False, "object_store_memory": STORE, "_temp_dir": folder}
        ray.init(address="local", num_cpus=cluster.room, **common)


class _Bridge:
    def __init__(self, pipe: Connection, cluster: Cluster) -> None:
        self.pipe, self.cluster = pipe, cluster
        # Ray repeats nothing: a worker or node that is lost is reported, and the command decides.
        self.task = ray.remote(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_retries=0)(attend)
        self.numbers: dict[Any, int] = {}
        self.nodes: Nodes | None = None
        self.looked = 0.0
        self.deadline: float | None = None

    def serve(self) -> None:
        """Serve until the tasks have stopped after a request."""
        try:
            while not (self.deadline and (not self.numbers or time.monotonic() > self.deadline)):
                while self.pipe.poll(0 if self.numbers else PAUSE):
                    self.handle(self.pipe.recv())
                self.report()
                self.look()
        except (EOFError, OSError):
            self.stop()
            if self.numbers:
                ray.wait(list(self.numbers), num_returns=len(self.numbers), timeout=STOPPING)

    def handle(self, message: Submit | Stop) -> None:
        if isinstance(message, Stop):
            self.stop()
            return
        task = self.task.options(name=message.name)
        reference = task.remote(list(message.words), dict(message.environment), message.folder, message.log)
        self.numbers[reference] = message.number

    def stop(self) -> None:
        self.deadline = time.monotonic() + STOPPING
        for reference in self.numbers:
            ray.cancel(reference)

    def report(self) -> None:
        """Report the tasks that are over, after at most `PAUSE`."""
        if not self.numbers:
            return
        over, _ = ray.wait(list(self.numbers), timeout=PAUSE)
        if over:
            over, _ = ray.wait(list(self.numbers), num_returns=len(self.numbers), timeout=0)
        for reference in over:
            self.pipe.send(_over(self.numbers.pop(reference), reference))

    def look(self) -> None:
        """Report the nodes, if they have changed."""
        if time.monotonic() < self.looked + LOOK:
            return
        self.looked = time.monotonic()
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        alive = [node["Resources"] for node in nodes if node["Alive"]]
        fit = any(node.get("CPU", 0) >= self.cluster.cpus and node.get("GPU", 0) >= self.cluster.gpus for node in alive)
        found = Nodes(alive=len(alive), fit=fit)
        if found != self.nodes:
            self.nodes = found
            self.pipe.send(found)


def _over(number: int, reference: Any) -> Over:
    try:
        code, why = ray.get(reference)
    except RayTaskError as cause:  # such as a worker that lacks mtbench; the text ends with a traceback
        last = str(cause.cause).strip().rpartition("\n")[2]
        return Over(number=number, code=None, why=f"its worker cannot execute it: {last}", is_lost=False)
    except TaskCancelledError:
        return Over(number=number, code=None, why="its task was canceled", is_lost=True)
    except RayError as cause:
        return Over(number=number, code=None, why=f"its worker was lost ({type(cause).__name__})", is_lost=True)
    return Over(number=number, code=code, why=why, is_lost=False)


if __name__ == "__main__":
    main()
