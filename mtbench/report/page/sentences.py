"""Sentences that captions and titles of several exhibits share."""

from collections.abc import Iterable, Sequence

from mtbench.contract import TrainingProtocol
from mtbench.contract.optimizers import OPTIMIZERS
from mtbench.contract.schedule import parse_schedule
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.text import listed, wrap
from mtbench.store.record import Record

__all__ = ["QUICK", "STALE", "apart", "numbers", "reported", "title_of", "trained"]

QUICK = "QUICK: a look, not a result."
STALE = "† Some runs are stale: what makes their numbers has changed since they ran."
_CHOSEN = "the epoch chosen on the validation split"
_ADDS = {
    "own": "the last task added in as many epochs more, in which its own parameters alone are trained",
    "all": "the last task added in as many epochs more, in which everything is trained on all tasks",
}
_LABELS = {
    "native": "all labels of an image or one drawn at each step, as each network is made for",
    "one": "one label of an image drawn at each step",
    "all": "all labels of an image at each step",
}


def trained(comparison: Comparison, records: Iterable[Record]) -> str:
    """Return a sentence on how the runs of records were trained, which are of the comparison's dataset and protocol."""
    examples = sorted({record.training_examples for record in records})
    return f"{comparison.dataset_title}, protocol {comparison.title}: {numbers(comparison.protocol, examples)}."


def numbers(protocol: TrainingProtocol, examples: Sequence[int]) -> str:
    """Return a protocol's numbers in words; `examples` are the counts of training examples that were found in
    records."""
    parts = [
        f"{protocol.epochs} epoch{'s' * (protocol.epochs != 1)}",
        f"batch {protocol.batch}",
        f"{protocol.optimizer}{_details(protocol)} with learning rate {protocol.lr:g}, "
        f"{parse_schedule(protocol.schedule).words}",
        f"warm-up over {protocol.warmup:g} epoch{'s' * (protocol.warmup != 1)}" if protocol.warmup else "",
        f"weight decay {protocol.weight_decay:g}" if protocol.weight_decay else "",
        f"{' or '.join(f'{count:,}' for count in examples)} training examples" if examples else "",
        "" if protocol.fraction == 1 else f"in the steps that {1 / protocol.fraction:g} times as many would take",
        _LABELS[protocol.tasks_per_image],
        _ADDS.get(protocol.adds, ""),
        f"gradient scale {protocol.gradient_scale}",
        protocol.clipping.words,
        "a validation split held out" if protocol.validation else "",
        _CHOSEN if protocol.select == "best-val" else "",
        "batch normalization by the statistics of test batches" if protocol.norm_eval == "batch" else "",
        "" if protocol.precision == "float32" else protocol.precision,
    ]
    return ", ".join(part for part in parts if part)


def reported(protocols: Iterable[TrainingProtocol]) -> str:
    """Return after which epoch the test split was measured, for a sentence on numbers of these protocols."""
    chosen = {protocol.select for protocol in protocols}
    best = (
        "after the epoch that is best on the validation split, by the mean over tasks of the relative gain over the "
        "first validation"
    )
    when = f"after the last epoch or, with select=best-val, {best}" if "last" in chosen else best
    return f"{when if 'best-val' in chosen else 'after the last epoch'}; nothing is chosen on the test split"


def apart(method: MethodRuns) -> str:
    """Say which settings a preset of a method has changed for its row alone."""
    changed = [f"{name}={own} (all other rows: {other})" for name, (own, other) in method.apart.items()]
    return f"{method.title} is not trained as the other rows are, but with what its authors use: {listed(changed)}."


def title_of(comparison: Comparison, of: str = "") -> str:
    """Return what a figure of a comparison says above everything: dataset, protocol, what it is of where that is more
    than its runs, the choice of the epoch if there was one, and whether it is a preview."""
    chosen = f"; {_CHOSEN}" if comparison.protocol.select == "best-val" else ""
    title = wrap(f"{comparison.dataset_title}, protocol {comparison.title}{of and f': {of}'}{chosen}", 90)
    return f"{title}\n{QUICK}" if comparison.quick else title


def _details(protocol: TrainingProtocol) -> str:
    """Return the settings of the optimizer beside its learning rate and weight decay, in brackets; empty for adam's
    usual ones."""
    uses = OPTIMIZERS[protocol.optimizer].uses
    said = [
        f"momentum {protocol.momentum:g}" if "momentum" in uses else "",
        f"beta1 {protocol.beta1:g}" if protocol.beta1 != 0.9 else "",
        f"accumulators from {protocol.initial_accumulator:g}" if protocol.initial_accumulator else "",
        "kernels flattened" if protocol.flatten_kernels else "",
    ]
    words = ", ".join(part for part in said if part)
    return f" ({words})" if words else ""
