#!/usr/bin/env bash
# captum 0.9.0: of a layer that is called twice in one forward pass, LayerGradientXActivation explains one call alone.
#
# Guess: the attributions of both calls are added up, or both are returned, or the second call is refused.
# Behaviour: the last call wins in silence. With f(x) = sum over i of (layer(x) + 10 layer(2 x))_i, layer the identity,
# the products of gradient and activation are x for the first call and 20 x for the second one; what is returned is
# 20 x. Networks that see an image twice through one backbone are explained by half.
#     first call   [1.0, 2.0, 3.0]
#     second call  [20.0, 40.0, 60.0]
#     captum       [20.0, 40.0, 60.0]
#
# Fails if both calls enter, or a warning is given.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet captum==0.9.0 torch==2.14.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import torch
from captum.attr import LayerGradientXActivation
from torch import nn


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.layer(x.clone()) + 10 * self.layer(2 * x)).sum(1)


x = torch.tensor([[1.0, 2.0, 3.0]])
net = Twice()
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    found = LayerGradientXActivation(net, net.layer).attribute(x)
first, second = x, 20 * x
print("first call  ", first[0].tolist())
print("second call ", second[0].tolist())
print("captum      ", found[0].tolist())
assert torch.equal(found, second), "another call, or both of them, are explained now"
assert not any("layer" in str(warning.message).lower() for warning in said), "a warning is given now"
PYTHON
