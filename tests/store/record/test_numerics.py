"""Numerics that differ are told apart in words."""

import json
from dataclasses import asdict, replace

from mtbench.store.record.numerics import UNKNOWN, Numerics

HERE = Numerics(
    libraries={"torch": "2.14.1", "numpy": "2.4.6", "clarabel": "0.11.1"},
    torch_instructions="AVX512",
    onednn_instructions="avx512_core",
    threads=1,
    processor="AMD EPYC",
    device="cpu",
    deterministic=True,
)


def test_equal_numerics_have_no_differences() -> None:
    assert HERE.differences(replace(HERE)) == []


def test_each_difference_is_told_with_both_values() -> None:
    before = Numerics(
        libraries={"torch": "2.9.0", "numpy": "2.4.6", "clarabel": "0.10.0"},
        torch_instructions="AVX2",
        onednn_instructions="avx2",
        threads=2,
        processor="Intel Xeon",
        device="cuda",
        deterministic=False,
        cuda={"driver": "550.54"},
    )
    assert HERE.differences(before) == [
        "torch version 2.14.1, and 2.9.0 before",
        "clarabel version 0.11.1, and 0.10.0 before",
        "instruction set of torch AVX512, and AVX2 before",
        "instruction set of oneDNN avx512_core, and avx2 before",
        "threads 1, and 2 before",
        "processor AMD EPYC, and Intel Xeon before",
        "device cpu, and cuda before",
        "deterministic algorithms on, and off before",
    ]


def test_a_solver_that_one_of_two_methods_needs_is_no_difference() -> None:
    plain = replace(HERE, libraries={"torch": "2.14.1", "numpy": "2.4.6"})
    assert HERE.differences(plain) == plain.differences(HERE) == []


def test_what_is_unknown_is_no_difference() -> None:
    unknown = replace(HERE, onednn_instructions=UNKNOWN)
    assert HERE.differences(unknown) == unknown.differences(HERE) == []


def test_drivers_of_two_gpus_are_compared() -> None:
    first, second = (replace(HERE, device="cuda", cuda={"driver": version}) for version in ("550.54", "560.1"))
    assert first.differences(second) == ["CUDA driver version 550.54, and 560.1 before"]


def test_numerics_are_plain_values() -> None:
    assert Numerics(**json.loads(json.dumps(asdict(HERE)))) == HERE
