from pathlib import Path

import pytest
import torch

from mtbench.errors import UsageError
from mtbench.plan.grid import Request, all_methods, plan
from mtbench.train.cost.estimate import measure_speed
from mtbench.train.machine.device import choose_device, deterministic
from mtbench.train.trained import Trained, train
from tests.builders.keepers import Forgetful
from tests.train.golden import CASES, moved, read, values


def run(method: str, device: str) -> Trained:
    spec = plan(Request(methods=[method], datasets=["toy-all"], settings={}, seeds=[0]))[0]
    return train(spec, root=Path(), device=torch.device(device), keeper=Forgetful())


@pytest.mark.parametrize(("there", "expected"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_if_there_is_one(there: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert choose_device("auto") == torch.device(expected)
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_cuda_without_cuda_is_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError) as error:
        choose_device(name)
    assert str(error.value) == (
        f"--device is '{name}', and torch {torch.__version__} sees 0 CUDA devices on this machine. "
        "Use --device cpu, or a torch built for this machine's GPU and driver."
    )


@pytest.mark.parametrize("name", ["gpu", "cpu:1", "cuda:x", ""])
def test_another_device_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as error:
        choose_device(name)
    assert str(error.value) == f"--device is '{name}'. Allowed: auto, cpu, cuda, cuda:N."


def test_a_cpu_computes_on_one_thread_and_deterministically() -> None:
    torch.set_num_threads(2)
    deterministic(torch.device("cpu"), "float32")
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()
    numerics = run("uniform", "cpu").numerics
    assert (numerics.device, numerics.threads, numerics.deterministic) == ("cpu", 1, True)


def test_an_estimate_can_be_had_of_every_kind_of_network() -> None:
    for method in ("single", "moo", "td"):
        spec = plan(Request(methods=[method], datasets=["toy-partial"], settings={}, seeds=[0]))[0]
        assert measure_speed(spec, root=Path(), device=torch.device("cpu")).training > 0


def test_tf32_on_a_cpu_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        deterministic(torch.device("cpu"), "tf32")
    assert str(error.value) == (
        "protocol setting 'precision' is 'tf32', which a cpu does not have. Use --set precision=float32, or give "
        "--device cuda."
    )


@pytest.mark.gpu
@pytest.mark.parametrize("method", ["single", "branches", "branches+mgda-ub", "chmod", "td"])
def test_a_gpu_gives_the_same_bits_twice_and_nearly_those_of_a_cpu(method: str) -> None:
    name = f"toy-all/{method}@lenet"
    spec = CASES[name].spec()
    first, second = (train(spec, root=Path(), device=torch.device("cuda"), keeper=Forgetful()) for _ in range(2))
    assert all(torch.equal(first.model[name], second.model[name]) for name in first.model)
    assert first.results == second.results
    assert not moved(read().cases[name]["train"], values(first)["train"], 1e-2)
    assert first.cost.peak_memory > 0


@pytest.mark.gpu
@pytest.mark.parametrize("method", [name for name in all_methods() if "toy-" not in name and name != "branches+fixed"])
def test_every_method_trains_on_a_gpu_to_the_same_bits(method: str) -> None:
    first, second = run(method, "cuda"), run(method, "cuda")
    assert all(torch.equal(first.model[name], second.model[name]) for name in first.model)


@pytest.mark.gpu
def test_tf32_is_off_unless_the_protocol_asks_for_it() -> None:
    for precision, allowed in (("float32", False), ("tf32", True)):
        deterministic(torch.device("cuda"), precision)
        assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == allowed
