"""Values that a shell completes: names of plug-ins and suites. Imports no plug-in and no torch."""

from collections.abc import Iterable, Iterator

from mtbench import registry

__all__ = [
    *("SETTINGS", "backbones", "datasets", "engines", "kinds", "methods", "names", "settings", "suites"),
    "trackers",
]

SETTINGS = (
    *("epochs", "batch", "lr", "optimizer", "weight_decay", "beta1", "momentum", "initial_accumulator"),
    *("flatten_kernels", "schedule", "warmup", "images", "fraction", "tasks_per_image", "validation", "select"),
    *("curve", "clip", "gradient_scale", "adds", "diagnostics", "norm_eval", "precision", "seeds"),
)
"""The keys of ``--set``, the settings of the training protocol, in its order."""


def datasets(incomplete: str) -> Iterator[str]:
    """Yield completions of a list of datasets."""
    done, name = _last(incomplete)
    yield from _matches(done, name, registry.entries("dataset"))


def methods(incomplete: str) -> Iterator[str]:
    """Yield completions of a list of methods: networks, after ``+`` balancers, after ``@`` backbones."""
    done, name = _last(incomplete)
    for mark, kind in (("@", "backbone"), ("+", "balancer")):
        before, found, part = name.rpartition(mark)
        if found:
            yield from _matches(f"{done}{before}{mark}", part, registry.entries(kind))
            return
    yield from _matches(done, name, ["all", *registry.entries("method")])


def names(incomplete: str) -> Iterator[str]:
    """Yield completions of the name of anything that is installed."""
    yield from _matches(
        "", incomplete, dict.fromkeys(name for kind in registry.GROUPS for name in registry.entries(kind))
    )


def backbones(incomplete: str) -> Iterator[str]:
    """Yield completions of the name of a backbone."""
    yield from _matches("", incomplete, registry.entries("backbone"))


def engines(incomplete: str) -> Iterator[str]:
    """Yield completions of the name of an engine."""
    yield from _matches("", incomplete, registry.entries("engine"))


def trackers(incomplete: str) -> Iterator[str]:
    """Yield completions of the name of a tracker."""
    yield from _matches("", incomplete, registry.entries("tracker"))


def kinds(incomplete: str) -> Iterator[str]:
    """Yield completions of the kinds that ``mtbench list`` takes."""
    yield from _matches("", incomplete, (f"{kind}s" for kind in registry.GROUPS))


def suites(incomplete: str) -> Iterator[str]:
    """Yield completions of the name of a suite that comes with mtbench."""
    from mtbench.plan.suite.built_in import built_in_suites

    yield from _matches("", incomplete, built_in_suites())


def settings(incomplete: str) -> Iterator[str]:
    """Yield completions of a key of ``--set``."""
    yield from (
        f"{key}=" for key in _matches("", incomplete.replace("_", "-"), (key.replace("_", "-") for key in SETTINGS))
    )


def _last(incomplete: str) -> tuple[str, str]:
    """Return what comes before the last name of a list with commas, the comma included, and that name."""
    done, comma, name = incomplete.rpartition(",")
    return done + comma, name


def _matches(before: str, name: str, known: Iterable[str]) -> Iterator[str]:
    return (before + each for each in known if each.startswith(name))
