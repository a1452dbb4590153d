"""The layer that the network adds."""

from torch import Tensor, nn


class Adapter(nn.Module):
    """z + up(relu(down(z))), both linear: (B, features) to (B, features)."""

    def __init__(self, features: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(features, rank)
        self.up = nn.Linear(rank, features)
        nn.init.zeros_(self.up.weight)

    def forward(self, z: Tensor) -> Tensor:
        added: Tensor = self.up(self.down(z).relu())
        return z + added
