"""Specs from methods x datasets x seeds."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mtbench import registry
from mtbench.contract import Dataset, RepresentationBalancer, Task, TrainingProtocol
from mtbench.contract.options import render_value
from mtbench.contract.options.files import with_short_hashes
from mtbench.contract.options.limits import LIMITS, shown
from mtbench.errors import MtbenchError, PluginError, UsageError, did_you_mean
from mtbench.plan.chosen import BackboneChoice, DatasetChoice, MethodChoice
from mtbench.plan.facts import facts_of
from mtbench.plan.parse import parse_backbone, parse_dataset, parse_method
from mtbench.plan.spec import RunSpec, Titles

__all__ = ["Request", "all_methods", "building", "choose_protocol", "parse_seeds", "plan", "plan_one"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to ``mtbench run``.

    Attributes:
        methods: texts such as ``td:channels=6``; ``all`` is every installed network and alias, and the reference
            network with every balancer.
        datasets: texts such as ``mmnist3``.
        protocol: the name of one of the dataset's protocols.
        settings: settings of the training protocol that differ, as texts.
        seeds: the seeds, or None for the number of the training protocol.
        backbone: the backbone of methods that name none, as text; empty for the dataset's own.
    """

    methods: Sequence[str]
    datasets: Sequence[str]
    protocol: str = "paper"
    settings: Mapping[str, str]
    seeds: Sequence[int] | None = None
    backbone: str = ""


def plan(request: Request, *, left_out: Callable[[str], None] = lambda _: None) -> list[RunSpec]:
    """Return the requested runs, datasets outermost, then seeds, then methods, each once.

    Seeds come before methods so that a grid that is stopped early still compares every method.

    Args:
        left_out: called with a sentence for each method that ``all`` includes but that cannot be used on a dataset.

    Raises:
        UsageError: something requested does not exist or does not fit.
    """
    backbone = f"@{request.backbone}" if request.backbone else ""
    named = [name if "@" in name else name + backbone for name in request.methods if name != "all"]
    everything = [name + backbone for name in all_methods()] if "all" in request.methods else []
    methods = [parse_method(name) for name in named]
    specs: dict[str, RunSpec] = {}
    for text in request.datasets:
        dataset = parse_dataset(text)
        protocol = choose_protocol(dataset.dataset_class, dataset.choice.name, request.protocol)
        changed = protocol.changed(**request.settings)
        firsts = [_spec(dataset, method, changed, protocol) for method in methods]
        for name in everything:
            try:
                firsts.append(_spec(dataset, parse_method(name), changed, protocol))
            except (UsageError, PluginError) as cause:
                left_out(f"'{name}' is left out on {dataset.choice}: {cause}")
        for seed in request.seeds if request.seeds is not None else range(changed.seeds):
            for first in firsts:
                spec = dataclasses.replace(first, seed=seed)
                specs[spec.id] = spec
    if not specs:
        raise UsageError("nothing to run.", mend="Name methods and datasets: --methods td,moo --dataset mmnist3.")
    return list(specs.values())


def plan_one(
    dataset: DatasetChoice, method: MethodChoice, *, protocol: str, settings: Mapping[str, str], seeds: Sequence[int]
) -> list[RunSpec]:
    """Return the runs of one method on one dataset, a run per seed; `protocol` and `settings` as in `Request`.

    Raises:
        UsageError: something does not fit.
    """
    base = choose_protocol(dataset.dataset_class, dataset.choice.name, protocol)
    first = _spec(dataset, method, base.changed(**settings), base)
    return [dataclasses.replace(first, seed=seed) for seed in seeds]


def choose_protocol(dataset: type[Dataset], dataset_name: str, name: str) -> TrainingProtocol:
    """Return the dataset's training protocol of that name.

    Raises:
        UsageError: it has none of that name.
    """
    if name not in dataset.protocols:
        raise UsageError(
            f"dataset '{dataset_name}' has no training protocol '{name}'.",
            mend=did_you_mean(name, dataset.protocols),
            allowed=f"Its training protocols: {', '.join(dataset.protocols)}.",
        )
    return dataset.protocols[name]


def parse_seeds(text: str) -> list[int]:
    """Read seeds: a count (``10`` is 0 to 9), a range (``0-5`` is 0 to 5), or a list of seeds and ranges.

    A list has a comma: ``0,3,7-9``; ``7,`` is seed 7 alone.

    Raises:
        UsageError: the text is none of these, or names too many or too large seeds.
    """
    ranges: list[range] = []
    try:
        if "," not in text and "-" not in text:
            ranges.append(range(int(text)))
        for part in text.split(",") if "," in text or "-" in text else ():
            if part.strip():
                first, dash, last = part.partition("-")
                ranges.append(range(int(first), int(last if dash else first) + 1))
    except ValueError:
        ranges = []
    # Bounds come first: a range of 10^30 seeds has no length that Python can give.
    most, largest = LIMITS["seeds"], LIMITS["seed"]
    if any(each.stop - 1 > largest or each.stop - each.start > most for each in ranges) or not (
        0 < len(seeds := set(chain.from_iterable(ranges))) <= most
    ):
        raise UsageError(
            f"--seeds is '{shown(text)}'.",
            allowed="Allowed: a count such as 10, a range such as 0-5 (both ends included), or a list such as 0,3,7-9 "
            f"('7,' is seed 7 alone); at most {most:,} seeds, none above {largest}.",
        )
    return sorted(seeds)


def all_methods() -> list[str]:
    """Return every network and alias, and every balancer on the reference network, on which any balancer works."""
    reference = registry.reference("method")
    return [*registry.entries("method"), *(f"{reference}+{name}" for name in registry.entries("balancer"))]


@contextmanager
def building(method: MethodChoice, backbone: BackboneChoice, inputs: str, *, mend: str = "") -> Iterator[None]:
    """Turn an error in building the parts of a method within the block into a message.

    Args:
        inputs: the inputs that it was built for, for the error.
        mend: the remedy, for the error.

    Raises:
        UsageError: the parts do not fit each other or the inputs.
        PluginError: one of the parts is broken.
    """
    try:
        yield
    except MtbenchError:
        raise
    except (RuntimeError, ValueError, IndexError) as cause:
        reason = str(cause).partition("\n")[0].rstrip(".")  # torch's have a stack in C++ below
        raise UsageError(
            f"method '{method.network_choice}' cannot be built on backbone '{backbone.choice}' for {inputs}: {reason}.",
            mend=mend,
        ) from cause
    except Exception as cause:
        name, reason = method.title.partition("@")[0], f"{type(cause).__name__}: {cause}".rstrip(".")
        raise PluginError(f"method '{name}' on backbone '{backbone.choice}' cannot be built: {reason}.") from cause


def _spec(dataset: DatasetChoice, method: MethodChoice, protocol: TrainingProtocol, named: TrainingProtocol) -> RunSpec:
    default = parse_backbone(dataset.dataset_class.default_backbone)
    backbone = method.on(dataset.dataset_class.default_backbone)
    own = protocol.changed(**{name: render_value(value) for name, value in method.settings.items()})
    _try(dataset, method, backbone, own)
    title = method.title.partition("@")[0]
    if backbone.choice != default.choice:
        title += with_short_hashes(f"@{backbone.choice}")
    return RunSpec(
        dataset=dataset.choice,
        network=method.network_choice,
        balancer=method.balancer_choice,
        backbone=backbone.choice,
        protocol=own,
        seed=0,
        titles=Titles(
            dataset=with_short_hashes(str(dataset.choice)),
            method=title,
            protocol=protocol.label(named),
            apart={
                name: render_value(getattr(protocol, name))
                for name in method.settings
                if getattr(own, name) != getattr(protocol, name)
            },
        ),
        files=dataset.files | method.files | backbone.files,
    )


def _check_kinds(
    dataset: DatasetChoice, tasks: Sequence[Task], method: MethodChoice, protocol: TrainingProtocol
) -> None:
    """Refuse settings that are not defined for the kinds of the tasks.

    Raises:
        UsageError: there is one.
    """
    kinds, name = method.network_class.kinds, f"method '{method.network_choice}'"
    if kinds and (other := [task for task in tasks if not isinstance(task.kind, kinds)]):
        raise UsageError(
            f"{name} is for tasks of kind {' or '.join(kind.__name__ for kind in kinds)}, and task '{other[0].name}' "
            f"of dataset '{dataset.choice}' is of kind {type(other[0].kind).__name__}."
        )
    if method.network_class.phases and protocol.adds != "none":
        raise UsageError(f"protocol setting 'adds' is '{protocol.adds}', and {name} has phases of its own.")
    if method.network_class.phases and protocol.select != "last":
        raise UsageError(
            f"protocol setting 'select' is '{protocol.select}', and {name} has phases, whose epochs cannot be compared "
            "to choose the best one.",
            mend="Use --set select=last.",
        )
    if not any(task.kind.one_task_per_example for task in tasks):
        return
    if issubclass(method.balancer_class, RepresentationBalancer):
        raise UsageError(
            f"balancer '{method.balancer_choice}' compares the tasks' gradients in the representation of an example, "
            f"and each example of dataset '{dataset.choice}' belongs to one task: these gradients are always "
            "orthogonal.",
            mend="Use a balancer of the gradients in the parameters, such as one without -ub.",
        )
    if protocol.tasks_per_image == "all":
        raise UsageError(
            f"protocol setting 'tasks_per_image' is 'all', and each example of dataset '{dataset.choice}' belongs to "
            "one task.",
            mend="Use --set tasks-per-image=native.",
        )


def _try(dataset: DatasetChoice, method: MethodChoice, backbone: BackboneChoice, protocol: TrainingProtocol) -> None:
    """Build everything once, which needs no data files: misfits are refused before anything is downloaded."""
    protocol.check()
    opened = dataset.open(Path())
    _check_kinds(dataset, opened.tasks, method, protocol)
    method.network_class.check(method.network_options, opened.tasks)
    method.balancer_class.check(method.balancer_options, opened.tasks)
    if protocol.adds != "none" and len(opened.tasks) < 2:
        raise UsageError(
            f"protocol setting 'adds' is '{protocol.adds}', and dataset '{dataset.choice}' has one task: there is no "
            "other task to train before it is added."
        )
    if protocol.adds == "own" and not method.network_class.per_task:
        raise UsageError(
            f"protocol setting 'adds' is 'own', and no parameter of method '{method.network_choice}' belongs to one "
            "task alone.",
            mend="Use --set adds=all, which trains every parameter.",
        )
    if method.network_class.needs_stages and not backbone.backbone_class.has_stages:
        raise UsageError(
            f"method '{method.network_choice}' needs the feature maps of its backbone, and '{backbone.choice}' has "
            "none."
        )
    for what, layouts in (
        (f"method '{method.network_choice}'", method.network_class.layouts),
        (f"backbone '{backbone.choice}'", {backbone.backbone_class.layout}),
    ):
        if other := [task for task in opened.tasks if task.kind.layout not in layouts]:
            raise UsageError(
                f"{what} gives a {' or a '.join(sorted(layouts))} per input, and task '{other[0].name}' of dataset "
                f"'{dataset.choice}' needs a {other[0].kind.layout}."
            )
    inputs = f"the inputs of dataset '{dataset.choice}', which are {'x'.join(map(str, opened.input_shape))}"
    own = dataset.dataset_class.default_backbone
    mend = f"The dataset's own backbone is '{own}'." if str(backbone.choice) != own else ""
    with building(method, backbone, inputs, mend=mend):
        built = facts_of(dataset, method, backbone)
    if built.needs_positive_losses and (below := [task for task in opened.tasks if task.kind.has_negative_losses]):
        raise UsageError(
            f"balancer '{method.balancer_choice}' is not defined for negative losses, and task '{below[0].name}' of "
            f"dataset '{dataset.choice}' is of kind {type(below[0].kind).__name__}, whose losses can be negative.",
            mend=f"Use a balancer for losses of any sign, such as '{registry.reference('balancer')}'.",
        )
    if method.balancer_class.needs_shared_parameters and not built.trains_shared:
        raise UsageError(
            f"method '{method.title}' is no valid combination: network '{method.network_choice}' on backbone "
            f"'{backbone.choice}' trains no parameter that tasks share, so that '{method.balancer_choice}' has nothing "
            "to balance.",
            mend="Use a balancer of losses alone, such as uniform.",
        )
    if protocol.norm_eval == "batch" and not built.has_batch_norm:
        raise UsageError(
            f"protocol setting 'norm_eval' is 'batch', and method '{method.network_choice}' on backbone "
            f"'{backbone.choice}' has no batch normalization.",
            mend="Use --set norm-eval=running.",
        )
    if protocol.gradient_scale == "sum" and not built.has_gain:
        raise UsageError(
            f"balancer '{method.balancer_choice}' has no gradient scale 'sum': the length of its gradient depends on "
            "the lengths of the tasks' gradients, so that no constant compensates for it.",
            mend="Use --gradient-scale matched, or native.",
        )
