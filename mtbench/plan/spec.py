"""What was asked of one run, and its identity."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ConfigDict, TypeAdapter

from mtbench.contract import TrainingProtocol

__all__ = ["LATER", "Choice", "RunSpec", "Titles", "folder_name"]

LATER = {"adds": "none", "clip": 0.0, "diagnostics": (), "fraction": 1.0, "gradient_scale": "native"}
"""Numbers of a protocol that runs made before they were there are understood to have had."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A plug-in by name, and the options that differ from its defaults, as texts."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As written on the command line: ``td:channels=6:gate=tanh``."""
        return ":".join([self.name, *(f"{name}={value}" for name, value in sorted(self.options.items()))])


@dataclass(frozen=True, kw_only=True)
class Titles:
    """What people call the parts of a spec; not part of its identity.

    Attributes:
        dataset: e.g. ``mmnist4:offset=8``.
        method: the shortest text that asks for it, e.g. ``moo`` for ``branches+mgda-ub``.
        protocol: e.g. ``quick`` or ``paper, lr=0.0005``.
    """

    dataset: str
    method: str
    protocol: str


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Everything that was asked of one run, and nothing else.

    Its identity is a hash in which the protocol's numbers are explicit, and an option appears only where it differs
    from its default, so that an option added later leaves the identity of old runs as it was. So do the numbers of a
    protocol that came after the first runs (`LATER`). An option that is a file appears by the hash of its content.

    Attributes:
        files: where the files among the options lie: paths by hash. Configuration, and not part of the identity.
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

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that stand for what was asked."""
        asked = dataclasses.asdict(self)
        del asked["titles"], asked["files"], asked["protocol"]["seeds"]
        for name, default in LATER.items():
            if asked["protocol"][name] == default:
                del asked["protocol"][name]
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def folder(self) -> str:
        """Where the run is kept below the results folder: ``<dataset>/<method>/seed-<s>-<id>``."""
        names = map(folder_name, (self.titles.dataset, self.titles.method))
        return "/".join([*names, f"seed-{self.seed}-{self.id}"])

    def to_json(self) -> str:
        """The text that `from_json` reads back; ``spec.json`` is that of a spec without `files`."""
        asked = dataclasses.asdict(self)
        if not self.files:
            del asked["files"]
        return json.dumps(asked, indent=1, sort_keys=True) + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> "RunSpec":
        """Read ``spec.json``.

        Raises:
            pydantic.ValidationError: the text is not a spec.
        """
        return _READER.validate_json(text)


def folder_name(title: str) -> str:
    """What the folder of a dataset or a method is called that has this title."""
    return title.replace("/", "_").replace(":", ",")[:100]


_READER = TypeAdapter(RunSpec)
