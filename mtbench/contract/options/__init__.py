"""Options of plug-ins: their declaration, their values as texts, files among them, and the spaces of searches."""

from mtbench.contract.options.declared import (
    NoOptions,
    current_names,
    differences,
    identity_name,
    option,
    parse_options,
    weights_option,
)
from mtbench.contract.options.values import FILE, Value, parse_value, render_value

__all__ = [
    "FILE",
    "NoOptions",
    "Value",
    "current_names",
    "differences",
    "identity_name",
    "option",
    "parse_options",
    "parse_value",
    "render_value",
    "weights_option",
]
