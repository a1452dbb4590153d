"""Conventions in words: sentences for a caption and its details, and a table of the rules beside the training."""

from mtbench.contract import PeerConvention
from mtbench.report.data.choices import AVERAGES
from mtbench.report.data.conventions.rules import EPOCHS

__all__ = ["facts", "opening"]


def facts(convention: PeerConvention) -> dict[str, str]:
    """Return what a convention says by the name of each rule."""
    pool = "all test examples together"
    if convention.batches:
        pool = f"means over {convention.batches.words}"
        pool += f"; {', '.join(convention.together)}: all together" if convention.together else ""
    better = {"gain": "higher is better", "drop": "lower is better"}[convention.sign]
    if convention.base == "own-start":
        base = "the run's own first epoch"
    elif convention.constants is None:
        base = "the mean of the single-task runs"
    else:
        constants = convention.constants
        printed = "; ".join(f"{task} {' '.join(values.values())}" for task, values in constants.values.items())
        size = " x ".join(map(str, constants.size))
        base = f"constants on {constants.backbone}, images of {size}: {printed} ({constants.source})"
    return {
        "used by": convention.source,
        "protocols": ", ".join(convention.protocols),
        "epoch": EPOCHS[convention.epoch],
        "metrics over": pool,
        "Δm": f"{AVERAGES[convention.average].rstrip(',')}; {convention.sign}, {better}",
        "relative to": base,
        "clipping": convention.clip,
        "note": convention.note,
    }


def opening(name: str, convention: PeerConvention, base: str, why: str) -> tuple[str, ...]:
    """Return sentences on a convention, the first of which names it.

    Args:
        base: the base of Δm.
        why: why constants do not fit, in a clause; empty if they do or there are none.
    """
    said = [f"Convention {name}, as of {convention.source}."]
    if base == "constants" and convention.constants:
        printed = (f"{task} {' '.join(values.values())}" for task, values in convention.constants.values.items())
        said.append(f"Constants: {'; '.join(printed)}, from {convention.constants.source}.")
    elif why:
        said.append(f"The convention's constants are not used, because {why}.")
    if convention.chooses_on_test:
        said.append("Epochs are chosen on the test split: these numbers are too good, and nothing is bold or ranked.")
    return tuple(said)
