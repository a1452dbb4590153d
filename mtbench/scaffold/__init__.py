"""The first version of a new plug-in: a package that works, to be changed by its author."""

from mtbench.scaffold.package import KINDS, Package, plan_package, write_package

__all__ = ["KINDS", "Package", "plan_package", "write_package"]
