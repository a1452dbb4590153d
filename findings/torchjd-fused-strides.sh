#!/usr/bin/env bash
# torchjd 0.18.0 with torch 2.14.1 on a CPU: on a network in channels-last format, a fused optimizer applies the gradients
# that `jac_to_grad` sets to the wrong weights, and no error tells.
#
# Guess: strides do not matter to an optimizer's result; where a fused form needs equal strides it refuses others, as
# that of CUDA does ("params, grads, exp_avgs, and exp_avg_sqs must have same dtype, device, and layout").
# Behaviour: autograd lays a gradient out as its parameter. torchjd cuts it from a vector, so that it is contiguous. The
# fused forms of SGD and Adam on a CPU read parameter and gradient as they lie in memory. Of one step of the mean of two
# losses at a rate of 0.1, the greatest distance from autograd's plain step, of a weight of a 3 x 3 convolution:
#                    SGD       Adam
#   plain, torchjd   7.5e-09   3.0e-08
#   fused, autograd  0.0e+00   3.0e-08
#   fused, torchjd   7.9e-03   2.0e-01   (2.0e-01: the weight moves the wrong way)
#
# Fails if the fused forms give the plain step, or refuse such gradients.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.14.1 torchjd==0.18.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import copy

import torch
from torch import nn
from torchjd.aggregation import Mean
from torchjd.autojac import backward, jac_to_grad

torch.manual_seed(0)
layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)
network = nn.Sequential(*layers).to(memory_format=torch.channels_last)
images = torch.randn(8, 3, 8, 8).to(memory_format=torch.channels_last)


def weight_after_a_step(optimizer_class, fused, with_torchjd):
    trained = copy.deepcopy(network)
    optimizer = optimizer_class(trained.parameters(), lr=0.1, fused=fused)
    losses = trained(images).square().mean(0)  # one for each of two outputs
    if with_torchjd:
        backward(losses)
        jac_to_grad(trained.parameters(), Mean())
    else:
        losses.mean().backward()
    optimizer.step()
    return trained[0].weight.detach()


found = {}
for optimizer_class in (torch.optim.SGD, torch.optim.Adam):
    plain = weight_after_a_step(optimizer_class, False, False)
    for fused, with_torchjd in ((False, True), (True, False), (True, True)):
        distance = (weight_after_a_step(optimizer_class, fused, with_torchjd) - plain).abs().max().item()
        how = f"{'fused' if fused else 'plain'}, {'torchjd' if with_torchjd else 'autograd'}"
        found[optimizer_class.__name__, how] = distance
        print(f"{optimizer_class.__name__:5} {how:16} {distance:.1e}")
for name in ("SGD", "Adam"):
    assert found[name, "plain, torchjd"] < 1e-6
    assert found[name, "fused, autograd"] < 1e-6
    assert found[name, "fused, torchjd"] > 1e-3, f"fused {name} gives the plain step now"
PYTHON
