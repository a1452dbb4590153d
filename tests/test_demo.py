"""``make demo``, without its training."""

import os
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent


def test_the_demo_trains_a_single_task_baseline_in_an_environment_without_extras_or_linters() -> None:
    printed = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    commands = printed.stdout.splitlines()
    (install,) = [line for line in commands if "pip install" in line]
    assert install.endswith("pip install --quiet --editable .")
    (run,) = [line for line in commands if "mtbench run" in line]
    assert "--methods single,td,chmod,moo" in run


@pytest.mark.slow
def test_the_demo_uses_the_torch_of_the_python_that_it_is_given(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE", "mtbench", "methods", "datasets"):
        (tmp_path / name).symlink_to(HOUSE / name)
    venv.create(tmp_path / ".venv")  # without pip and setuptools: theirs are found beside torch, new enough
    subprocess.run(
        ["make", ".venv/.runs", f"PYTHON={sys.executable}"],
        cwd=tmp_path,
        env={**os.environ, "PIP_NO_BUILD_ISOLATION": "false", "PIP_NO_INDEX": "true"},  # pip reads "no: false" as no
        check=True,
        timeout=300,
    )
    ask = "import torch, mtbench; print(torch.__file__)"
    found = subprocess.check_output([tmp_path / ".venv/bin/python", "-c", ask], text=True, timeout=120)
    torch = find_spec("torch")
    assert torch is not None
    assert torch.origin is not None
    assert Path(found.strip()).resolve() == Path(torch.origin).resolve()
    installed = {path.name.partition("-")[0] for path in tmp_path.glob(".venv/lib/python3*/site-packages/*.dist-info")}
    assert installed == {"mtbench"}
