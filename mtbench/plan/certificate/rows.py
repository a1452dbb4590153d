"""The rows of a certificate: the method, and the references beside it, each on every dataset that the method fits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mtbench import registry
from mtbench.contract import Task
from mtbench.errors import MtbenchError, UsageError
from mtbench.plan.certificate.budgets import budgets
from mtbench.plan.certificate.sizes import Measure, Sample, Size, references
from mtbench.plan.chosen import BackboneChoice, DatasetChoice, MethodChoice
from mtbench.plan.grid import plan_one
from mtbench.plan.parse import compose, parse_dataset, parse_method
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite.settings import rendered

__all__ = ["Part", "Plan", "Row", "plan_certificate", "reference_rows"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """Runs of one method on one dataset in one way, a run per seed.

    Attributes:
        title: the name of the method in tables.
        equal: the budgets in which it is equal to the certified method; empty for that method itself.
        settings: settings of the training protocol besides those of the sample, as texts.
        specs: its runs.
    """

    title: str
    equal: tuple[str, ...]
    settings: Mapping[str, str]
    specs: tuple[RunSpec, ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A dataset of a certificate.

    Attributes:
        sample: the dataset and its training.
        measure: the number that is compared.
        own: the row of the method.
        rows: the rows of references.
    """

    sample: Sample
    measure: Measure
    own: Row
    rows: tuple[Row, ...]

    @property
    def single(self) -> Row:
        """The row of single-task networks with the epochs of the method, which Δm is relative to."""
        names = registry.with_role("method", registry.SINGLE_TASK)
        return next(row for row in self.rows if row.specs[0].network.name in names and "epochs" in row.equal)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a certificate.

    Attributes:
        method: the method as it was given.
        title: its name in tables.
        backbone: the backbone that was given with it, which references have too; None for that of each dataset.
        size: the size.
        parts: the datasets.
        left_out: a reason for each dataset of the size that the method does not fit.
    """

    method: str
    title: str
    backbone: BackboneChoice | None
    size: Size
    parts: tuple[Part, ...]
    left_out: Mapping[str, str]

    @property
    def specs(self) -> list[RunSpec]:
        """All runs, each once: those of the method first, since they are what is asked about."""
        rows = [*(part.own for part in self.parts), *(row for part in self.parts for row in part.rows)]
        return list({spec.id: spec for row in rows for spec in row.specs}.values())


def plan_certificate(text: str, size: Size) -> Plan:
    """Return the plan of a method's certificate, without the rows of tuned weights.

    Raises:
        UsageError: there is no such method, it is a reference itself, or it fits no dataset of the size.
        PluginError: it cannot be imported.
    """
    method = parse_method(text)
    parts, left_out = list[Part](), dict[str, str]()
    for sample in size.on:
        dataset = parse_dataset(sample.dataset)
        try:
            parts.append(_part(sample, size, dataset, method))
        except _IsReferenceError as cause:
            raise UsageError(str(cause), mend="Name another method; `mtbench list methods` shows them.") from None
        except MtbenchError as cause:
            left_out[str(dataset.choice)] = str(cause)
    if not parts:
        reasons = " ".join(f"{name}: {why}" for name, why in left_out.items())
        raise UsageError(f"'{text}' fits no dataset of size '{size.name}'. {reasons}")
    return Plan(
        method=text,
        title=method.title,
        backbone=method.backbone,
        size=size,
        parts=tuple(parts),
        left_out=left_out,
    )


def reference_rows(
    own: Row, sample: Sample, title: str, plan: Callable[[Mapping[str, str]], Sequence[RunSpec]]
) -> tuple[Row, ...]:
    """Return the rows of one reference, one for each way in which it has a budget of the method.

    Args:
        own: the row of the method.
        title: the name of the reference in tables.
        plan: returns its runs under settings of the training protocol.
    """
    given = rendered(sample.set)
    first = plan(given)[0]
    rows = []
    for settings, equal in budgets(own.specs[0], first):
        specs = tuple(plan({**given, **settings}))
        rows.append(Row(title=title, equal=equal, settings=settings, specs=specs))
    return tuple(rows)


class _IsReferenceError(Exception):
    """The method is a reference itself."""


def _part(sample: Sample, size: Size, dataset: DatasetChoice, method: MethodChoice) -> Part:
    seeds = range(size.seeds)

    def plan(text: MethodChoice, settings: Mapping[str, str]) -> list[RunSpec]:
        return plan_one(dataset, text, protocol=sample.protocol, settings=settings, seeds=seeds)

    specs = tuple(plan(method, rendered(sample.set)))
    title = specs[0].titles.method
    own = Row(title=title, equal=(), settings={}, specs=specs)
    rows: list[Row] = []
    for name in references():
        named = parse_method(name)
        choice = compose(named.network_choice, named.balancer_choice, method.backbone, named.files)
        found = reference_rows(own, sample, name, lambda settings, choice=choice: plan(choice, settings))  # type: ignore[misc]
        if found[0].specs[0].id == specs[0].id:
            raise _IsReferenceError(f"'{title}' is a reference that certificates compare with: {name}.")
        rows += found
    measure = sample.measure or _measure(dataset.tasks())
    return Part(sample=sample, measure=measure, own=own, rows=tuple(rows))


def _measure(tasks: Sequence[Task]) -> Measure:
    kinds = {(metric.name, metric.unit, metric.higher_is_better) for metric in (task.kind.metrics[0] for task in tasks)}
    return "mean" if len(kinds) == 1 and next(iter(kinds))[1] == "%" else "delta_m"
