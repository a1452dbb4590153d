"""The multiply-accumulates of the forward passes of a training."""

from mtbench.contract import Batch, Network, TrainingProtocol
from mtbench.plan.counting import Macs

__all__ = ["count_training_macs"]


def count_training_macs(network: Network, protocol: TrainingProtocol, *, macs: Macs, one: Batch, passes: int) -> float:
    """Count the multiply-accumulates of all forward passes of a training.

    A pass answers one task where a task is drawn for each image, or where the tasks share no parameter; else all.

    Args:
        network: the trained network.
        protocol: its training protocol.
        macs: the multiply-accumulates for one example.
        one: a batch of one example.
        passes: the number of inputs that were passed through the network.
    """
    if network.one_task and protocol.draws_one_task(native=True):
        example: float = macs.per_task
    elif network.one_task or not network.shares_parameters:
        example = macs.per_input / len(network.tasks)
    else:
        example = macs.per_input / network.passes(one)
    return passes * example / one.inputs_per_example
