"""Plain texts of a plug-in's class, read from its source file without importing it."""

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

__all__ = ["docstring", "inherited_literal", "module_path", "own_literal"]


def module_path(module: str) -> Path | None:
    """Return the source file of a module, found without importing it or any package above it."""
    root, *inner = module.split(".")
    spec = importlib.util.find_spec(root)
    if spec is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin else None
    for folder in spec.submodule_search_locations or ():
        stem = Path(folder, *inner)
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None


def docstring(path: Path, name: str) -> str:
    """Return the docstring of the class of that name in a source file; empty if there is none.

    Raises:
        OSError, SyntaxError, ValueError: the file cannot be read or parsed.
    """
    lines = _lineage(path, name)
    return (ast.get_docstring(lines[0]) or "") if lines else ""


@cache
def own_literal(path: Path, name: str, attribute: str) -> object:
    """Return the plain literal that a class itself assigns to an attribute; None if there is none or no source."""
    try:
        if attribute.encode() not in (source := path.read_bytes()):
            return None
        return _literal(_lineage(path, name)[:1], attribute, _constants(source))
    except (OSError, SyntaxError, ValueError):
        return None


def inherited_literal(path: Path, name: str, attribute: str) -> object:
    """Return the plain literal that a class, or its nearest base class in the file, assigns to an attribute; else None.

    Raises:
        OSError, SyntaxError, ValueError: the file cannot be read or parsed.
    """
    return _literal(_lineage(path, name), attribute)


def _lineage(path: Path, name: str) -> list[ast.ClassDef]:
    """Return the class of that name in a source file, followed by its base classes in the file, nearest first."""
    classes = {node.name: node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.ClassDef)}
    found = [classes[name]] if name in classes else []
    for node in found:
        bases = [classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
        found += [base for base in bases if base not in found]
    return found


def _constants(source: bytes) -> dict[str, ast.expr]:
    """Return the expressions that a module assigns to plain names, by name."""
    return {
        target.id: statement.value
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _literal(
    lineage: list[ast.ClassDef], attribute: str, constants: Mapping[str, ast.expr] = MappingProxyType({})
) -> object:
    """Return the plain literal that a class, or its nearest base class, assigns to that attribute; else None.

    Args:
        lineage: the class and its base classes, nearest first.
        attribute: the name of the attribute.
        constants: values of names that may stand in place of a literal.
    """
    for node in lineage:
        for statement in node.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            if any(isinstance(target, ast.Name) and target.id == attribute for target in targets):
                value = statement.value  # type: ignore[attr-defined]
                try:
                    return ast.literal_eval(constants.get(value.id, value) if isinstance(value, ast.Name) else value)
                except ValueError:
                    return None
    return None
