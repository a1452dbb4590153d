"""What a check raises."""

__all__ = ["Fault"]


class Fault(Exception):
    """What a plug-in does not keep, in a sentence."""
