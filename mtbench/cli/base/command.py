"""Commands as the command line shows them: flags without a type, and errors in plain words."""

import inspect
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from mtbench.errors import UsageError

__all__ = ["App"]

F = TypeVar("F", bound=Callable[..., Any])

OTHER = "Other"
"""Group of the options that name none, in a help text that has groups."""
_WORDS = {
    r"^Value error, ": "",
    r"^Input should be a valid integer.*": "Allowed: a whole number.",
    r"^Input should be a valid number.*": "Allowed: a number.",
    r"^Input should be greater than or equal to (.+)": r"Allowed: at least \1.",
    r"^Input should be less than or equal to (.+)": r"Allowed: at most \1.",
}
"""Plain words for the messages of pydantic, which reads values for typer, by a pattern of the message."""


def _no_type(ctx: Any) -> str:  # noqa: ARG001
    return ""


class _Plain:
    """Behavior that commands and groups of commands share."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, as the help text shows them.

        Flags and arguments show no type. Options without a group come after those with one, not before them.
        """
        params = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if isinstance(param, TyperArgument):
                param.display_type_rich = _no_type  # type: ignore[method-assign]
        options = [param for param in params if isinstance(param, TyperOption)]
        is_grouped = any(option.rich_help_panel for option in options)
        for option in options:
            if option.is_flag:
                option.metavar = ""
            if is_grouped and not option.rich_help_panel:
                option.rich_help_panel = OTHER
        return sorted(params, key=lambda param: getattr(param, "rich_help_panel", None) == OTHER)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the arguments.

        Raises:
            UsageError: a value is empty, as that of ``--results "$RESULTS"`` is where the variable is not set.
            typer.BadParameter: a value does not fit.
        """
        _refuse_empty(args)
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except typer.BadParameter as error:
            for pattern, words in _WORDS.items():
                error.message = re.sub(pattern, words, error.message)
            raise


def _refuse_empty(args: list[str]) -> None:
    for before, given in pairwise(["", *args]):
        option = before if before.startswith("-") and "=" not in before else "an argument"
        if given.startswith("--") and given.endswith("=") and given.count("=") == 1:
            option, given = given[:-1], ""
        if not given:
            raise UsageError(f"{option} is given an empty text.", mend="Give a value, or leave the option out.")


def _in_paragraphs(function: Callable[..., Any]) -> str:
    """Return a docstring with a line per paragraph, since help texts keep the ends of lines."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


class _Command(_Plain, TyperCommand):
    """One command."""


class _Group(_Plain, TyperGroup):
    """A group of commands."""


class App(typer.Typer):
    """A group of commands that show flags without a type and errors in plain words; arguments as for ``Typer``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cls=_Group, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[F], F]:
        """Register a command, as ``Typer.command`` does; its docstring is the help text."""
        register = super().command

        def decorate(function: F) -> F:
            return register(name, cls=_Command, help=_in_paragraphs(function), **options)(function)

        return decorate
