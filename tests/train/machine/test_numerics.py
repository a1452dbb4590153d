"""The numerics of a process are those that it computes with, and to find them disturbs nothing."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version

import pytest
import torch

from mtbench import registry
from mtbench.store.record.numerics import UNKNOWN
from mtbench.train.machine import numerics as module
from mtbench.train.machine.numerics import distribution_version, numerics, onednn_instructions
from mtbench_methods.balancers.loss_weights.uniform import Uniform

CPU = torch.device("cpu")
FRESH = onednn_instructions.__wrapped__

LIMITED = """
import torch
from mtbench.train.machine.numerics import numerics
print("before", end=" ")
found = numerics(torch.device("cpu"))
print(found.onednn_instructions, found.torch_instructions, "after")
"""


def convolve() -> None:
    torch.mkldnn_convolution(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 3, 3), None, (0, 0), (1, 1), (1, 1), 1)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="instruction sets of x86")
def test_the_instruction_sets_are_those_that_a_process_is_limited_to() -> None:
    limits = {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}
    command = [sys.executable, "-c", LIMITED]
    done = subprocess.run(command, env=os.environ | limits, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "before sse41 DEFAULT after\n"


def test_a_run_has_the_versions_of_what_every_run_needs() -> None:
    found = numerics(CPU)
    expected = {name: version(name) for name in ("numpy", "scipy", "torchjd")}
    assert found.libraries == {"torch": torch.__version__, **expected}
    assert (found.device, found.threads, found.cuda) == ("cpu", torch.get_num_threads(), {})
    assert found.torch_instructions == torch.backends.cpu.get_cpu_capability()


def test_a_run_has_the_versions_of_the_solvers_that_its_method_declares() -> None:
    class Solved(Uniform):
        extra_modules = ("optuna", "torch")

    plugins = [registry.load("method", "branches"), Solved]
    solvers = numerics(CPU, plugins).libraries.keys() - numerics(CPU).libraries.keys()
    assert {name: numerics(CPU, plugins).libraries[name] for name in solvers} == {"optuna": version("optuna")}


def test_a_solver_in_a_distribution_of_another_name_and_one_that_is_not_there() -> None:
    assert distribution_version("PIL") == version("pillow")
    assert distribution_version("no_such_solver.inner") == UNKNOWN


def test_what_others_write_meanwhile_is_written_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        os.write(1, b"of another thread\nonednn_verbose,v1,info\nand more\n")

    assert module._said(act) == "onednn_verbose,v1,info\n"
    assert capfd.readouterr().out == "of another thread\nand more\n"


def test_finding_the_instructions_writes_nothing_and_leaves_onednn_silent(capfd: pytest.CaptureFixture[str]) -> None:
    assert FRESH() == onednn_instructions()
    assert module._said(convolve) == ""
    assert capfd.readouterr().out == ""


def test_who_asked_onednn_to_speak_still_hears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_VERBOSE", "1")
    with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):  # type: ignore[no-untyped-call]
        assert FRESH() == onednn_instructions()
        assert "convolution" in module._said(convolve)


def test_without_a_standard_output_the_instructions_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: int) -> int:
        raise OSError("Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    assert FRESH() == UNKNOWN


@pytest.mark.parametrize(
    ("said", "instructions"),
    [
        (
            "onednn_verbose,v1,info,cpu,isa:Intel AVX2\nonednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,f",
            "avx2",
        ),
        (
            "dnnl_verbose,exec,cpu,reorder,jit:uni,f\ndnnl_verbose,exec,cpu,convolution,brgconv:avx512_core,f",
            "avx512_core",
        ),
        ("onednn_verbose,primitive,exec,cpu,convolution,acl,f", "acl"),
    ],
)
def test_what_versions_of_onednn_say_is_understood(said: str, instructions: str) -> None:
    assert module._implementation(said) == instructions


def test_what_says_nothing_of_a_convolution_is_not_understood() -> None:
    with pytest.raises(ValueError, match="info"):
        module._implementation("onednn_verbose,v1,info,cpu,isa:Intel AVX2")
