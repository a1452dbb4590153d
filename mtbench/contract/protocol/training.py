"""Training protocols: the settings that every method shares, so that methods can be compared."""

import dataclasses
from dataclasses import dataclass
from typing import Any, get_type_hints

from mtbench.contract.options import current_names, option, parse_value, render_value
from mtbench.contract.options.limits import LIMITS
from mtbench.contract.protocol.clip import Clip, parse_clip
from mtbench.contract.protocol.optimizers import OPTIMIZERS, SETTINGS
from mtbench.contract.protocol.schedule import parse_schedule
from mtbench.errors import UsageError, did_you_mean

__all__ = ["TrainingProtocol"]


@dataclass(frozen=True, kw_only=True)
class TrainingProtocol:
    """One way of training and measuring. It belongs to its dataset, which may offer several by name.

    All fields except `seeds` are part of the identity of a run. A default of one optimizer alone, such as muon's
    momentum of .95, is set by `changed(optimizer="muon")`; a dataset that declares a protocol with that optimizer
    states it.
    """

    name: str = option("paper", "name: one of the dataset's protocols")
    epochs: int = option(100, "passes over the training examples", low=1, high=LIMITS["epochs"])
    batch: int = option(512, "examples per step", low=1, high=LIMITS["batch"])
    lr: float = option(1e-3, "learning rate at the start", low=1e-12)
    optimizer: str = option(
        "adam",
        "optimizer: adam, adamw, sgd, adagrad or muon; formulas in mtbench.contract.protocol.optimizers",
        choices=tuple(OPTIMIZERS),
    )
    weight_decay: float = option(
        0.0, "weight decay of the network: of adamw and muon decoupled, of the others added to the gradient", low=0
    )
    beta1: float = option(
        0.9, "decay of the mean gradient: of adam, adamw, and muon where it is adamw", low=0, high=0.9999
    )
    momentum: float = option(0.9, "momentum: of sgd, and of muon, where it is .95 unless given", low=0, high=0.9999)
    initial_accumulator: float = option(0.0, "sum of squared gradients at the start: of adagrad", low=0)
    flatten_kernels: bool = option(False, "kernels as matrices: muon treats those of convolutions as (out, in k k)")
    schedule: str = option(
        "halving",
        "schedule of the learning rate by epochs: constant; halving after 30, 60 and 90 %; exponential:factor=.95; "
        "step:every=40:factor=.1; cosine",
    )
    warmup: float = option(0.0, "warm-up: epochs in which the learning rate grows linearly, step by step", low=0)
    images: int = option(
        0, "number of training examples used, from the first on; 0 is all", low=0, high=LIMITS["images"]
    )
    fraction: float = option(
        1.0,
        "fraction of these examples that is used; each is repeated 1 / fraction times per epoch",
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
    select: str = option(
        "last",
        "weights that are reported: of the last epoch, or of the epoch of the curve that is best on the validation "
        "split, by the mean over tasks of the relative gain over the first validation",
        choices=("last", "best-val"),
    )
    curve: str = option(
        "20",
        "points of the curve: 5 or 20 evenly spaced epochs, 20 and each of the last 10 (last10), or all epochs",
        choices=("5", "20", "last10", "all"),
    )
    clip: float | str = option(
        0.0,
        "the norm that the gradient of a step is clipped to, in each network of tasks that share nothing by itself; 0 "
        "is none, shared:x clips only parameters that tasks share",
    )
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
        "features for one task say of the others, after training), test-curve (the test split at the points of the "
        "curve, although a validation split is held out; nothing is chosen by it)",
        choices=("conflict", "selectivity", "test-curve"),
    )
    norm_eval: str = option(
        "running",
        "statistics of batch normalization in evaluation: running, or batch (those of each batch, of the training's "
        "size, as in released scripts that never leave the training mode)",
        choices=("running", "batch"),
    )
    precision: str = option(
        "float32",
        "float32; tf32 on a GPU that has it; or bf16: the network under autocast in bfloat16, weights, losses and "
        "balancers in float32",
        choices=("float32", "tf32", "bf16"),
    )
    seeds: int = option(5, "repeats when none are asked for", low=1, high=LIMITS["seeds"])

    def learning_rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch of a phase with `epochs` epochs, both counted from 0, without warm-up.

        The formulas are in `mtbench.contract.protocol.schedule`.
        """
        return self.lr * parse_schedule(self.schedule).at(epoch, self.epochs)

    def warm_up(self, progress: float) -> float:
        """Return the factor of the learning rate of one step: min(1, progress / warmup), and 1 without a warm-up.

        Args:
            progress: number of epochs of the phase that are complete after the step: e + (s + 1) / S for step s = 0 ...
                S-1 of epoch e.
        """
        return min(1.0, progress / self.warmup) if self.warmup else 1.0

    @property
    def clipping(self) -> Clip:
        """The setting `clip` as an object."""
        return parse_clip(self.clip)

    def draws_one_task(self, *, native: bool) -> bool:
        """Return True if one task is drawn per image; `native` is True if that is the network's own way."""
        return {"native": native, "one": True, "all": False}[self.tasks_per_image]

    def changed(self, **given: str | int | float | bool) -> "TrainingProtocol":
        """Return this protocol with some fields replaced, from texts or values; '-' and '_' in names are equal.

        Another optimizer replaces the settings of the one before it by its own defaults, unless they are given.

        Raises:
            UsageError: there is no such field, or a value does not fit.
        """
        hints: dict[str, Any] = get_type_hints(TrainingProtocol)
        fields = {field.name: field for field in dataclasses.fields(self) if field.name != "name"}
        values: dict[str, Any] = {}
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
            if name == "clip":  # a number or a text
                values[name] = parse_clip(value).value
                continue
            bounds = {key: fields[name].metadata[key] for key in ("choices", "low", "high")}
            values[name] = parse_value(value, hints[name], subject=f"protocol setting '{name}'", **bounds)
        if "diagnostics" in values:  # one order, so that one experiment has one identity
            asked = set(values["diagnostics"])
            values["diagnostics"] = tuple(name for name in fields["diagnostics"].metadata["choices"] if name in asked)
        values["schedule"] = parse_schedule(values.get("schedule", self.schedule)).text
        optimizer = values.get("optimizer", self.optimizer)
        if optimizer != self.optimizer:
            values = {**_defaults(optimizer), **values}
        return dataclasses.replace(self, **values)

    def check(self) -> None:
        """Refuse settings that contradict each other or have no effect.

        Raises:
            UsageError: there is such a setting.
        """
        uses, defaults = OPTIMIZERS[self.optimizer].uses, _defaults()
        for name in SETTINGS:
            if name not in uses and getattr(self, name) != defaults[name]:
                users = [optimizer for optimizer, facts in OPTIMIZERS.items() if name in facts.uses]
                raise UsageError(
                    f"protocol setting '{name}' is {render_value(getattr(self, name))}, and optimizer "
                    f"'{self.optimizer}' does not use it.",
                    mend=f"Leave it out, or choose an optimizer that does: {', '.join(users)}.",
                    allowed=f"Settings of {self.optimizer}: {', '.join(uses)}.",
                )
        if self.optimizer == "adamw" and not self.weight_decay:
            raise UsageError(
                "protocol setting 'optimizer' is 'adamw', which without weight decay is adam.",
                mend="Give it, as in --set weight-decay=.01, or use --set optimizer=adam.",
            )
        if self.select == "best-val" and not self.validation:
            raise UsageError(
                "protocol setting 'select' is 'best-val', and no validation split is held out to choose an epoch on.",
                mend="Add --set validation=true.",
            )
        if "test-curve" in self.diagnostics and not self.validation:
            raise UsageError(
                "protocol setting 'diagnostics' has test-curve, and without a validation split the curve is of the "
                "test split already.",
                mend="Leave it out, or add --set validation=true.",
            )
        if self.select == "best-val" and self.adds != "none":
            raise UsageError(
                f"protocol setting 'select' is 'best-val', and 'adds' is '{self.adds}': epochs before and after a task "
                "is added are not alike, so that none of them all can be chosen as the best.",
                mend="Use --set select=last.",
            )

    def label(self, named: "TrainingProtocol") -> str:
        """Return its name for people: that of `named`, which it was made from, and each setting that differs.

        Settings of the optimizer are named if they differ from the optimizer's defaults.
        """
        expected = dataclasses.asdict(named)
        if self.optimizer != named.optimizer:
            expected |= _defaults(self.optimizer)
        changes = [
            f"{field.name}={render_value(getattr(self, field.name))}"
            for field in dataclasses.fields(self)
            if field.name not in ("name", "seeds") and getattr(self, field.name) != expected[field.name]
        ]
        return ", ".join([self.name, *changes])


def _defaults(optimizer: str = "") -> dict[str, Any]:
    """Return the default values of an optimizer's settings; those of the class where the optimizer has none."""
    own = OPTIMIZERS[optimizer].defaults if optimizer else {}
    return {
        field.name: own.get(field.name, field.default)
        for field in dataclasses.fields(TrainingProtocol)
        if field.name in SETTINGS
    }
