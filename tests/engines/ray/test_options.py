"""Options and places of the engine ``ray``, and its errors before Ray is asked."""

import socket
from pathlib import Path

import pytest

from mtbench.engines.chosen import choose_engine
from mtbench.engines.engine import Site
from mtbench.engines.local.slots import cores
from mtbench.engines.ray.engine import MANY, Ray
from mtbench.engines.ray.options import RayOptions
from mtbench.engines.screen.display import Silence
from mtbench.errors import RunError, UsageError
from tests.builders.ray_nodes import free_port
from tests.engines.contract import grid, site_of


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ray:head=a/b", "without ray://"),
        ("ray:head=10.0.0.1:port=0", "port"),
        ("ray:token=missing", "without 'head'"),
        ("ray:gpus=1.5", "a whole number of gpus, or a fraction of one"),
        ("ray:cpus=0", "cpus"),
    ],
)
def test_options_that_do_not_fit_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_engine(text)
    assert message in str(caught.value).lower()


def test_a_token_is_the_name_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which is no file"):
        RayOptions(head="host", token=str(tmp_path / "token"))


def test_a_run_gets_a_gpu_if_the_engine_gives_it_one() -> None:
    assert Ray().places("auto", 2, 1) == ["cpu", "cpu"]
    assert Ray().places("cpu", None, 1) == ["cpu"] * cores()
    assert Ray(RayOptions(gpus=0.5)).places("auto", 1, 1) == ["cuda"]
    assert Ray(RayOptions(head="host")).places("auto", None, 1) == ["cpu"] * MANY
    for device in ("cuda", "cuda:0"):
        with pytest.raises(UsageError, match="gives each run 0 GPUs"):
            Ray().places(device, None, 1)
    with pytest.raises(UsageError, match=r"Use --engine ray:gpus=0\.5"):
        Ray().places("auto", None, 2)


def test_the_port_is_that_of_ray_start_by_default() -> None:
    engine = choose_engine("ray:head=10.0.0.1:cpus=2")
    assert isinstance(engine, Ray)
    assert engine.options.address == "10.0.0.1:6379"
    assert engine.options.cpus == 2


def test_a_port_on_which_nothing_listens_is_an_error_at_once(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(RunError, match=f"no cluster of Ray answers at 127.0.0.1:{port}: Connection refused"):
        execute(RayOptions(head="127.0.0.1", port=port), site_of(tmp_path))


def test_a_port_whose_owner_is_not_ray_is_given_up_after_the_deadline(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(RunError, match=f"Ray does not answer within 3 s \\(the cluster at 127.0.0.1:{port}\\)"):
            execute(RayOptions(head="127.0.0.1", port=port, deadline=3), site_of(tmp_path))


def execute(options: RayOptions, site: Site) -> None:
    Ray(options).execute(grid(site, "single"), site, Silence())
