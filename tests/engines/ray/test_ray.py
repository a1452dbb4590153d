"""The engine ``ray`` on a real cluster of one node, and on one that it starts itself."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtbench.engines.ray.engine import Ray
from mtbench.engines.ray.options import RayOptions
from mtbench.errors import RunError
from tests.builders.ray_nodes import head, listening, marked
from tests.engines.contract import CHECKS, Events, grid, site_of
from tests.waits import wait_until


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes find the plug-ins of the tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayOptions]:
    """A cluster of one node with a token, started by ``ray start``."""
    with head(tmp_path_factory.mktemp("ray", numbered=True), cpus=2) as options:
        yield options


def test_a_cluster_keeps_the_contract_of_engines_and_needs_its_token(cluster: RayOptions, tmp_path: Path) -> None:
    """One test, so that processes which share the tests start one cluster."""
    for check in CHECKS:
        folder = tmp_path / check.__name__
        folder.mkdir()
        check(Ray(cluster), folder)
    a_cluster_refuses_a_command_without_its_token(cluster, tmp_path / "token")
    a_cluster_without_a_node_that_is_large_enough_is_given_up(cluster, tmp_path / "large")


def a_cluster_refuses_a_command_without_its_token(cluster: RayOptions, folder: Path) -> None:
    site = site_of(folder)
    with pytest.raises(RunError, match=r"A cluster with a token needs token=FILE"):
        Ray(dataclasses.replace(cluster, token="", deadline=3)).execute(grid(site, "single"), site, Events())


def a_cluster_without_a_node_that_is_large_enough_is_given_up(cluster: RayOptions, folder: Path) -> None:
    site = site_of(folder)
    with pytest.raises(RunError, match="no node of the cluster has the 3 CPUs and 0 GPUs of a run, and 1 are alive"):
        Ray(dataclasses.replace(cluster, cpus=3, deadline=3)).execute(grid(site, "single"), site, Events())


def test_a_command_that_is_stopped_leaves_a_checkpoint_and_no_process(tmp_path: Path) -> None:
    """On a cluster of its own, which only this user can use, and which listens to this machine alone."""
    mark = f"MTBENCH_MARK={uuid.uuid4().hex}"
    words = ["run", "--engine", "ray", "--jobs", "1", "--methods", "single", "--dataset", "toy-all", "--seeds", "1"]
    command = subprocess.Popen(
        [sys.executable, "-m", "mtbench", *words, "--epochs", "1000"],
        cwd=tmp_path,
        env=os.environ | dict([mark.split("=")]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_until(lambda: list(tmp_path.rglob("checkpoint*")) or command.poll() is not None)
    others = set(marked(mark)) - {command.pid}
    assert len(others) >= 4
    addresses = listening(others)
    (folder,) = {Path(path) for pid in others for path in re.findall(r"/tmp/mtbench-ray-\w+", words_of(pid))}
    assert folder.is_dir()
    command.send_signal(signal.SIGTERM)
    said, _ = command.communicate(timeout=120)
    assert command.returncode == 130, said
    assert "The same command resumes it." in said
    assert "Traceback" not in said
    wait_until(lambda: not marked(mark), within=30)
    assert list(tmp_path.rglob("checkpoint*"))
    assert not list(tmp_path.rglob("claim.*"))
    assert addresses == {"127.0.0.1"}
    assert not folder.exists()


def words_of(pid: int) -> str:
    """Return the words of the command of a process; an empty text if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""
