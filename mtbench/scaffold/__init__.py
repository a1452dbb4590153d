"""The first version of somebody's plug-in: a package that works, to be changed into theirs."""

from mtbench.scaffold.package import KINDS, Package, plan_package, write_package

__all__ = ["KINDS", "Package", "plan_package", "write_package"]
