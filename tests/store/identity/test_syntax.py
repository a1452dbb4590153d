"""A change of what makes no numbers leaves the text of a module as it is, and every other change gives another text."""

import ast
import copy
import random
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import mtbench
import mtbench_datasets
import mtbench_methods
from mtbench.store.identity.syntax import numeric_part, plain_text

MODULE = '''
"""A method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from mtbench.contract import Conformance, Network, option

from . import parts
from .papers import VENUE

if TYPE_CHECKING:
    from .types import Shape

__all__ = ["Mine"]

CITED = "Author, Title"
SCALE = 2.0


@dataclass(frozen=True, kw_only=True)
class Options:
    depth: int = option(3, "how deep", low=1, search=(1, 4))
    gate: str = option("tanh", help="the nonlinearity", choices=("tanh", "relu"))
    seen: int
    title: str = "in the data"
    """Its name."""


class Mine(Network):
    """Mine."""

    Options = Options
    title = "Mine"
    paper = CITED
    bibtex: ClassVar[str] = "@misc{" + VENUE + "}"
    deviations = ("none",)
    role = "reference"
    conformance = Conformance(learns_within=600)
    learning_rate: float = 0.025
    weights: torch.Tensor

    def forward(self, x: torch.Tensor, task: int = 0) -> torch.Tensor:
        """The output."""
        y: torch.Tensor = parts.scaled(x, SCALE)
        "a bare text"
        z: torch.Tensor
        if task > 1:
            y = y - 1
        return y * self.options.depth + len(x)
'''


def text(source: str) -> str:
    return plain_text(numeric_part(ast.parse(source)))


def changed(old: str, new: str) -> str:
    assert MODULE.count(old) == 1
    return MODULE.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A method."""', '"""Another text."""'),
        ('"""A method."""\n', "# a comment\n"),
        ('    """Mine."""\n', ""),
        ('        """The output."""\n', ""),
        ('        "a bare text"\n', ""),
        ('    """Its name."""\n', ""),
        ("SCALE = 2.0\n", 'SCALE = 2.0\n"""The scale."""\n'),
        ('"how deep"', '"how many layers"'),
        ('help="the nonlinearity"', 'help="the gate"'),
        (", search=(1, 4)", ""),
        ("search=(1, 4)", "search=(2, 8)"),
        ("x: torch.Tensor, task: int = 0", "x, task=0"),
        (") -> torch.Tensor:", ") -> Any:"),
        ("y: torch.Tensor =", "y ="),
        ("        z: torch.Tensor\n", ""),
        ("learning_rate: float =", "learning_rate ="),
        ("learning_rate: float =", "learning_rate: ClassVar[float] ="),
        ("    weights: torch.Tensor\n", ""),
        ("depth: int =", "depth: float ="),
        ("seen: int\n", "seen: Any\n"),
        ('title: str = "in', 'title: Any = "in'),
        ("    seen: int\n", "    seen: int\n    unit: ClassVar[str]\n"),
        ('title = "Mine"', 'title = "My own"'),
        ("paper = CITED", 'paper = CITED + ", Venue"'),
        ('CITED = "Author, Title"', 'CITED = "Author, Title, Venue"'),
        ('bibtex: ClassVar[str] = "@misc{" + VENUE + "}"', "bibtex = VENUE"),
        ("from .papers import VENUE\n", ""),
        ('    deviations = ("none",)\n', ""),
        ('    role = "reference"\n', ""),
        ('    role = "reference"\n', "    conventions: ClassVar = {VENUE: SCALE}\n"),
        ("learns_within=600", "learns_within=900"),
        ("import Conformance, Network", "import Network"),
        ("if TYPE_CHECKING:\n    from .types import Shape\n", ""),
        ("from .types import Shape", "from .types import Shape, Size"),
        ("import TYPE_CHECKING, Any, ClassVar", "import TYPE_CHECKING, Any, ClassVar, cast"),
        ("from __future__ import annotations\n", ""),
        ('__all__ = ["Mine"]', '__all__ = ["Mine", "Options"]'),
        ('__all__ = ["Mine"]', '__all__ = ["Mine"]\n__all__ += ["Options"]'),
    ],
)
def test_what_makes_no_numbers_changes_nothing(old: str, new: str) -> None:
    assert text(changed(old, new)) == text(MODULE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SCALE = 2.0", "SCALE = 2.5"),
        ("y * self", "y + self"),
        ("task > 1", "task >= 1"),
        ("parts.scaled(x, SCALE)", "parts.scaled(x, 2 * SCALE)"),
        ("parts.scaled(", "parts.shifted("),
        ("len(x)", "x.mean()"),
        ("task: int = 0", "task: int = 1"),
        ("option(3,", "option(4,"),
        ("low=1", "low=0"),
        ('option("tanh",', 'option("relu",'),
        ("depth: int =", "depth: str ="),
        ("    seen: int\n", ""),
        ("    seen: int\n", "    seen: int\n    more: int\n"),
        ("seen: int\n", "seen: int = 1\n"),
        ('"in the data"', '"in a file"'),
        ("learning_rate: float = 0.025", "learning_rate: float = 0.05"),
        ("    Options = Options\n", ""),
        ("class Mine(Network):", "class Mine(Other):"),
        ("import parts", "import others as parts"),
        ("            y = y - 1\n", "            pass\n"),
        ('CITED = "Author, Title"', "CITED = 1"),
        ("+ len(x)", "+ len(CITED)"),
        ("    Options = Options\n", "    Options = Options\n    titled = 1\n"),
        ("if TYPE_CHECKING:\n", "if SCALE:\n"),
    ],
)
def test_what_makes_numbers_counts(old: str, new: str) -> None:
    assert text(changed(old, new)) != text(MODULE)


def test_what_describes_a_class_is_no_reason_to_import_anything() -> None:
    bare = MODULE
    for line in (
        *("import Conformance, Network, option", "    conformance = Conformance(learns_within=600)"),
        *("from .papers import VENUE", '    bibtex: ClassVar[str] = "@misc{" + VENUE + "}"'),
        *('CITED = "Author, Title"', "    paper = CITED"),
    ):
        assert line in bare
        bare = bare.replace(line, line.partition("Conformance, ")[0] + "Network, option" if "Network" in line else "")
    assert text(bare) == text(MODULE)


def test_what_stands_where_types_are_not_checked_counts() -> None:
    source = "if typing.TYPE_CHECKING:\n    x = 1\nelse:\n    x = {}\n"
    assert text(source.format(2)) == text("x = 2")
    assert text(source.format(2)) != text(source.format(3))


def test_a_name_that_is_exported_is_imported_for_more_than_types() -> None:
    typed = "from .a import A\n\ndef f(x: A): ...\n"
    assert text(typed) == text("def f(x): ...")
    assert text(f'{typed}__all__ = ["A"]\n') == text("from .a import A\n\ndef f(x): ...")


def test_what_is_imported_for_its_effect_counts() -> None:
    assert text("import a.b\n") != text("")


SOURCES = sorted(
    path
    for package in (mtbench_methods, mtbench_datasets)
    for folder in package.__path__
    for path in Path(folder).rglob("*.py")
) + sorted((Path(mtbench.__file__).parent / "backbones").glob("*.py"))


class Bare(ast.NodeTransformer):
    """Takes annotations of functions away, and puts a bare text where a docstring may be."""

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        node.body = [ast.Expr(ast.Constant("said")), *node.body]
        return self.generic_visit(node)


class Tidy(ast.NodeTransformer):
    """Takes away the imports that nothing refers to and that are not exported, as a linter asks for."""

    def __init__(self, tree: ast.Module) -> None:
        self.used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                self.used |= set(ast.literal_eval(node.value))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return self._import(node)

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return self._import(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        node.names = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in self.used]
        return node if node.names else None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_shipped_module_without_comments_docstrings_and_annotations_has_the_same_text(path: Path) -> None:
    tree = Bare().visit(ast.parse(path.read_text()))
    bare = ast.unparse(ast.fix_missing_locations(Tidy(tree).visit(tree)))
    assert text(bare) == text(path.read_text())


def altered(node: ast.AST) -> None:
    match node:
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() | float() as value):
            node.value = value + 1
        case ast.BinOp():
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        case ast.Compare():
            node.ops = [ast.Gt() if isinstance(node.ops[0], ast.Lt) else ast.Lt(), *node.ops[1:]]
        case ast.Call():
            node.args = [*node.args, ast.Constant(1)]
        case ast.Name():
            node.id += "_other"


def computing(tree: ast.Module) -> list[ast.AST]:
    """Return the constants, operators, calls and names in the bodies of functions, outside of annotations and of
    statements that are nothing else, as in ``self.last: Tensor``."""
    found: list[ast.AST] = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            statements = [node for each in function.body for node in ast.walk(each)]
            typed = {
                id(inner)
                for node in statements
                for name in ("annotation", "returns")
                if isinstance(annotation := getattr(node, name, None), ast.AST)
                for inner in ast.walk(annotation)
            }
            typed |= {
                id(inner)
                for node in statements
                if isinstance(node, ast.AnnAssign) and node.value is None
                for inner in ast.walk(node)
            }
            found += [
                node
                for node in statements
                if id(node) not in typed
                and isinstance(node, ast.Constant | ast.BinOp | ast.Compare | ast.Call | ast.Name)
                and not (isinstance(node, ast.Constant) and not isinstance(node.value, int | float))
            ]
    return found


@given(path=st.sampled_from(SOURCES), seed=st.integers(0, 2**32))
def test_every_constant_operator_call_and_name_in_a_shipped_function_counts(path: Path, seed: int) -> None:
    tree = ast.parse(path.read_text())
    places = computing(tree)
    assume(places)
    before = plain_text(numeric_part(copy.deepcopy(tree)))
    altered(random.Random(seed).choice(places))
    assert plain_text(numeric_part(tree)) != before
