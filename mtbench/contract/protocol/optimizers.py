"""Optimizers: their formulas, the settings that each of them uses, and the ranges that a search tries for each.

g is the gradient of a parameter theta after the balancer and clipping, lr the learning rate of the step, lambda the
`weight-decay`, t = 1, 2, ... the step. Everything is elementwise but for muon. All but muon are torch's own classes.

adam (Kingma and Ba, 2015, algorithm 1), b1 = `beta1`, b2 = .999, eps = 1e-8:
    g <- g + lambda theta
    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
    theta <- theta - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
adamw (Loshchilov and Hutter, 2019, algorithm 2): the same, but lambda theta is not added to g; instead, first,
    theta <- theta - lr lambda theta
    Without weight decay it is adam, so it is refused without one. torch's own default is .01.
sgd (with heavy-ball momentum in torch's form), mu = `momentum`:
    g <- g + lambda theta;  u <- mu u + g, with u = 0 at the start;  theta <- theta - lr u
adagrad (Duchi et al., 2011), a = `initial-accumulator`, eps = 1e-10:
    g <- g + lambda theta;  s <- s + g^2, with s = a at the start;  theta <- theta - lr g / (sqrt(s) + eps)
muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon), mu = `momentum`, for matrices:
    u <- mu u + (1 - mu) g;  G = (1 - mu) g + mu u  (Nesterov)
    theta <- theta - lr lambda theta;  theta <- theta - lr sqrt(max(1, rows / columns)) NS(G)
    NS makes all singular values of G about 1: `mtbench.train.optimizer.muon`. The factor of the learning rate is
    torch's default ("original"). A matrix is the weight of a linear layer, including output layers, and with
    `flatten-kernels` also the kernel of a convolution as (out, in k k). Everything else (biases, normalization layers,
    embeddings, other parameters, those of the balancer) follows adamw with the same lr, `beta1` and lambda. Jordan et
    al. train the output layers with adamw too; no network here declares its output layers.

Weight decay applies to all the network's parameters, including biases and normalization layers, as in torch; a
balancer's own parameters never decay.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["OPTIMIZERS", "SETTINGS", "OptimizerFacts"]

SETTINGS = ("weight_decay", "beta1", "momentum", "initial_accumulator", "flatten_kernels")
"""The settings of a training protocol that belong to its optimizer; choosing another optimizer resets them."""

_LOG = "log"


@dataclass(frozen=True, kw_only=True)
class OptimizerFacts:
    """Facts about one optimizer.

    Attributes:
        uses: the settings of `SETTINGS` that change its behavior.
        defaults: default values that differ from those of the training protocol.
        search: for each setting the space that ``mtbench search`` tries by default, as
            `mtbench.contract.options.space` reads it.
    """

    uses: tuple[str, ...]
    defaults: Mapping[str, float] = field(default_factory=dict)
    search: Mapping[str, Any]


OPTIMIZERS = {
    # The first steps of adam move every parameter by lr, for any gradient: a decade around its default 1e-3.
    "adam": OptimizerFacts(uses=("weight_decay", "beta1"), search={"lr": (1e-4, 1e-2, _LOG)}),
    "adamw": OptimizerFacts(
        uses=("weight_decay", "beta1"), search={"lr": (1e-4, 1e-2, _LOG), "weight_decay": (1e-4, 1e-1, _LOG)}
    ),
    # A step moves by lr / (1 - momentum) times the gradient, whose length is below 1 here: learning rates are larger.
    "sgd": OptimizerFacts(uses=("weight_decay", "momentum"), search={"lr": (1e-3, 1.0, _LOG)}),
    # Its first step is adam's, and after t steps its learning rate has fallen by about sqrt(t): a decade above adam's.
    "adagrad": OptimizerFacts(uses=("weight_decay", "initial_accumulator"), search={"lr": (1e-3, 1e-1, _LOG)}),
    # A step changes a matrix by lr in each singular direction; .02 is the default of Jordan et al.
    "muon": OptimizerFacts(
        uses=("weight_decay", "beta1", "momentum", "flatten_kernels"),
        defaults={"momentum": 0.95},
        search={"lr": (1e-3, 1e-1, _LOG)},
    ),
}
"""The optimizers by name."""
