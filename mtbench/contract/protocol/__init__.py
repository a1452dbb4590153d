"""The training protocol, with its optimizers, schedules and clipping."""

from mtbench.contract.protocol.training import TrainingProtocol

__all__ = ["TrainingProtocol"]
