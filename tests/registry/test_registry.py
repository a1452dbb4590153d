import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtbench import __version__, registry
from mtbench.errors import PluginError, UsageError
from mtbench.registry import PluginEntry

PACKAGE = """
class Mine:
    '''A method of a stranger.

    With more below.
    '''
"""


def distribution(folder: Path, name: str, group: str, entry: str, source: str = PACKAGE) -> None:
    """Write a distribution as pip leaves it in site-packages: a package and its metadata."""
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
    assert registry.summary(entry) == "(broken: its source is not found; `mtbench doctor` shows details)"
    assert registry.lacking(entry) == ""


def test_a_plugin_whose_source_cannot_be_read_is_listed_as_broken(site: Path) -> None:
    distribution(site, "stranger-torn", "mtbench.methods", "mine = stranger_torn:Mine", "class Mine(:")
    assert registry.summary(registry.find("method", "mine")) == "(broken: SyntaxError; `mtbench doctor` shows details)"


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
        "`mtbench doctor` lists broken plug-ins; reinstalling the package often helps. "
        "Entry point: stranger_d:Mine."
    )


@pytest.mark.parametrize("kind", ["method", "dataset", "balancer", "backbone", "exhibit"])
def test_an_unknown_name_is_met_with_a_suggestion_and_what_is_installed(kind: str) -> None:
    known = registry.entries(kind)
    near = next(iter(known))
    with pytest.raises(UsageError) as error:
        registry.find(kind, near + "x")
    text = str(error.value)
    assert text.startswith(f"{kind} '{near}x' is not installed. Did you mean '{near}'? Installed: ")
    assert all(name in text for name in known)
    assert f"(mtbench {__version__})" in text


def test_module_paths_are_found_without_importing_the_packages_above(site: Path) -> None:
    (site / "outer" / "inner").mkdir(parents=True)
    (site / "outer" / "__init__.py").write_text("raise RuntimeError('imported')")
    (site / "outer" / "inner" / "deep.py").write_text("")
    assert registry.module_path("outer.inner.deep") == site / "outer" / "inner" / "deep.py"
    assert registry.module_path("outer.nothing") is None
    assert registry.module_path("no_such_package.module") is None


def claims(site: Path, name: str, group: str, role: str) -> None:
    source = f"raise RuntimeError('imported')\n\nclass Mine:\n    role = {role}\n"
    distribution(site, name, group, f"{name} = {name.replace('-', '_')}:Mine", source)
    registry.entries.cache_clear()


def test_the_built_ins_declare_their_roles() -> None:
    assert registry.with_role("method", registry.SINGLE_TASK) == ["single"]
    assert (registry.reference("method"), registry.reference("balancer")) == ("branches", "uniform")
    assert registry.role("method", "single") == "single-task baseline"
    assert registry.role("method", "td") == registry.role("method", "moo") == registry.role("dataset", "mmnist2") == ""


def test_roles_are_read_without_importing_the_plugin(site: Path) -> None:
    claims(site, "alone", "mtbench.methods", "'single-task baseline'")
    claims(site, "nothing", "mtbench.methods", "ROLE")
    assert registry.role("method", "alone") == "single-task baseline"
    assert registry.role("method", "nothing") == ""


def test_several_single_task_baselines_may_be_installed_and_mtbenchs_own_comes_first(site: Path) -> None:
    claims(site, "alone", "mtbench.methods", "'single-task baseline'")
    claims(site, "a-lonely", "mtbench.methods", "'single-task baseline'")
    assert registry.with_role("method", registry.SINGLE_TASK) == ["single", "a-lonely", "alone"]


def test_a_second_reference_is_an_error_that_names_both(site: Path) -> None:
    claims(site, "another", "mtbench.balancers", "'reference'")
    with pytest.raises(PluginError) as error:
        registry.reference("balancer")
    assert re.sub(r"mtbench \d[\w.]*", "mtbench 0", str(error.value)) == (
        "2 plug-ins of kind balancer declare the role 'reference': 'uniform' of mtbench 0 and "
        "'another' of another 1.2. Take `role` out of 'another', or uninstall its package."
    )
    assert registry.reference("method") == "branches"


def test_without_a_reference_mtbench_is_broken() -> None:
    with pytest.raises(PluginError, match=r"no backbone declares the role 'reference'\. Reinstall mtbench\."):
        registry.reference("backbone")


@pytest.mark.parametrize(
    ("group", "kind", "role", "says"),
    [
        (
            *("methods", "method", "single task baseline"),
            "Did you mean 'single-task baseline'? Roles of a method: reference, single-task baseline.",
        ),
        ("balancers", "balancer", "single-task baseline", "Roles of a balancer: reference."),
        ("datasets", "dataset", "reference", "A dataset has no role."),
    ],
)
def test_a_role_that_there_is_not_is_refused(site: Path, group: str, kind: str, role: str, says: str) -> None:
    claims(site, "wrong", f"mtbench.{group}", repr(role))
    with pytest.raises(PluginError) as error:
        registry.role(kind, "wrong")
    assert str(error.value) == f"{kind} 'wrong' of wrong 1.2 declares the role '{role}'. {says}"


def test_a_role_is_not_inherited(site: Path) -> None:
    source = "class First:\n    role = 'reference'\n\n\nclass Mine(First):\n    pass\n"
    distribution(site, "derived", "mtbench.methods", "derived = derived:Mine", source)
    registry.entries.cache_clear()
    assert registry.role("method", "derived") == ""


@pytest.mark.parametrize("source", ["class Mine(:\n    role = 'reference'", "\0 role"])
def test_a_plugin_that_cannot_be_read_has_no_role(site: Path, source: str) -> None:
    distribution(site, "torn-role", "mtbench.methods", "torn-role = torn_role:Mine", source)
    distribution(site, "gone-role", "mtbench.methods", "gone-role = nowhere.at_all:Mine")
    registry.entries.cache_clear()
    assert registry.role("method", "torn-role") == registry.role("method", "gone-role") == ""
    assert registry.reference("method") == "branches"


def test_an_entry_knows_its_parts() -> None:
    entry = PluginEntry(kind="method", name="x", value="a.b:C", distribution="d", version="1")
    assert (entry.module, entry.attribute, entry.origin) == ("a.b", "C", "d 1")


def test_the_scope_of_an_exhibit_is_read_from_its_source_and_is_every_report_by_default(site: Path) -> None:
    source = "raise RuntimeError('imported')\n\nclass Mine:\n    scope = 'request'\n\nclass Other:\n    pass\n"
    points = "mine = stranger_x:Mine\nother = stranger_x:Other"
    distribution(site, "stranger-x", "mtbench.exhibits", points, source)
    registry.entries.cache_clear()
    assert "mine" in registry.exhibits("request")
    assert {"other", "summary"} <= set(registry.exhibits("report"))
    assert {"published", "claims"} <= set(registry.exhibits("suite"))
    assert "mine" not in registry.exhibits("report")
