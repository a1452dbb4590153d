"""Multi-task-learning methods compared under one protocol: from one command to a table.

From Python:

    import mtbench

    mtbench.run(methods=["td", "moo"], dataset="mmnist3", seeds=3, protocol="quick")
    frame = mtbench.load("results/local")  # a pandas.DataFrame: a row per run, split, task and metric
    mtbench.compare("results/local", "td", "moo")

The functions lie in `mtbench.door` and are loaded when they are asked for, so that importing this package loads nothing
large. It is the harness, and names no method and no dataset: those come in through entry points.
`mtbench.contract` is what a plug-in author reads.
"""

import importlib
import sys
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtbench.door.checks.diff import diff
    from mtbench.door.compare import compare
    from mtbench.door.explain import explain
    from mtbench.door.load import curves, load
    from mtbench.door.predict import predict
    from mtbench.door.report import report
    from mtbench.door.reports.why import why
    from mtbench.door.run import run
    from mtbench.door.search import search

__all__ = [
    "__version__",
    "compare",
    "curves",
    "diff",
    "explain",
    "load",
    "predict",
    "report",
    "run",
    "search",
    "why",
]

__version__ = version("mtbench")

_MODULES = {
    "compare": "mtbench.door.compare",
    "curves": "mtbench.door.load",
    "diff": "mtbench.door.checks.diff",
    "explain": "mtbench.door.explain",
    "load": "mtbench.door.load",
    "predict": "mtbench.door.predict",
    "report": "mtbench.door.report",
    "run": "mtbench.door.run",
    "search": "mtbench.door.search",
    "why": "mtbench.door.reports.why",
}
"""The module of each public function."""


class _Package(ModuleType):
    """This package, in which `report` and `search` stay functions.

    Rooms have these names too, and importing ``mtbench.report.write`` would set the room here, in the function's place.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


if not TYPE_CHECKING:  # a type checker would take any name for one that is there

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module 'mtbench' has no attribute '{name}'")
        function = getattr(importlib.import_module(_MODULES[name]), name)
        globals()[name] = function
        return function


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
