"""A hash of the code that makes numbers changes when the code does, and not when a comment does."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtbench import registry
from mtbench.errors import PluginError
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.fingerprint import NUMERICS, code, fingerprints

MODULES = {
    "__init__.py": '"""A package."""\n',
    "method.py": "from .shared import factor\nimport json\n\ndef f(x):\n    return factor() * x\n",
    "shared.py": "def factor():\n    from strange.inner import depth\n    return depth.DEPTH\n",
    "inner/__init__.py": "",
    "inner/depth.py": "from ..far import AWAY\nDEPTH = 1 + AWAY\n",
    "far.py": "AWAY = 0\n",
    "unrelated.py": "X = 1\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "strange"
    for name, text in MODULES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield folder
    assert "strange" not in sys.modules  # nothing of it was imported


ENTRY = registry.PluginEntry(
    kind="method", name="strange", value="strange.method:F", distribution="strange-plugin", version="1.0"
)


def rewritten(path: Path, text: str) -> str:
    path.write_text(text)
    return code(ENTRY).hash


def test_comments_docstrings_and_layout_do_not_count(package: Path) -> None:
    before = code(ENTRY).hash
    text = (
        '"""What it is for."""\nfrom .shared import factor  # why\n\n\nimport json\n\n\n'
        'def f(x):\n    """Say."""\n    return (factor()\n            * x)\n'
    )
    assert rewritten(package / "method.py", text) == before


def test_what_is_computed_counts(package: Path) -> None:
    before = code(ENTRY).hash
    assert rewritten(package / "method.py", MODULES["method.py"].replace("* x", "+ x")) != before
    assert rewritten(package / "method.py", MODULES["method.py"]) == before


@pytest.mark.parametrize("name", ["shared.py", "inner/depth.py", "far.py"])
def test_modules_that_are_imported_count_wherever_the_import_stands(package: Path, name: str) -> None:
    before = code(ENTRY).hash
    assert rewritten(package / name, MODULES[name] + "MORE = 1\n") != before


@pytest.mark.parametrize("name", ["unrelated.py", "__init__.py", "inner/__init__.py"])
def test_modules_that_are_not_imported_do_not_count(package: Path, name: str) -> None:
    before = code(ENTRY).hash
    assert rewritten(package / name, MODULES[name] + "MORE = 1\n") == before


def test_a_name_taken_from_a_package_itself_counts(package: Path) -> None:
    before = rewritten(package / "method.py", "from strange import LEVEL\nfrom . import far\n")
    assert rewritten(package / "far.py", "AWAY = 2\n") != before
    assert rewritten(package / "__init__.py", "LEVEL = 1\n") != before


def test_what_a_strangers_method_takes_from_another_package_of_plugins_counts(package: Path) -> None:
    before = rewritten(package / "method.py", "")
    alone = rewritten(package / "method.py", "import mtbench_strange\n")
    followed = rewritten(package / "method.py", "import mtbench_methods.networks.branches\n")
    entry = registry.PluginEntry(
        kind="method", name="x", value="mtbench_methods.networks.branches:X", distribution="d", version="1"
    )
    assert len({before, alone, followed}) == 3
    assert code(entry).hash != followed


def test_the_harness_itself_does_not_count_but_its_backbones_do(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    found = registry.module_path

    def watched(module: str) -> Path | None:
        seen.append(module)
        return found(module)

    rewritten(package / "method.py", "from mtbench.contract import Task\nfrom mtbench.backbones.lenet import LeNet\n")
    monkeypatch.setattr(registry, "module_path", watched)
    code(ENTRY)
    assert set(seen) == {"strange.method", "mtbench.backbones.lenet"}


def test_a_file_that_cannot_be_parsed_is_told_with_its_plugin(package: Path) -> None:
    with pytest.raises(
        PluginError, match=r"method 'strange' of strange-plugin 1.0 cannot be read: .*far.py: SyntaxErr"
    ):
        rewritten(package / "far.py", "AWAY = (\n")


def test_a_module_that_is_gone_is_told(package: Path) -> None:
    (package / "method.py").unlink()
    with pytest.raises(PluginError, match=r"module strange.method is not found"):
        code(ENTRY)


def test_a_run_has_a_hash_for_each_of_its_four_parts(spec: RunSpec) -> None:
    marks = fingerprints(spec, "data")
    assert marks.numerics == NUMERICS
    assert marks.data == "data"
    assert {part: marks.code[part].distribution for part in marks.code} == {
        "network": "mtbench",
        "balancer": "mtbench",
        "backbone": "mtbench",
        "dataset": "mtbench-toys",
    }
    assert len({marks.code[part].hash for part in marks.code}) == 4


@pytest.mark.parametrize("name", ["option", "contract.option"])
def test_what_an_option_is_searched_over_and_its_help_do_not_count(package: Path, name: str) -> None:
    plain = rewritten(package / "method.py", f"x = {name}(1.5, 'how strongly', low=0)\n")
    declared = f"x = {name}(1.5, 'how far', low=0, search=(0.0, 3.0))\n"
    assert rewritten(package / "method.py", declared) == plain
    assert rewritten(package / "method.py", declared.replace("low=0", "low=1")) != plain
    assert rewritten(package / "method.py", f"x = {name}(1.5, search='simplex')\n") == rewritten(
        package / "method.py", f"x = {name}(1.5, help='how strongly')\n"
    )


def test_a_search_that_is_no_option_counts(package: Path) -> None:
    plain = rewritten(package / "method.py", "x = best(1.5)\n")
    assert rewritten(package / "method.py", "x = best(1.5, search=2)\n") != plain


def test_a_module_that_only_types_refer_to_is_not_followed(package: Path) -> None:
    plain = rewritten(package / "method.py", "def f(x): ...\n")
    typed = rewritten(package / "method.py", "from .gone import Shape\n\ndef f(x: Shape): ...\n")
    guarded = "if TYPE_CHECKING:\n    from .gone import Shape\n\ndef f(x): ...\n"
    assert typed == plain == rewritten(package / "method.py", guarded)


def test_the_hash_of_a_module_changes_with_it_and_those_of_others_do_not(package: Path) -> None:
    before = code(ENTRY).modules
    assert [*before] == ["strange.far", "strange.inner.depth", "strange.method", "strange.shared"]
    (package / "far.py").write_text("AWAY = 1\n")
    after = code(ENTRY).modules
    assert [name for name in before if before[name] != after[name]] == ["strange.far"]
