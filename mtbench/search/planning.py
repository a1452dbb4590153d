"""Studies from methods x datasets: the space and the objective of each, and the runs of a trial."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtbench.contract import Simplex, TrainingProtocol
from mtbench.errors import UsageError
from mtbench.plan.chosen import DatasetChoice, MethodChoice
from mtbench.plan.grid import choose_protocol, plan_one
from mtbench.plan.parse import compose, parse_backbone, parse_dataset
from mtbench.plan.spec import Choice, RunSpec, folder_name
from mtbench.search.axes import Axis, axes_of, describe, known_axes, unknown
from mtbench.search.points import grid_size
from mtbench.search.request import TRIALS, TUNING, SearchRequest, check_request
from mtbench.search.weighting import searched_method
from mtbench.store.record import TaskInfo
from mtbench.store.study import SEARCHES, Study

__all__ = ["ROUND", "StudyPlan", "plan_search"]

ROUND = 4
"""The number of trials that are proposed before any of them is run, for any number of runs at a time."""


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """The plan of a requested study.

    Attributes:
        dataset: the dataset.
        method: a network with a balancer; searched options are at their defaults.
        request: the rest of the request.
        protocol: the training protocol with its changed settings.
        axes: the axes that are searched.
        tasks: the tasks in the dataset's order.
        objective: ``tasks`` or ``mean``.
        trials: the number of trials.
    """

    dataset: DatasetChoice
    method: MethodChoice
    request: SearchRequest
    protocol: TrainingProtocol
    axes: tuple[Axis, ...]
    tasks: tuple[TaskInfo, ...]
    objective: str
    trials: int

    @property
    def default(self) -> dict[str, str]:
        """The values of the default trial, by name."""
        return {axis.name: axis.default_text() for axis in self.axes}

    @property
    def report_seeds(self) -> range:
        """The seeds of retrained runs."""
        return range(self.protocol.seeds if self.request.retrain is None else self.request.retrain)

    def specs(self, asked: Mapping[str, str], seeds: Sequence[int], *, validation: bool) -> list[RunSpec]:
        """Return the runs of one setting, a run per seed.

        Args:
            asked: a value for each axis, by name.
            validation: True if a validation split is held out, as in trials.

        Raises:
            UsageError: these values do not fit each other.
        """
        given: dict[str, dict[str, str]] = {"protocol": {}, "network": {}, "balancer": {}}
        for axis in self.axes:
            given[axis.part][axis.option] = asked[axis.name]
        method, backbone = self.method, self.method.backbone
        if backbone is None and self.request.backbone:
            backbone = parse_backbone(self.request.backbone)
        network, balancer = (
            _with(method.network_choice, given["network"]),
            _with(method.balancer_choice, given["balancer"]),
        )
        held_out = {"validation": "true"} if validation else {}
        specs = plan_one(
            self.dataset,
            compose(network, balancer, backbone, method.files),
            protocol=self.request.protocol,
            settings={**self.request.settings, **given["protocol"], **held_out},
            seeds=seeds,
        )
        return [dataclasses.replace(spec, trial=validation) for spec in specs]

    def with_settings(self, settings: Mapping[str, str]) -> "StudyPlan":
        """Return the plan with other settings of the training protocol, as texts, for runs of a chosen setting."""
        return dataclasses.replace(self, request=dataclasses.replace(self.request, settings=settings))

    @cached_property
    def study(self) -> Study:
        """The study before its first trial.

        Its identity is a hash of the request without the number of trials and the choice of what is retrained, so that
        a larger number of trials continues the same study.
        """
        trial = self.specs(self.default, [0], validation=True)[0]
        again = self.specs(self.default, [0], validation=False)[0]
        asked = {
            "run": trial.id,
            "space": describe(self.axes),
            "sampler": self.request.sampler,
            "objective": self.objective,
            "round": ROUND,
            "seed": self.request.seed,
            "tuning_seeds": list(self.request.seeds),
        }
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return Study(
            id=hashlib.sha256(text.encode()).hexdigest()[:12],
            dataset=str(self.dataset.choice),
            method=f"{self.method.network_choice}+{self.method.balancer_choice}",
            backbone=str(again.backbone),
            protocol=again.protocol,
            titles=again.titles,
            space=describe(self.axes),
            sampler=self.request.sampler,
            objective=self.objective,
            tasks=self.tasks,
            seed=self.request.seed,
            tuning_seeds=tuple(self.request.seeds),
            report_seeds=tuple(self.report_seeds),
            round=ROUND,
            planned=self.trials,
        )

    @property
    def title(self) -> str:
        """The name of the method for people: as given, without searched values, e.g. ``td`` or ``branches+fixed``."""
        return self.method.title

    def folder(self, results: Path) -> Path:
        """Return the folder of the study."""
        return results / SEARCHES / folder_name(str(self.dataset.choice)) / f"{folder_name(self.title)}-{self.study.id}"


def plan_search(request: SearchRequest) -> list[StudyPlan]:
    """Return the requested studies, one per dataset and method, all with the same number of trials.

    Raises:
        UsageError: something requested does not exist or does not fit.
    """
    check_request(request)
    plans: dict[str, StudyPlan] = {}
    used, empty = set[str](), list[str]()
    knowable: dict[str, None] = {}
    for text in request.datasets:
        dataset = parse_dataset(text)
        protocol = choose_protocol(dataset.dataset_class, dataset.choice.name, request.protocol).changed(
            **request.settings
        )
        tasks = tuple(map(TaskInfo.of, dataset.tasks()))
        names = [task.name for task in tasks]
        for name in request.methods:
            method = searched_method(name, request.objective, request.space)
            if request.on:
                method = compose(method.network_choice, method.balancer_choice, request.on, method.files)
            if method.preset:  # only its options are stored from here on
                backbone = method.on(request.backbone or dataset.dataset_class.default_backbone)
                method = dataclasses.replace(method, backbone=backbone)
            axes, known = axes_of(method, protocol, names, request.space)
            used |= known
            knowable |= dict.fromkeys(known_axes(method, protocol, names))
            if not axes:
                empty.append(f"method '{method.title}' on {dataset.choice}")
                continue
            study = _study(dataset, method, request, protocol, axes, tasks)
            plans.setdefault(study.study.id, study)  # misfits are refused before anything is written
    for name in request.space:
        if name not in used:
            raise unknown(name, list(knowable))
    if empty:
        raise UsageError(
            f"there is nothing to search for {' and '.join(empty)}.",
            mend="Give a range for a setting of the training protocol or an option: --space lr=1e-4..1e-2:log.",
        )
    if not plans:
        raise UsageError("nothing to search.", mend="Name a method and a dataset: --method td --dataset mmnist3.")
    for each in plans.values():
        _check_seeds(each)
    count = _trials(request, list(plans.values()))
    return [dataclasses.replace(each, trials=count) for each in plans.values()]


def _study(
    dataset: DatasetChoice,
    method: MethodChoice,
    request: SearchRequest,
    protocol: TrainingProtocol,
    axes: Sequence[Axis],
    tasks: tuple[TaskInfo, ...],
) -> StudyPlan:
    weighs = any(isinstance(axis.space, Simplex) for axis in axes)
    objective = request.objective or ("tasks" if weighs else "mean")
    kinds = {(task.metric, task.unit, task.higher_is_better) for task in tasks}
    if objective == "mean" and len(kinds) > 1:
        metrics = ", ".join(f"{task.name}: {task.metric}" for task in tasks)
        raise UsageError(
            f"the tasks of dataset '{dataset.choice}' have different metrics ({metrics}), so that their mean has no "
            "meaning.",
            mend="Use an objective per task: --objective tasks.",
        )
    return StudyPlan(
        dataset=dataset,
        method=method,
        request=request,
        protocol=protocol,
        axes=tuple(axes),
        tasks=tasks,
        objective=objective,
        trials=request.trials or TRIALS,
    )


def _check_seeds(plan: StudyPlan) -> None:
    if overlap := set(plan.report_seeds) & set(plan.request.seeds):
        raise UsageError(
            f"seed {min(overlap)} would both choose a setting and report it.",
            mend="Give other tuning seeds with --seeds, or fewer report seeds with --retrain.",
            allowed=f"By default tuning seeds count from {TUNING}, report seeds from 0.",
        )


def _trials(request: SearchRequest, plans: Sequence[StudyPlan]) -> int:
    """Return the number of trials of each study: all have the same number, and a grid at most its number of points."""
    if request.sampler != "grid":
        return request.trials or TRIALS
    sizes = {plan.title: 1 + grid_size(plan.axes) for plan in plans}
    least = min(sizes, key=lambda title: sizes[title])
    if request.trials is None and len(set(sizes.values())) > 1:
        each = ", ".join(f"{title} {size}" for title, size in sizes.items())
        raise UsageError(
            f"the grids of these methods have different numbers of points, including the default: {each}.",
            mend=f"Give each the same number: --trials {sizes[least]} or fewer.",
        )
    if request.trials is not None and request.trials > sizes[least]:
        raise UsageError(
            f"the grid of method '{least}' has {sizes[least]} points, including the default, and --trials is "
            f"{request.trials}.",
            mend=f"Give --trials {sizes[least]}, or another --sampler.",
        )
    return request.trials or sizes[least]


def _with(choice: Choice, given: Mapping[str, str]) -> Choice:
    return Choice(name=choice.name, options={**choice.options, **given})
