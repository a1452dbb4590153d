import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtbench import registry
from mtbench.errors import PluginError, UsageError
from mtbench.registry import Entry

PACKAGE = """
class Mine:
    '''A method of a stranger.

    With more below.
    '''
"""


def distribution(folder: Path, name: str, group: str, entry: str, source: str = PACKAGE) -> None:
    """A distribution as pip leaves it in site-packages: a package and its metadata."""
    package = name.replace("-", "_")
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text(source)
    info = folder / f"{package}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    registry.entries.cache_clear()
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    yield tmp_path
    registry.entries.cache_clear()


def test_the_built_ins_come_through_the_same_entry_points() -> None:
    entry = registry.find("method", "td")
    assert (entry.distribution, entry.module, entry.attribute) == (
        "mtbench",
        "mtbench_methods.networks.td.network",
        "TopDown",
    )


def test_a_strangers_package_is_found_and_loaded(site: Path) -> None:
    distribution(site, "stranger-one", "mtbench.methods", "mine = stranger_one:Mine")
    assert registry.load("method", "mine").__name__ == "Mine"
    assert registry.summary(registry.find("method", "mine")) == "A method of a stranger."


def test_a_summary_is_read_without_importing_the_plugin(site: Path) -> None:
    source = "raise RuntimeError('imported')\n" + PACKAGE
    distribution(site, "stranger-two", "mtbench.methods", "mine = stranger_two:Mine", source)
    assert registry.summary(registry.find("method", "mine")) == "A method of a stranger."


EXTRAS = """
raise RuntimeError("imported")


class Solver:
    extra = "stranger[solver]"
    extra_modules = ({modules})


class Middle(Solver):
    pass


class Mine(Middle, Elsewhere):
    "A balancer."
"""


def lacks(site: Path, name: str, source: str) -> str:
    distribution(site, name, "mtbench.balancers", f"{name} = {name.replace('-', '_')}:Mine", source)
    registry.entries.cache_clear()
    return registry.lacking(registry.find("balancer", name))


def test_what_lacks_is_read_without_importing_the_plugin(site: Path) -> None:
    assert lacks(site, "lacks-one", EXTRAS.format(modules="'json', 'no_such_module'")) == "stranger[solver]"
    assert lacks(site, "lacks-inner", EXTRAS.format(modules="'no_such_package.inner',")) == "stranger[solver]"
    assert lacks(site, "lacks-none", EXTRAS.format(modules="'json', 'email.parser'")) == ""


def test_the_search_for_what_lacks_imports_nothing(site: Path) -> None:
    (site / "found").mkdir()
    (site / "found" / "__init__.py").write_text("raise RuntimeError('imported')")
    assert lacks(site, "lacks-nothing", EXTRAS.format(modules="'found', 'found.deep'")) == ""
    assert "found" not in sys.modules


def test_the_nearest_class_says_what_is_needed(site: Path) -> None:
    source = """
        class Solver:
            extra: str = "far"
            extra_modules: tuple[str, ...] = ("no_such_module",)

        class Mine(Solver):
            extra = "near"
    """
    assert lacks(site, "lacks-near", textwrap.dedent(source)) == "near"


@pytest.mark.parametrize(
    "source",
    [
        "class Mine:\n    extra = 'some'\n    extra_modules = ('no_such_module')",  # a text, not a tuple
        "class Mine:\n    extra = NAME\n    extra_modules = ('no_such_module',)",
        "class Mine:\n    extra: str\n    extra_modules = ('no_such_module',)",
        "class Mine(Mine):\n    extra_modules = ('no_such_module',)",
        "class Other:\n    extra = 'some'\n    extra_modules = ('no_such_module',)",
        "class Mine(:",
        "\0",
    ],
)
def test_what_cannot_be_read_lacks_nothing_that_is_known(site: Path, source: str) -> None:
    assert lacks(site, "lacks-unreadable", source) == ""


def test_a_plugin_whose_source_is_gone_is_listed_as_broken(site: Path) -> None:
    distribution(site, "stranger-gone", "mtbench.methods", "mine = nowhere.at_all:Mine")
    entry = registry.find("method", "mine")
    assert registry.summary(entry) == "(broken: its source is not found; `mtbench doctor` says more)"
    assert registry.lacking(entry) == ""


def test_a_plugin_whose_source_cannot_be_read_is_listed_as_broken(site: Path) -> None:
    distribution(site, "stranger-torn", "mtbench.methods", "mine = stranger_torn:Mine", "class Mine(:")
    assert registry.summary(registry.find("method", "mine")) == "(broken: SyntaxError; `mtbench doctor` says more)"


def test_a_plugin_that_ends_the_program_when_imported_is_broken_and_ends_nothing(site: Path) -> None:
    distribution(site, "stranger-exit", "mtbench.methods", "mine = stranger_exit:Mine", "import sys; sys.exit(3)")
    with pytest.raises(PluginError, match=r"method 'mine' of stranger-exit 1\.2 cannot be loaded: SystemExit: 3"):
        registry.load("method", "mine")


def test_two_distributions_with_one_name_are_an_error_that_names_both(site: Path) -> None:
    for name in ("stranger-a", "stranger-b"):
        distribution(site, name, "mtbench.methods", f"mine = {name.replace('-', '_')}:Mine")
    with pytest.raises(PluginError) as error:
        registry.entries("method")
    assert str(error.value) == (
        "two distributions offer the method 'mine': stranger-a 1.2 (stranger_a:Mine) and stranger-b 1.2 "
        "(stranger_b:Mine). Uninstall one of them."
    )


def test_a_name_of_another_form_is_refused(site: Path) -> None:
    distribution(site, "stranger-c", "mtbench.methods", "My_Method = stranger_c:Mine")
    with pytest.raises(PluginError, match="registers the method name 'My_Method'"):
        registry.entries("method")


def test_a_broken_plugin_says_whose_it_is_and_why(site: Path) -> None:
    distribution(site, "stranger-d", "mtbench.methods", "mine = stranger_d:Mine", "import no_such_module")
    with pytest.raises(PluginError) as error:
        registry.load("method", "mine")
    assert str(error.value) == (
        "method 'mine' of stranger-d 1.2 cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'. "
        "`mtbench doctor` lists what is broken; reinstalling the package often mends it. "
        "Entry point: stranger_d:Mine."
    )


@pytest.mark.parametrize("kind", ["method", "dataset", "balancer", "backbone"])
def test_an_unknown_name_is_met_with_a_suggestion_and_what_is_installed(kind: str) -> None:
    known = registry.entries(kind)
    near = next(iter(known))
    with pytest.raises(UsageError) as error:
        registry.find(kind, near + "x")
    text = str(error.value)
    assert text.startswith(f"{kind} '{near}x' is not installed. Did you mean '{near}'? Installed: ")
    assert all(name in text for name in known)
    assert "(mtbench 0.1" in text


def test_module_paths_are_found_without_importing_the_packages_above(site: Path) -> None:
    (site / "outer" / "inner").mkdir(parents=True)
    (site / "outer" / "__init__.py").write_text("raise RuntimeError('imported')")
    (site / "outer" / "inner" / "deep.py").write_text("")
    assert registry.module_path("outer.inner.deep") == site / "outer" / "inner" / "deep.py"
    assert registry.module_path("outer.nothing") is None
    assert registry.module_path("no_such_package.module") is None


def test_an_entry_knows_its_parts() -> None:
    entry = Entry(kind="method", name="x", value="a.b:C", distribution="d", version="1")
    assert (entry.module, entry.attribute, entry.origin) == ("a.b", "C", "d 1")
