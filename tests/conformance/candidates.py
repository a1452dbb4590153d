"""Methods of classes that are not installed, as the checks take them."""

from mtbench.conformance.candidate import Candidate
from mtbench.contract import Balancer, Network, NoOptions
from mtbench.plan.chosen import MethodChoice
from mtbench.plan.parse import parse_backbone
from mtbench.plan.spec import Choice
from mtbench_methods.balancers.loss_weights.uniform import Uniform

__all__ = ["candidate"]


def candidate(network: type[Network], balancer: type[Balancer] = Uniform, *, backbone: str = "lenet") -> Candidate:
    """Return a method without options, called 'bad'."""
    choice = Choice(name="bad")
    method = MethodChoice(
        network_choice=choice,
        network_class=network,
        network_options=NoOptions(),
        balancer_choice=choice,
        balancer_class=balancer,
        balancer_options=NoOptions(),
        backbone=None,
        title="bad",
    )
    return Candidate(method=method, backbone=parse_backbone(backbone))
