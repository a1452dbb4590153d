"""Fingerprints of everything that makes numbers: the code of a run's plug-ins, its data, and the harness."""

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from mtbench import registry
from mtbench.errors import PluginError
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.syntax import numeric_part, plain_text
from mtbench.store.record import Code, Fingerprints

__all__ = ["NUMERICS", "PARTS", "SHORT", "code", "fingerprints", "plugin"]

NUMERICS = 6
"""The version of the harness's part in the numbers.

It is raised if and only if a golden value (``tests/train/golden.json``) moves by more than 1e-6 relative on one
machine; on other machines golden values hold to 1e-4.
"""

PARTS = {"network": "method", "balancer": "balancer", "backbone": "backbone", "dataset": "dataset"}
"""The parts of a run that are plug-ins, and the kind of plug-in of each."""


SHORT = 16
"""Digits of the hash of a module in a record, which name the module that changed; the hash of all decides."""


def fingerprints(spec: RunSpec, data: str) -> Fingerprints:
    """Return the present fingerprints of everything that makes the numbers of a run.

    Args:
        data: the fingerprint of the data.

    Raises:
        UsageError: a plug-in is not installed.
        PluginError: the source of one cannot be found or read.
    """
    parts = {part: code(plugin(spec, part)) for part in PARTS}
    return Fingerprints(numerics=NUMERICS, code=parts, data=data)


def plugin(spec: RunSpec, part: str) -> registry.PluginEntry:
    """Return the installed plug-in behind one of `PARTS` of a run.

    Raises:
        UsageError: it is not installed.
    """
    return registry.find(PARTS[part], getattr(spec, part).name)


def code(entry: registry.PluginEntry) -> Code:
    """Return the version and the hash of a plug-in's code.

    The code is its module and, recursively, every imported module of its own package or of another package that offers
    plug-ins, wherever the import stands. Imports for types alone are left out, as is everything else that makes no
    numbers (see `mtbench.store.identity.syntax`).

    It is found from the source files alone; nothing is imported. Of the harness only the backbones are followed:
    `NUMERICS` stands for the effect of the rest on the numbers.

    Raises:
        PluginError: a source file cannot be found or read.
    """
    followed = {module.partition(".")[0] for module in _plugin_modules()} | {entry.module.partition(".")[0]}
    reached: dict[str, str] = {}
    waiting = [entry.module]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        path = registry.module_path(module)
        if path is None:
            raise _unreadable(entry, f"module {module} is not found")
        try:
            stamp = path.stat()
            reached[module], imported = _read(path, module, stamp.st_mtime_ns, stamp.st_size)
        except (OSError, SyntaxError) as cause:
            raise _unreadable(entry, f"{path}: {type(cause).__name__}: {cause}") from cause
        waiting += [name for name in imported if _makes_numbers(name, followed)]
    text = "\n".join(f"{module} {digest}" for module, digest in sorted(reached.items()))
    return Code(
        distribution=entry.distribution,
        version=entry.version,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        modules={module: digest[:SHORT] for module, digest in sorted(reached.items())},
    )


def _plugin_modules() -> Iterator[str]:
    for kind in registry.GROUPS:
        for entry in registry.entries(kind).values():
            yield entry.module


def _makes_numbers(module: str, followed: set[str]) -> bool:
    package = module.partition(".")[0]
    if package == "mtbench":
        return module.startswith("mtbench.backbones")
    return package in followed


@lru_cache(maxsize=4096)
def _read(path: Path, module: str, changed: int, size: int) -> tuple[str, tuple[str, ...]]:  # noqa: ARG001
    """Return the hash of the part of a module that makes numbers, and the modules that this part imports.

    `changed` and `size` distinguish two states of the file.
    """
    tree = numeric_part(ast.parse(path.read_bytes()))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imported = tuple(sorted(set(_imports(tree, package))))
    return hashlib.sha256(plain_text(tree).encode()).hexdigest(), imported


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: 1 - node.level or None] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                # A name taken from a package is one of its modules, or else something that its __init__ defines.
                inner = f"{source}.{alias.name}"
                yield inner if registry.module_path(inner) is not None else source


def _unreadable(entry: registry.PluginEntry, what: str) -> PluginError:
    return PluginError(
        f"the source of {entry.kind} '{entry.name}' of {entry.origin} cannot be read: {what}.",
        mend="Reinstall the package; `mtbench doctor` lists broken plug-ins.",
    )
