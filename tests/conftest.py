"""Things that tests of several parts share."""

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from mtbench.cli.base.shared import data_root as chosen_root
from mtbench.store.memory import CACHE

pytest.register_assert_rewrite("tests.engines.contract")  # a module of checks that several tests import


def pytest_configure() -> None:
    """Give each process one thread, before any of them imports torch.

    Tests run on every core already, and threads that wait for each other there take ten times as long over the small
    networks that planning builds. No test is timed.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, which processes of tests would inherit
    os.environ[CACHE] = tempfile.mkdtemp(prefix="mtbench-tests-")  # what is remembered here stays here
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ[CACHE], ignore_errors=True)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """A root where real MNIST lies, and mmnist2 and mmnist3 made of it: that of the environment, or the platform's.

    What is missing is prepared, for which a first run may need the network. Tests read from it and never write to it.
    """
    from mtbench.plan.parse import parse_dataset

    given = os.environ.get("MTBENCH_DATA")
    root = chosen_root(Path(given) if given else None)
    for name in ("mmnist2", "mmnist3"):
        parse_dataset(name).open(root).prepare(lambda _: None)
    return root


@pytest.fixture
def any_algorithm() -> Iterator[None]:
    """Let torch use algorithms that are not deterministic, as its `max_unpool2d` is, whatever tests before have set."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    yield
    torch.use_deterministic_algorithms(before)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Unblock the signals that a test has blocked, as `exec` does in the process that it is called in."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails, unless it is marked gpu")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With `--no-skips`, turn a skip into a failure: where everything is installed nothing may go untested."""
    report = yield
    needless = report.skipped and not hasattr(report, "wasxfail") and not item.get_closest_marker("gpu")
    if needless and item.config.getoption("no_skips"):
        report.outcome, report.longrepr = "failed", f"--no-skips, and this test is skipped: {report.longrepr}"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give slow tests half an hour, and skip what needs a GPU where there is none."""
    if config.pluginmanager.hasplugin("timeout"):  # not on every machine with a GPU
        for item in items:
            if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(1800))
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
