"""The request for one run, and its identity."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter

from mtbench.contract import TrainingProtocol
from mtbench.contract.options import current_names, identity_name

if TYPE_CHECKING:
    from mtbench.plan.chosen import Resolved

__all__ = ["LATER", "Choice", "RunSpec", "Titles", "composition", "folder_name", "with_present_names"]

LATER = {
    "adds": "none",
    "beta1": 0.9,
    "clip": 0.0,
    "curve": "20",
    "diagnostics": (),
    "flatten_kernels": False,
    "fraction": 1.0,
    "gradient_scale": "native",
    "initial_accumulator": 0.0,
    "momentum": 0.9,
    "norm_eval": "running",
    "select": "last",
    "warmup": 0.0,
    "weight_decay": 0.0,
}
"""Settings that were added after the first runs, with the values that apply to earlier runs."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A plug-in by name, and the options that differ from its defaults.

    Attributes:
        name: the registered name.
        options: their values as texts, by the first name that each option had.
    """

    name: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        """Return the text as written on the command line: ``td:channels=6:gate=tanh``."""
        return ":".join([self.name, *(f"{name}={value}" for name, value in sorted(self.options.items()))])


@dataclass(frozen=True, kw_only=True)
class Titles:
    """Names of the parts of a spec for people; not part of its identity.

    Attributes:
        dataset: e.g. ``mmnist4:offset=8``.
        method: the shortest text for it, e.g. ``moo`` for ``branches+mgda-ub``.
        protocol: e.g. ``quick`` or ``paper, lr=0.0005``.
        apart: for each setting of the training protocol that a preset of the method changes, its value for all other
            methods, as text.
    """

    dataset: str
    method: str
    protocol: str
    apart: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """The complete request for one run.

    Its identity is a hash in which the settings of the training protocol are explicit, and an option appears only if it
    differs from its default, so that an option added later leaves the identity of old runs unchanged. The same holds
    for settings of the training protocol that were added after the first runs (`LATER`). An option that is a file
    appears by the hash of its content.

    Attributes:
        dataset: the dataset with its options.
        network: the network with its options.
        balancer: the balancer with its options.
        backbone: the backbone with its options.
        protocol: every setting of the training protocol.
        seed: fixes the initial weights and the order of the data.
        titles: the names of the parts for people.
        files: paths of the files among the options, by hash. Configuration, and not part of the identity.
        trial: True for a trial of a search, which is never evaluated on the test split. Not part of the identity: the
            weights are those of the same run without it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: Choice
    network: Choice
    balancer: Choice
    backbone: Choice
    protocol: TrainingProtocol
    seed: int
    titles: Titles
    files: Mapping[str, str] = field(default_factory=dict)
    trial: bool = False

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits that identify the request."""
        parts = {"dataset": self.dataset, "network": self.network, "balancer": self.balancer, "backbone": self.backbone}
        settings = {name: (key, getattr(self.protocol, name)) for name, key in _IDENTITY_NAMES.items()}
        asked = {
            **{part: {"name": choice.name, "options": dict(choice.options)} for part, choice in parts.items()},
            "protocol": {key: value for name, (key, value) in settings.items() if value != LATER.get(name, ...)},
            "seed": self.seed,
        }
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def resolve(self) -> "Resolved":
        """Return the plug-ins of the run with their options, which are loaded once per spec.

        Raises:
            UsageError, PluginError: see `mtbench.plan.chosen.resolve`.
        """
        return self._resolved

    @cached_property
    def _resolved(self) -> "Resolved":
        from mtbench.plan.chosen import resolve  # which imports plug-ins, and torch with them

        return resolve(self)

    @property
    def common_protocol(self) -> TrainingProtocol:
        """The training protocol of all methods of the request, without the changes by this method's preset."""
        return self.protocol.changed(**self.titles.apart) if self.titles.apart else self.protocol

    @property
    def folder(self) -> str:
        """The place of the run below the results folder: ``<dataset>/<method>/seed-<s>-<id>``."""
        names = map(folder_name, (self.titles.dataset, self.titles.method))
        return "/".join([*names, f"seed-{self.seed}-{self.id}"])

    def to_json(self) -> str:
        """Return the text that `from_json` reads; ``spec.json`` is that of a spec without `files`."""
        asked = dataclasses.asdict(self)
        if not self.files:
            del asked["files"]
        if not self.trial:
            del asked["trial"]
        if not self.titles.apart:
            del asked["titles"]["apart"]
        return json.dumps(asked, indent=1, sort_keys=True) + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> "RunSpec":
        """Parse ``spec.json``, of this or an earlier version.

        Raises:
            pydantic.ValidationError: the text is not a spec.
        """
        try:
            body = json.loads(text)
        except ValueError:
            return _READER.validate_json(text)  # raises, and shows the place where the text is no JSON
        return _READER.validate_python(with_present_names(body))


def with_present_names(body: Any) -> Any:
    """Return plain values that contain a training protocol and titles with the current names of all settings.

    Anything else is returned unchanged.
    """
    match body:
        case {"protocol": dict() as protocol, "titles": {"protocol": str() as title, **others}}:
            renamed = current_names(TrainingProtocol)
            for former, present in renamed.items():
                title = title.replace(f", {former}=", f", {present}=")
            settings = {renamed.get(name, name): value for name, value in protocol.items()}
            return {**body, "protocol": settings, "titles": {**others, "protocol": title}}
    return body


def composition(text: str) -> list[str]:
    """Return the network or alias of a method, and the balancer if one is named, each with its options."""
    # A '+' that ends a value, as in normalize=loss+, is no separator: a balancer's name begins with a letter.
    return re.split(r"\+(?=[A-Za-z])", text.partition("@")[0])


def folder_name(title: str) -> str:
    """Return the folder name of a dataset or a method with this title: one name, whatever the title."""
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "_", title).replace(":", ",")[:100]
    return name if name.strip(".") else name.replace(".", "_") or "_"


_IDENTITY_NAMES = {
    field.name: identity_name(field) for field in dataclasses.fields(TrainingProtocol) if field.name != "seeds"
}
"""Names in identities of the settings that are part of an identity, by the name of the setting."""
_READER = TypeAdapter(RunSpec)
