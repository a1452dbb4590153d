"""The engine that a command uses, and the manner in which it executes runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from mtbench import registry
from mtbench.contract.options import parse_options
from mtbench.contract.options.limits import check_number
from mtbench.engines.engine import Engine
from mtbench.engines.local.engine import Local
from mtbench.errors import PluginError, UsageError
from mtbench.plan.chosen import load_plugin, split_options

__all__ = ["Execution", "choose_engine", "execution_of"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """The manner in which runs are executed.

    Attributes:
        places: a device for each run that may be at work at a time.
        engine: the engine.
        checkpoint_every: see `mtbench.engines.engine.Site`.
    """

    places: Sequence[str]
    engine: Engine = field(default_factory=Local)
    checkpoint_every: float = 0


def execution_of(
    engine: str | Engine, device: str, jobs: int | None, runs_per_device: int, checkpoint_every: float
) -> Execution:
    """Return the manner of execution that was asked for.

    Args:
        engine: the engine, or its name and options.
        device, jobs, runs_per_device: see `mtbench.engines.engine.Engine.places`.
        checkpoint_every: see `mtbench.engines.engine.Site`.

    Raises:
        UsageError: there is no such engine, option or device, or a number is out of bounds.
    """
    chosen = choose_engine(engine) if isinstance(engine, str) else engine
    check_number("--checkpoint-every", checkpoint_every, "checkpoint-every", low=0)
    places = chosen.places(device, jobs, runs_per_device)
    return Execution(places=places, engine=chosen, checkpoint_every=checkpoint_every)


def choose_engine(text: str, given: Mapping[str, str] | None = None) -> Engine:
    """Return an engine with its options.

    Args:
        text: its name and options, such as ``slurm:partition=main:time=4h``.
        given: further options as texts, by name.

    Raises:
        UsageError: there is no such engine or option, a value does not fit, or an option is given twice.
        PluginError: the engine is broken, or a package that it needs is not installed.
    """
    chosen = split_options(text, "engine")
    engine: type[Engine] = load_plugin("engine", chosen.name, Engine)
    if extra := registry.lacking(registry.find("engine", chosen.name)):
        raise PluginError(
            f"engine '{chosen.name}' needs a package that is not installed.", mend=f"Install it: pip install '{extra}'"
        )
    for name in sorted((given or {}).keys() - {each.name for each in fields(engine.Options)}):
        raise UsageError(
            f"--{name.replace('_', '-')} was given, and engine '{chosen.name}' has no such option.",
            mend="Leave it out, or name an engine that has it, such as --engine slurm.",
        )
    for name in chosen.options.keys() & (given or {}).keys():
        raise UsageError(f"engine '{chosen.name}' is given option '{name}' twice, by --{name.replace('_', '-')} too.")
    options = {**chosen.options, **(given or {})}
    return engine(parse_options(engine.Options, options, owner=f"engine '{chosen.name}'"))
