"""The contents of a new plug-in's package, and the function that writes them."""

import importlib.metadata
import importlib.util
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import jinja2

from mtbench import registry
from mtbench.errors import UsageError

__all__ = ["KINDS", "Package", "plan_package", "write_package"]

KINDS = {"method": "Net", "balancer": "Balancer", "dataset": "Dataset"}
"""The kinds of plug-in that have a template, and the endings of their classes' names.

Because of the ending no class has the name of something that its file imports, whatever the plug-in's name.
"""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that is not written yet.

    Attributes:
        folder: the folder that it will be written to.
        files: the texts of its files, by path within the folder.
        steps: the commands to run next, one per line.
    """

    folder: Path
    files: Mapping[str, str]
    steps: str


def plan_package(kind: str, name: str, parent: Path) -> Package:
    """Return the package ``mtbench-NAME`` with a working plug-in of that kind (one of `KINDS`) and name.

    Raises:
        UsageError: the name is not of the form that plug-ins have, or is taken.
    """
    _check_name(kind, name)
    words = {
        "kind": kind,
        "group": registry.GROUPS[kind],
        "name": name,
        "distribution": f"mtbench-{name}",
        "module": _module(name),
        "stem": _stem(name),
        "cls": _stem(name) + KINDS[kind],
    }
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("mtbench.scaffold"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def rendered(template: str, **more: str) -> str:
        return templates.get_template(f"{template}.j2").render(words, **more)

    folder = parent / words["distribution"]
    files = {
        "pyproject.toml": rendered("pyproject.toml"),
        "README.md": rendered("README.md", place="."),
        f"{words['module']}.py": rendered(f"{kind}.py"),
        f"test_{words['module']}.py": rendered("test.py"),
    }
    return Package(folder=folder, files=files, steps=rendered("steps.txt", place=shlex.quote(str(folder))))


def write_package(package: Package) -> None:
    """Write a package into a new folder.

    Raises:
        UsageError: the folder exists already and is left unchanged, or it cannot be made.
    """
    try:
        package.folder.parent.mkdir(parents=True, exist_ok=True)
        package.folder.mkdir()
        for path, text in package.files.items():
            (package.folder / path).write_text(text, encoding="utf-8")
    except FileExistsError as cause:
        raise UsageError(
            f"{cause.filename} is there already, and nothing in it was changed.",
            mend="Give another name, move it away, or choose another folder with --out.",
        ) from None
    except OSError as cause:
        raise UsageError(
            f"{package.folder} cannot be written: {cause.strerror}.", mend="Choose another folder with --out."
        ) from None


def _check_name(kind: str, name: str) -> None:
    if not registry.NAME.fullmatch(name) or name.endswith("-"):
        raise UsageError(
            f"'{name}' cannot be the name of a {kind}.",
            allowed="A name is lower-case letters, digits and '-', beginning with a letter, not ending in '-'.",
        )
    for other in registry.GROUPS:
        if name in registry.entries(other):
            raise UsageError(
                f"there is a {other} '{name}' already, that of {registry.find(other, name).origin}.",
                mend="Give another name, or uninstall that package.",
            )
    taken = next(_namesakes(name), None)
    if taken is not None:
        raise UsageError(f"the package of a {kind} '{name}' would be called like {taken}.", mend="Give another name.")


def _namesakes(name: str) -> Iterator[str]:
    """Yield what is installed under the names that a new package would have: it would be hidden, or replaced."""
    with suppress(importlib.metadata.PackageNotFoundError):
        installed = importlib.metadata.distribution(f"mtbench-{name}")
        yield f"{installed.name} {installed.version}, which is installed"
    if importlib.util.find_spec(_module(name)) is not None:
        owners = importlib.metadata.packages_distributions().get(_module(name), [])
        yield f"the module {_module(name)}" + (f" of {', '.join(sorted(set(owners)))}" if owners else "")


def _module(name: str) -> str:
    return f"mtbench_{name.replace('-', '_')}"


def _stem(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
