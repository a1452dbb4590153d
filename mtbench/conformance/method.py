"""Checks of a network with a balancer. Each check returns nothing, or raises `Fault`."""

import dataclasses
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mtbench import registry
from mtbench.conformance.absence import keeps_absent
from mtbench.conformance.candidate import BATCH, PROTOCOL, Candidate, Memory, built, primary, state, tiny, trained
from mtbench.conformance.clipping import clips_apart
from mtbench.conformance.difference import differs_from_all_others
from mtbench.conformance.fault import Fault
from mtbench.conformance.world import PLACES, SHAPE, World, absent_in_every_other_batch, plain, undefined
from mtbench.contract import Batch, Losses
from mtbench.errors import PluginError, UsageError
from mtbench.plan.parse import BackboneChoice, default_balancer
from mtbench.train.assemble import Assembly
from mtbench.train.cost import parts
from mtbench.train.evaluate import evaluate
from mtbench.train.loop import fit

__all__ = ["method_checks"]


def method_checks(candidate: Candidate) -> Mapping[str, Callable[[], None]]:
    """The checks by name; a name is what is true when the check passes.

    Raises:
        UsageError: the backbone is not for the tasks that methods are tried on.
    """
    try:
        _scores(candidate.backbone)
    except UsageError:
        raise
    except Exception:  # whatever else is broken, the checks below say what it is
        pass
    return {
        "learns 64 images of 2 tasks": lambda: learns(candidate),
        "every parameter is trained, and every task trains some": lambda: trains_everything(candidate),
        "the same seed gives the same bits, another one others": lambda: repeats(candidate),
        "interrupted and resumed it gives the same bits": lambda: resumes(candidate),
        "evaluation changes nothing": lambda: is_not_changed_by_looking(candidate),
        "answers a task alike alone and among all": lambda: answers_alike(candidate),
        "trains on auxiliary losses as on the others": lambda: trains_on_auxiliary(candidate),
        "its map of a task is one of each input": lambda: shows_each_input(candidate),
        "works on every backbone it claims": lambda: works_on_every_backbone(candidate),
        "works with 1, 2 and 9 tasks and with undefined labels": lambda: works_with_any_tasks(candidate),
        "a task absent from every other batch does no harm": lambda: survives_absence(candidate),
        "what belongs to a task stays in a step without it": lambda: keeps_absent(candidate),
        "tasks that share nothing are clipped apart": lambda: clips_apart(candidate),
        "parameters grow with the tasks as declared": lambda: grows_as_declared(candidate),
        "differs from every other method": lambda: differs_from_all_others(candidate),
    }


def learns(candidate: Candidate) -> None:
    """64 images of 2 tasks, within the steps and to the accuracy that its parts declare."""
    network, balancer = candidate.method.network_class, candidate.method.balancer_class
    backbone = candidate.backbone.backbone_class
    steps = max(plugin.conformance.learns_within for plugin in (network, balancer, backbone))
    goal = min(plugin.conformance.learns_to for plugin in (network, balancer))
    memory, epochs = Memory(enough=goal), steps // 2
    protocol = dataclasses.replace(PROTOCOL, epochs=epochs, batch=32)
    run = trained(candidate, plain(2, 64), protocol=protocol, memory=memory, points=range(10, epochs + 1, 10))
    if memory.best < goal:
        results = evaluate(run.network, run.splits["train"]).values()
        accuracies = ", ".join(f"{primary(result):.0f} %" for result in results)
        raise Fault(
            f"after {steps} steps on 64 images its training accuracies are {accuracies}, and {goal:.0f} % is the goal. "
            "If it needs longer by its nature, declare so: `conformance = Conformance(learns_within=...)`."
        )


def trains_everything(candidate: Candidate) -> None:
    run = built(candidate, plain(2, 96))
    before = {name: value.detach().clone() for name, value in run.network.named_parameters()}
    fit(run, PROTOCOL, keeper=Memory(), points=())
    still = [
        name
        for name, value in run.network.named_parameters()
        if value.requires_grad and torch.equal(value, before[name])
    ]
    if still:
        raise Fault(
            f"no gradient reaches {_some(still)} in {PROTOCOL.epochs} epochs; what is not to train is no parameter."
        )
    batch = run.splits["train"].batch(torch.arange(96), _drawn(run, 96))
    weights = [value for value in run.network.parameters() if value.requires_grad]
    for task, total in zip(run.tasks, run.network.losses(batch).totals, strict=True):
        found = torch.autograd.grad(total, weights, retain_graph=True, allow_unused=True, materialize_grads=True)
        if not any(gradient.any() for gradient in found):
            raise Fault(f"the loss of task '{task.name}' has no gradient in any parameter.")


def repeats(candidate: Candidate) -> None:
    first, second, other = (trained(candidate, plain(2, 96), seed=seed) for seed in (0, 0, 1))
    if changed := _unlike(first, second):
        raise Fault(
            f"two trainings with one seed differ in {_some(changed)}: what is drawn must come from `setup`'s streams."
        )
    if not _unlike(first, other):
        raise Fault("two trainings with different seeds give the same weights.")


def resumes(candidate: Candidate) -> None:
    whole = trained(candidate, plain(2, 96))
    for stop_after in (1, 2):
        memory = Memory(stop_after=stop_after)
        trained(candidate, plain(2, 96), memory=memory)
        memory.stop_after = None
        if changed := _unlike(trained(candidate, plain(2, 96), memory=memory), whole):
            raise Fault(
                f"interrupted after epoch {stop_after} and resumed, it differs in {_some(changed)}: "
                "all that a later step depends on must be in `state_dict()`."
            )


def is_not_changed_by_looking(candidate: Candidate) -> None:
    run = built(candidate, plain(2, 96))
    before = {name: value.clone() for name, value in state(run).items()}
    evaluate(run.network, run.splits["test"])
    if changed := [name for name, value in state(run).items() if not _same(value, before[name])]:
        raise Fault(f"evaluation changes {_some(changed)}.")
    never, always = (trained(candidate, plain(2, 96), points=points) for points in ((), (1, 2, 3)))
    if changed := _unlike(never, always):
        raise Fault(f"a training that is evaluated more often differs in {_some(changed)}.")


def answers_alike(candidate: Candidate) -> None:
    """With some labels undefined, the outputs that evaluation asks for are those of all outputs."""
    world = undefined(2, 64)
    run = built(candidate, world)
    run.network.eval()
    batch = run.splits["test"].batch(torch.arange(64))
    with torch.no_grad():
        every, used = run.network.all_outputs(batch.inputs), run.network.used_outputs(batch)
    for task, output, found, indices in zip(run.tasks, every, used, batch.used_inputs(), strict=True):
        expected = output[indices]
        if found.shape != expected.shape or not torch.allclose(found, expected, rtol=1e-3, atol=1e-4):
            raise Fault(f"`used_outputs` of task '{task.name}' are not those of `all_outputs` where a label is used.")


def trains_on_auxiliary(candidate: Candidate) -> None:
    """Check that a term added to each task's losses changes the gradient, as it does if `Losses.totals` are balanced.

    Nothing is checked where the balancer does not ask the network for its losses, as in the space of a representation.
    """
    gradients, asked = [], False
    for weight in (0.0, 1.0):
        run = built(candidate, plain(2, 32))
        network, kept = run.network, run.network.losses
        parameter = next(value for value in network.shared_parameters() or network.parameters() if value.requires_grad)

        def losses(
            batch: Batch, kept: Callable[[Batch], Losses] = kept, parameter: Tensor = parameter, weight: float = weight
        ) -> Losses:
            nonlocal asked
            asked, found = True, kept(batch)
            term = weight * (10 * parameter).square().sum() * (found.counts > 0)
            return dataclasses.replace(found, auxiliary=term if found.auxiliary is None else found.auxiliary + term)

        setattr(network, "losses", losses)  # noqa: B010  # an instance's own, in the place of a method
        torch.manual_seed(0)
        run.balancer.backward(network, run.splits["train"].batch(torch.arange(32), _drawn(run, 32)))
        gradients.append(parameter.grad)
    without, with_term = gradients
    if asked and (with_term is None or (without is not None and torch.equal(without, with_term))):
        raise Fault("auxiliary losses of a network change no gradient: balance `Losses.totals`, not `Losses.means`.")


def shows_each_input(candidate: Candidate) -> None:
    """Check that `task_map` gives a finite map of each input, the same alone and among others; None without a name."""
    run = built(candidate, plain(2, 6))
    network = run.network.eval()
    inputs = run.splits["test"].batch(torch.arange(6)).inputs
    few = run.splits["test"].batch(torch.arange(2)).inputs
    for index, task in enumerate(run.tasks):
        with torch.no_grad():
            maps, some = network.task_map(inputs, index), network.task_map(few, index)
        if (maps is None) == bool(network.task_map_name):
            raise Fault(
                "`task_map` is to give a map where `task_map_name` says what it shows, and None where it is empty."
            )
        if maps is None or some is None:
            continue
        if maps.dim() != 3 or len(maps) != 6 or not torch.isfinite(maps).all():
            raise Fault(
                f"the map of task '{task.name}' is {tuple(maps.shape)} of 6 inputs, not finite numbers (6, h, w)."
            )
        if not torch.allclose(maps[:2], some, rtol=1e-3, atol=1e-5 * float(maps.abs().max())):
            raise Fault(f"the map of task '{task.name}' of an input depends on the other inputs.")


def works_on_every_backbone(candidate: Candidate) -> None:
    """Check it on backbones of the other layout too, where it is a network for any kind of task, and no pair."""
    network = candidate.method.network_class
    works_on = network.conformance.works_on
    is_alone = candidate.method.backbone is None and candidate.method.balancer_choice.name == default_balancer(network)
    own = candidate.backbone.backbone_class.layout
    layouts = network.layouts if is_alone and not network.kinds else {own}
    for name in works_on or registry.entries("backbone"):
        try:
            backbone = tiny(name)
        except PluginError:
            continue  # somebody else's broken backbone, which `mtbench doctor` lists
        if not works_on and not (
            backbone.backbone_class.has_stages and backbone.backbone_class.layout in layouts and _scores(backbone)
        ):
            continue  # made for tasks of another kind
        _one_epoch(candidate.on(backbone), plain(2, 32), f"on backbone '{backbone.choice}'")


def works_with_any_tasks(candidate: Candidate) -> None:
    for tasks in (1, 2, 9):
        _one_epoch(candidate, plain(tasks, 32), f"with {tasks} task{'s' * (tasks > 1)}")
    for tasks in (2, 9):
        _one_epoch(candidate, undefined(tasks, 64), f"with undefined labels of {tasks} tasks")


def survives_absence(candidate: Candidate) -> None:
    run = built(candidate, absent_in_every_other_batch(64, BATCH))
    protocol = dataclasses.replace(PROTOCOL, epochs=15)
    curve = fit(run, protocol, keeper=Memory(), points=(1, *range(11, 16))).curve
    _finite(run, "with a task absent from every other batch")
    before, *late = (point.train_losses["band0"] for point in curve)
    after = min(late)  # on so few images the loss jumps at times, up as well
    if not after < before:
        raise Fault(
            f"with a task absent from every other batch the loss of the other goes from {before:.3g} to {after:.3g}."
        )
    run.network.train().zero_grad()
    batch = run.splits["train"].batch(
        torch.arange(48, 64), torch.zeros(16, dtype=torch.long) if run.network.one_task else None
    )
    losses = run.balancer.backward(run.network, batch)
    reached = _reached(run, run.network.losses(batch).totals[0])
    touched = [name for name, value in run.network.named_parameters() if value.grad is not None and value.grad.any()]
    if losses.penalty is None and (stray := sorted(set(touched) - reached)):
        raise Fault(f"{_some(stray)} get a gradient in a batch where no task that is present depends on them.")


def grows_as_declared(candidate: Candidate) -> None:
    """Parts in `per_task` have more parameters with each task, all others as many as before unless in `grows`."""
    counts = [
        {part.name: part.total for part in parts(built(candidate, plain(tasks, 2)).network)} for tasks in (2, 3, 4)
    ]
    network = candidate.method.network_class
    for name in counts[0]:
        sizes = [count.get(name, 0) for count in counts]
        if name in network.per_task and not sizes[0] < sizes[1] < sizes[2]:
            raise Fault(f"part '{name}' is declared in `per_task`, and has {sizes} parameters for 2, 3, 4 tasks.")
        if name not in network.per_task | network.conformance.grows and len(set(sizes)) > 1:
            raise Fault(
                f"part '{name}' has {sizes} parameters for 2, 3, 4 tasks; declare it in `per_task`, or by "
                "`conformance = Conformance(grows=...)` if the tasks share it."
            )


def _one_epoch(candidate: Candidate, world: World, where: str) -> None:
    try:
        run = trained(candidate, world, protocol=dataclasses.replace(PROTOCOL, epochs=1))
    except UsageError:
        raise
    except Exception as cause:
        raise Fault(f"{where} it fails: {type(cause).__name__}: {cause}") from cause
    _finite(run, where)


def _scores(backbone: BackboneChoice) -> bool:
    """Return whether a head on this backbone gives a score per class, of an input or of each pixel."""
    built = backbone.backbone_class(backbone.options, SHAPE)  # type: ignore[call-arg]
    with torch.no_grad():
        scores = built.eval().head(PLACES)(built(torch.zeros(2, *SHAPE)))
    return tuple(scores.shape) == (2, PLACES, *(SHAPE[1:] if built.layout == "map" else ()))


def _same(first: Tensor, second: Tensor) -> bool:
    return torch.equal(first.nan_to_num(), second.nan_to_num())


def _finite(run: Assembly, where: str) -> None:
    values = {**dict(run.network.state_dict()), **dict(run.balancer.named_parameters())}
    broken = [name for name, value in values.items() if not torch.isfinite(value).all()]
    if broken:
        raise Fault(f"{where} {_some(broken)} became NaN or infinite.")


def _unlike(first: Assembly, second: Assembly) -> list[str]:
    one, two = state(first), state(second)
    names = sorted(one.keys() | two.keys())
    return [name for name in names if name not in one or name not in two or not _same(one[name], two[name])]


def _reached(run: Assembly, loss: Tensor) -> set[str]:
    """The parameters that a loss depends on."""
    named = {name: value for name, value in run.network.named_parameters() if value.requires_grad}
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name for name, gradient in zip(named, found, strict=True) if gradient is not None}


def _drawn(run: Assembly, count: int) -> Tensor | None:
    return torch.arange(count) % len(run.tasks) if run.network.one_task else None


def _some(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
