"""An adapter for each task between a shared backbone and its head."""

from dataclasses import dataclass

from torch import Tensor, nn

from mtbench.contract import Inputs, Setup, SharedRepresentation, option

from .layers import Adapter


@dataclass(frozen=True, kw_only=True)
class StrangerOptions:
    rank: int = option(4, "hidden units of each adapter", low=1)


class Stranger(SharedRepresentation):
    """Residual adapters on the representation, by a stranger.

    y_t = head_t(adapter_t(z)), with z = backbone(x).
    """

    Options = StrangerOptions
    per_task = frozenset({"adapters", "heads"})
    default_balancer = "stranger-balance"

    def __init__(self, options: StrangerOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        with setup.initialized("adapters"):
            self.adapters = nn.ModuleList(Adapter(self.backbone.features, options.rank) for _ in setup.tasks)
        self.heads = nn.ModuleList(
            setup.head(self.backbone, task.kind.output_size, f"head/{task.name}") for task in setup.tasks
        )

    def encode(self, inputs: Inputs) -> Tensor:
        z: Tensor = self.backbone(inputs)
        return z

    def decode(self, z: Tensor) -> list[Tensor]:
        return [head(adapter(z)) for head, adapter in zip(self.heads, self.adapters, strict=True)]
