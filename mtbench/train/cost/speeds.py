"""The speed of a kind of run on one core or GPU, and the time that a run of this kind takes."""

import dataclasses
import math
from dataclasses import asdict, dataclass

import torch
from pydantic import TypeAdapter, ValidationError

from mtbench.contract import TrainingProtocol
from mtbench.plan.spec import RunSpec
from mtbench.store.memory import Memory
from mtbench.store.record import Record
from mtbench.train.loop import TRAIN_EXAMPLES, curve_epochs
from mtbench.train.machine.numerics import processor

__all__ = ["Speed", "Speeds", "evaluated", "seconds_at", "speed_of"]

_SETTINGS = (
    *("batch", "optimizer", "flatten_kernels", "tasks_per_image", "validation", "gradient_scale", "adds"),
    *("diagnostics", "norm_eval", "precision"),
)
"""The settings of the training protocol that affect the time of a step, or the numbers of examples."""
_LEAST = 1.0
"""Seconds of training below which the time of a finished run depends more on its start than on its speed."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """The speed of a kind of run.

    Attributes:
        training: seconds of training per example and epoch, summed over the phases.
        evaluation: seconds per example that is evaluated.
        phases: the number of epochs of all phases together, as a multiple of the training protocol's.
        train: number of training examples; unless `whole`, of the run that the speed comes from.
        test: number of test examples in one evaluation.
        whole: True if `train` is the number of all training examples.
    """

    training: float
    evaluation: float
    phases: float
    train: int
    test: int
    whole: bool

    def fits(self, spec: RunSpec) -> bool:
        """Return True if the number of training examples of a run of this kind is known."""
        return self.whole or 0 < spec.protocol.images <= self.train


def seconds_at(speed: Speed, spec: RunSpec) -> float:
    """Return the seconds of a run at a speed of its kind."""
    protocol = spec.protocol
    train = min(protocol.images or speed.train, speed.train)
    training = speed.training * protocol.epochs * train
    return training + speed.evaluation * evaluated(protocol, speed.phases, train, speed.test)


def speed_of(record: Record) -> Speed | None:
    """Return the speed of a finished run; None if it was too short, or was made before this time was measured."""
    protocol, cost = record.spec.protocol, record.cost
    if not cost.training_wall_seconds >= _LEAST:
        return None
    train = round(record.training_examples / protocol.fraction)
    held_out = record.results.get("test") or record.results.get("val") or {}
    test = max((result.count for result in held_out.values()), default=0)
    phases = record.epochs / protocol.epochs
    return Speed(
        training=cost.training_wall_seconds / protocol.epochs / train,
        evaluation=(cost.wall_seconds - cost.training_wall_seconds) / evaluated(protocol, phases, train, test),
        phases=phases,
        train=train,
        test=test,
        whole=not protocol.images or train < protocol.images,
    )


def evaluated(protocol: TrainingProtocol, phases: float, train: int, test: int) -> int:
    """Return the number of examples that a run evaluates: the test split per point, and some of training at the end."""
    points = len(curve_epochs(round(phases * protocol.epochs), protocol.curve))
    return points * test + min(TRAIN_EXAMPLES, max(1, round(protocol.fraction * train)))


class Speeds:
    """The stored speeds of this machine, for one device and this torch.

    They remain valid after changes of the code: a changed speed of a method is stored when its next run has finished.
    """

    def __init__(self, device: torch.device) -> None:
        self._memory = Memory("speeds.json")
        unit = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
        self._place = f"{unit}, torch {torch.__version__}"

    def key(self, spec: RunSpec) -> str:
        """Return the key of the kind of a run: equal for runs that differ only in seed, size and rates."""
        return self.kind(spec) + self._place

    def kind(self, spec: RunSpec) -> str:
        """Return the beginning of the keys of the kind of a run, of any core or GPU."""
        settings = {name: getattr(spec.protocol, name) for name in _SETTINGS}
        kind = dataclasses.replace(spec, seed=0, protocol=TrainingProtocol(name="", **settings))
        parts = f"{spec.dataset} {spec.network}+{spec.balancer}@{spec.backbone}"
        return f"{parts} {kind.id} on "

    def known(self) -> dict[str, Speed]:
        """Return the stored speeds, by key; entries that are no speeds are left out."""
        found = {}
        for key, entry in self._memory.read().items():
            try:
                speed = _READER.validate_python(entry)
            except ValidationError:
                continue
            if all(map(math.isfinite, (speed.training, speed.evaluation, speed.phases))):
                found[key] = speed
        return found

    def learn(self, record: Record) -> None:
        """Store the speed of a run that has finished here, if it has one."""
        if speed := speed_of(record):
            self.remember({self.key(record.spec): speed})

    def remember(self, speeds: dict[str, Speed]) -> None:
        """Store speeds by key; a known number of all training examples is kept after runs on a part of them."""
        before = self.known()
        for key, speed in speeds.items():
            if key in before and before[key].whole and not speed.whole:
                speeds = {**speeds, key: dataclasses.replace(speed, train=before[key].train, whole=True)}
        self._memory.add({key: asdict(speed) for key, speed in speeds.items()})


_READER = TypeAdapter(Speed)
