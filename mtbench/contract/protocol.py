"""How a dataset is trained on: the numbers that every method shares, so that methods can be compared."""

import dataclasses
from dataclasses import dataclass
from typing import Any, get_type_hints

from mtbench.contract.options import current_names, option, parse_value, render_value
from mtbench.errors import UsageError, did_you_mean

__all__ = ["TrainingProtocol"]


@dataclass(frozen=True, kw_only=True)
class TrainingProtocol:
    """One way of training and measuring. It belongs to its dataset, which may offer several by name.

    All fields but `seeds` are part of the identity of a run.
    """

    name: str = "paper"
    epochs: int = option(100, "passes over the training examples", low=1)
    batch: int = option(512, "examples per step", low=1)
    lr: float = option(1e-3, "learning rate at the start", low=1e-12, search=(1e-4, 1e-2, "log"))
    optimizer: str = option("adam", "adam (betas .9, .999), or sgd with momentum .9", choices=("adam", "sgd"))
    schedule: str = option(
        "halving",
        "halving: the learning rate halves after 30, 60 and 90 % of the epochs; exponential: it is multiplied by .95 "
        "after each",
        choices=("halving", "constant", "exponential"),
    )
    images: int = option(0, "training examples used, the first so many; 0 is all", low=0)
    fraction: float = option(
        1.0,
        "fraction of those examples that is used, each so many times more often per epoch",
        low=1e-4,
        high=1,
        formerly="share",
    )
    tasks_per_image: str = option(
        "native",
        "labels used per image and step: native (what the network is made for), one, or all",
        choices=("native", "one", "all"),
    )
    validation: bool = option(False, "hold out a validation split and train on the rest; else nothing is chosen")
    clip: float = option(0.0, "the norm that the gradient of a step is clipped to; 0 is none", low=0)
    gradient_scale: str = option(
        "native",
        "length of the gradient that a balancer combines: native (as it gives it), sum (times a constant, so that "
        "equal gradients give what uniform gives), or matched (that of uniform at each step)",
        choices=("native", "sum", "matched"),
    )
    adds: str = option(
        "none",
        "own or all: the last task is held back until the epochs are over, and then added in as many epochs more, in "
        "which only its own parameters are trained (own), or all, with every task (all)",
        choices=("none", "own", "all"),
    )
    diagnostics: tuple[str, ...] = option(
        (),
        "measured besides: conflict (of the tasks' gradients, at the points of the curve), selectivity (what the "
        "features for one task say of the others, after training)",
        choices=("conflict", "selectivity"),
    )
    precision: str = option("float32", "float32, or tf32 on a GPU that has it", choices=("float32", "tf32"))
    seeds: int = option(5, "repeats when none are asked for", low=1)

    def learning_rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0.

        The halving schedule halves it after round(0.3 E), round(0.6 E) and round(0.9 E) epochs, never before the first;
        the exponential one multiplies it by 0.95 after each epoch (Kurin et al., 2022).
        """
        if self.schedule == "constant":
            return self.lr
        if self.schedule == "exponential":
            return float(self.lr * 0.95**epoch)
        halvings = sum(epoch >= max(1, round(part * self.epochs)) for part in (0.3, 0.6, 0.9))
        return self.lr * 0.5**halvings

    def draws_one_task(self, *, native: bool) -> bool:
        """Whether one task is drawn per image, given whether that is the network's own way."""
        return {"native": native, "one": True, "all": False}[self.tasks_per_image]

    def changed(self, **given: str | int | float | bool) -> "TrainingProtocol":
        """This protocol with some fields replaced, from texts or values; '-' and '_' in names are one.

        Raises:
            UsageError: there is no such field, or a value does not fit.
        """
        hints: dict[str, Any] = get_type_hints(TrainingProtocol)
        fields = {field.name: field for field in dataclasses.fields(self) if field.name != "name"}
        values = {}
        for key, value in given.items():
            name = key.replace("-", "_")
            name = current_names(TrainingProtocol).get(name, name)
            if name not in fields:
                raise UsageError(
                    f"a protocol has no setting '{key}'.",
                    mend=did_you_mean(name, fields),
                    allowed=f"Its settings: {', '.join(fields)}.",
                    where="Given by --set.",
                )
            bounds = {key: fields[name].metadata[key] for key in ("choices", "low", "high")}
            values[name] = parse_value(value, hints[name], subject=f"protocol setting '{name}'", **bounds)
        return dataclasses.replace(self, **values)

    def label(self, named: "TrainingProtocol") -> str:
        """Its name for people: that of `named`, the protocol it was made from, and every number that differs."""
        changes = [
            f"{field.name}={render_value(getattr(self, field.name))}"
            for field in dataclasses.fields(self)
            if field.name not in ("name", "seeds") and getattr(self, field.name) != getattr(named, field.name)
        ]
        return ", ".join([self.name, *changes])
