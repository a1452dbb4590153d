"""Sentences that captions and titles of several exhibits share."""

from collections.abc import Iterable, Sequence

from mtbench.contract import TrainingProtocol
from mtbench.contract.protocol.optimizers import OPTIMIZERS
from mtbench.contract.protocol.schedule import parse_schedule
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.marks import GROWN
from mtbench.report.text import listed, wrap
from mtbench.store.record import Record

__all__ = ["ADDED", "QUICK", "STALE", "apart", "numbers", "over_seeds", "reported", "title_of", "trained"]

QUICK = "Preview, not a result."
STALE = "† Stale runs: code or data that their numbers depend on has changed since they were trained."
ADDED = (
    f"{GROWN} n grew after a look: seeds were added until claims were decided, or beyond the number that the suite "
    "declares. Means, intervals, bold entries and intervals of ranks do not allow for that; claims judged by a plan of "
    "looks do."
)
_CHOSEN = "epoch chosen on the validation split"
_ADDS = {
    "own": "the last task added in as many further epochs, which train its task-specific parameters only",
    "all": "the last task added in as many further epochs, which train all parameters on all tasks",
}
_LABELS = {
    "native": "at each step all labels of an image or a random one, as the network requires",
    "one": "at each step a random label of each image",
    "all": "at each step all labels of an image",
}


def trained(comparison: Comparison, records: Iterable[Record]) -> str:
    """Return a sentence on the training of records of the comparison's dataset and protocol."""
    examples = sorted({record.training_examples for record in records})
    return f"{comparison.dataset_title}, protocol {comparison.title}: {numbers(comparison.protocol, examples)}."


def numbers(protocol: TrainingProtocol, examples: Sequence[int]) -> str:
    """Return a training protocol in words; `examples` are the counts of training examples in records."""
    parts = [
        f"{protocol.epochs} epoch{'s' * (protocol.epochs != 1)}",
        f"batch size {protocol.batch}",
        f"{protocol.optimizer}{_details(protocol)} with learning rate {protocol.lr:g}, "
        f"{parse_schedule(protocol.schedule).words}",
        f"warm-up over {protocol.warmup:g} epoch{'s' * (protocol.warmup != 1)}" if protocol.warmup else "",
        f"weight decay {protocol.weight_decay:g}" if protocol.weight_decay else "",
        f"{' or '.join(f'{count:,}' for count in examples)} training examples" if examples else "",
        "" if protocol.fraction == 1 else f"as many steps as {1 / protocol.fraction:g} times the examples take",
        _LABELS[protocol.tasks_per_image],
        _ADDS.get(protocol.adds, ""),
        f"gradient scale {protocol.gradient_scale}",
        protocol.clipping.words,
        "validation split held out" if protocol.validation else "",
        _CHOSEN if protocol.select == "best-val" else "",
        "batch normalization with the statistics of test batches" if protocol.norm_eval == "batch" else "",
        "" if protocol.precision == "float32" else protocol.precision,
    ]
    return ", ".join(part for part in parts if part)


def reported(protocols: Iterable[TrainingProtocol]) -> str:
    """Return after which epoch the test split was measured, for a sentence on numbers of these protocols."""
    chosen = {protocol.select for protocol in protocols}
    best = (
        "at the epoch with the best validation score (mean over tasks of the relative gain over the first validation)"
    )
    when = f"after the last epoch or, with select=best-val, {best}" if "last" in chosen else best
    return f"{when if 'best-val' in chosen else 'after the last epoch'}; the test split is not used for any choice"


def over_seeds(counts: Iterable[int]) -> str:
    """Return the end of a sentence on means; `counts` are the numbers of seeds behind them."""
    numbers = {*counts}
    return f", mean ± standard deviation over n{f' = {max(numbers)}' if len(numbers) == 1 else ''} seeds"


def apart(method: MethodRuns) -> str:
    """Return a sentence on the settings that a preset of a method has changed for its row only."""
    changed = [f"{name}={own} (all other rows: {other})" for name, (own, other) in method.apart.items()]
    return f"{method.title} is trained with its authors' settings: {listed(changed)}."


def title_of(comparison: Comparison, of: str = "") -> str:
    """Return the title of a figure of a comparison: dataset, protocol, `of`, the choice of the epoch if there was one,
    and a line that marks a preview."""
    chosen = f"; {_CHOSEN}" if comparison.protocol.select == "best-val" else ""
    title = wrap(f"{comparison.dataset_title}, protocol {comparison.title}{of and f': {of}'}{chosen}", 90)
    return f"{title}\n{QUICK}" if comparison.quick else title


def _details(protocol: TrainingProtocol) -> str:
    """Return further settings of the optimizer in brackets; empty if they are adam's defaults."""
    uses = OPTIMIZERS[protocol.optimizer].uses
    said = [
        f"momentum {protocol.momentum:g}" if "momentum" in uses else "",
        f"beta1 {protocol.beta1:g}" if protocol.beta1 != 0.9 else "",
        f"accumulators from {protocol.initial_accumulator:g}" if protocol.initial_accumulator else "",
        "kernels flattened" if protocol.flatten_kernels else "",
    ]
    words = ", ".join(part for part in said if part)
    return f" ({words})" if words else ""
