"""The part of a module's source that makes numbers."""

import ast
from collections.abc import Iterator

__all__ = ["numeric_part", "plain_text"]

DESCRIPTIVE = frozenset(
    {
        "title",
        "paper",
        "bibtex",
        "deviations",
        "role",
        "conformance",
        "modulated_by",
        "conventions",
        "needs_positive_losses",
        "has_negative_losses",
        "protocol_presets",
    }
)
"""Class attributes that describe a plug-in: for readers, for reports, and for runs that are refused."""
OPTION_TEXTS = frozenset({"help", "search"})
"""Keywords of `option` that describe it: a search requests each run with explicit values."""
TYPING = frozenset({"__future__", "typing", "typing_extensions", "collections.abc"})
"""Modules that are imported for types. Other uses of their names count."""
FIELDS = frozenset({"BaseModel", "NamedTuple", "TypedDict"})
"""Base classes that make fields of annotated names, as a decorator such as ``dataclass`` does."""


def numeric_part(tree: ast.Module) -> ast.Module:
    """Remove the parts of a syntax tree that make no numbers, in place, and return the tree.

    Removed are

    - docstrings and other bare constants;
    - annotations of arguments, results and variables, with the declarations that consist of nothing else. A field of a
      data class stays, without its type: its existence matters. The type of an option stays too, since a run's spec
      contains the option as text and the type determines its value (``int`` and ``float`` count as one: a text that
      both can read is the same number);
    - help texts and search spaces of options;
    - the class attributes `DESCRIPTIVE`, outside of data classes;
    - ``__all__``, blocks under ``if TYPE_CHECKING:`` and imports from the modules `TYPING`;
    - imports and constant texts of the module that only the removed parts refer to.
    """
    remover = _Remover()
    remover.visit(tree)
    removed = {node.id for part in remover.removed for node in ast.walk(part) if isinstance(node, ast.Name)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    _Unused(removed - used - remover.exported).visit(tree)
    return tree


def plain_text(node: object) -> str:
    """Return a syntax tree as text, without positions and empty fields.

    `ast.dump` would be sufficient, but its text differs between versions of Python.
    """
    if isinstance(node, ast.AST):
        fields = (
            f"{name}={plain_text(value)}" for name, value in ast.iter_fields(node) if value is not None and value != []
        )
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(map(plain_text, node))}]"
    return repr(node)


class _Remover(ast.NodeTransformer):
    """A transformer that removes the parts that make no numbers, and keeps them in `removed`.

    Attributes:
        removed: the removed parts of the tree, which may refer to names.
        exported: the names in ``__all__``.
    """

    def __init__(self) -> None:
        self.removed: list[ast.AST] = []
        self.exported: set[str] = set()
        self.has_fields = False  # of the class whose body is visited

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        outer = self.has_fields
        self.has_fields = bool(node.decorator_list) or any(_last_name(base) in FIELDS for base in node.bases)
        if not self.has_fields:
            node.body = list(self._without_descriptions(node.body))
        self.generic_visit(node)
        self.has_fields = outer
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        if node.annotation is not None:
            self.removed.append(node.annotation)
            node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.removed.append(node.annotation)
        if self.has_fields and _last_name(node.annotation) != "ClassVar":
            node.annotation = _kind(node.annotation) if _is_option(node.value) else ast.Constant(value=None)
            return self.generic_visit(node)
        if node.value is None:
            return None
        if _last_name(node.annotation) == "TypeAlias":
            self.removed.append(node.value)
            return None
        return self.visit_Assign(ast.Assign(targets=[node.target], value=node.value))

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return self._unless_exports(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | None:
        return self._unless_exports(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_option(node):
            self.removed += node.args[1:2]
            self.removed += [keyword for keyword in node.keywords if keyword.arg in OPTION_TEXTS]
            node.args[1:2] = []
            node.keywords = [keyword for keyword in node.keywords if keyword.arg not in OPTION_TEXTS]
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt] | None:
        self.generic_visit(node)
        if _last_name(node.test) != "TYPE_CHECKING":
            return node
        self.removed += [node.test, *node.body]
        return node.orelse or None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module in TYPING and not node.level else node

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        node.names = [alias for alias in node.names if alias.name not in TYPING]
        return node if node.names else None

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        outer, self.has_fields = self.has_fields, False
        if node.returns is not None:
            self.removed.append(node.returns)
            node.returns = None
        self.generic_visit(node)
        self.has_fields = outer
        return node

    def _without_descriptions(self, body: list[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and _names(statement) <= DESCRIPTIVE:
                self.removed.append(statement)
            else:
                yield statement

    def _unless_exports(self, node: ast.Assign | ast.AugAssign) -> ast.AST | None:
        if _names(node) != {"__all__"}:
            return self.generic_visit(node)
        texts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
        self.exported |= {text for text in texts if isinstance(text, str)}
        return None


class _Unused(ast.NodeTransformer):
    """A transformer that removes imports and constant texts of the module whose name is in a set."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [statement for statement in node.body if not self._is_unused_text(statement)]
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return self._import(node)

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return self._import(node)

    def _is_unused_text(self, node: ast.stmt) -> bool:
        is_text = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        return is_text and isinstance(node.value.value, str) and _names(node) <= self.names  # type: ignore[attr-defined]

    def _import(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        node.names = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) not in self.names]
        return node if node.names else None


def _names(node: ast.stmt) -> set[str]:
    """Return the plain names that a statement assigns to; one that stands for nothing if there are other targets."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id if isinstance(target, ast.Name) else "" for target in targets}


def _is_option(node: ast.AST | None) -> bool:
    """Return True if a node is a call of `mtbench.contract.option`, by its own name or as an attribute of a module."""
    return isinstance(node, ast.Call) and _last_name(node.func) == "option"


def _last_name(node: ast.AST | None) -> str:
    """Return ``c`` for ``c``, ``b.c`` and ``c[d]``; an empty text for anything else."""
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _kind(annotation: ast.expr) -> ast.expr:
    """Return the type of an option, in place, with ``float`` for ``int``."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name) and node.id == "int":
            node.id = "float"
    return annotation
