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
"""The settings of the training protocol that the time of a step depends on, or the numbers of examples."""
_LEAST = 1.0
"""Seconds of training below which those of a finished run say more of its start than of its speed."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """The speed of a kind of run.

    Attributes:
        training: seconds of training per example and epoch, summed over the phases.
        evaluation: seconds per example that is evaluated.
        phases: how many times the protocol's epochs all phases have together.
        train: training examples; where not `whole`, of the run that this is known from.
        test: test examples, as many as one evaluation sees.
        whole: whether `train` is all that there are.
    """

    training: float
    evaluation: float
    phases: float
    train: int
    test: int
    whole: bool

    def fits(self, spec: RunSpec) -> bool:
        """Return whether it is known how many examples a run of this kind is trained on."""
        return self.whole or 0 < spec.protocol.images <= self.train


def seconds_at(speed: Speed, spec: RunSpec) -> float:
    """Return the seconds that a run takes at a speed of its kind."""
    protocol = spec.protocol
    train = min(protocol.images or speed.train, speed.train)
    training = speed.training * protocol.epochs * train
    return training + speed.evaluation * evaluated(protocol, speed.phases, train, speed.test)


def speed_of(record: Record) -> Speed | None:
    """Return the speed of a finished run; None if it was too short to tell, or was made before time was measured so."""
    protocol, cost = record.spec.protocol, record.cost
    if not cost.training_wall_seconds >= _LEAST:
        return None
    train = round(record.training_examples / protocol.fraction)
    test = max((result.count for result in record.results["test"].values()), default=0)
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
    """Return how many examples a run evaluates: the test split at each point of the curve, and some of training at
    last."""
    points = len(curve_epochs(round(phases * protocol.epochs), protocol.curve))
    return points * test + min(TRAIN_EXAMPLES, max(1, round(protocol.fraction * train)))


class Speeds:
    """The speeds that are remembered on this machine, for one device and this torch.

    They outlive changes of the code: what is new of a method's speed is remembered when its next run has finished.
    """

    def __init__(self, device: torch.device) -> None:
        self._memory = Memory("speeds.json")
        unit = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
        self._place = f"{unit}, torch {torch.__version__}"

    def key(self, spec: RunSpec) -> str:
        """Return the key of the kind of a run: equal for runs that differ in seed, size and rates alone."""
        settings = {name: getattr(spec.protocol, name) for name in _SETTINGS}
        kind = dataclasses.replace(spec, seed=0, protocol=TrainingProtocol(name="", **settings))
        parts = f"{spec.dataset} {spec.network}+{spec.balancer}@{spec.backbone}"
        return f"{parts} {kind.id} on {self._place}"

    def known(self) -> dict[str, Speed]:
        """Return what is remembered, by key; entries that are no speeds are left out."""
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
        """Remember the speed of a run that has finished here, if it tells one."""
        if speed := speed_of(record):
            self.remember({self.key(record.spec): speed})

    def remember(self, speeds: dict[str, Speed]) -> None:
        """Remember speeds by key; of a run on a part of the examples it stays known how many there are."""
        before = self.known()
        for key, speed in speeds.items():
            if key in before and before[key].whole and not speed.whole:
                speeds = {**speeds, key: dataclasses.replace(speed, train=before[key].train, whole=True)}
        self._memory.add({key: asdict(speed) for key, speed in speeds.items()})


_READER = TypeAdapter(Speed)
