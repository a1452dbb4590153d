"""Contents of a certificate besides its verdicts, and the sentences on what it shows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mtbench.plan.certificate.sizes import Size
from mtbench.report.certificate.judged import Judged, RanPart
from mtbench.report.data.unlike import differences
from mtbench.report.text import listed
from mtbench.store.record import Record
from mtbench.store.study import Study, Trial

__all__ = ["Check", "Facts", "Tuned", "counted_words", "machines", "not_shown", "records_of", "shown"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check of conformance: the statement that it tests, and the fault; empty if it passed."""

    says: str
    fault: str


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """A search for task weights.

    Attributes:
        title: the dataset as tables show it.
        study: the search.
        chosen: the trial that was chosen; None if none was done.
    """

    title: str
    study: Study
    chosen: Trial | None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The content of a certificate.

    Attributes:
        method: the name of the method in tables.
        command: the command that makes or resumes it.
        size: its size.
        checks: the checks of conformance.
        parts: the datasets with their runs; none if a check failed.
        judged: the verdicts.
        tuned: the searches.
        left_out: a reason for each dataset of the size that the method does not fit.
        declared: a sentence on the declaration; empty if a check failed.
        changed: a sentence on changes since then; empty if there are none.
        pack: the name of the pack and its SHA-256; empty texts if there is none.
    """

    method: str
    command: str
    size: Size
    checks: Sequence[Check]
    parts: Sequence[RanPart] = ()
    judged: Sequence[Judged] = ()
    tuned: Sequence[Tuned] = ()
    left_out: Mapping[str, str]
    declared: str = ""
    changed: str = ""
    pack: tuple[str, str] = ("", "")

    @property
    def conforms(self) -> bool:
        """True if every check passed."""
        return not any(check.fault for check in self.checks)

    @property
    def quick(self) -> bool:
        """True if a dataset is trained on by its preview."""
        return any(part.own.row.specs[0].protocol.name == "quick" for part in self.parts)

    @property
    def missing(self) -> int:
        """The number of runs without a record."""
        rows = [row for part in self.parts for row in (part.own, *part.rows)]
        return sum(run.record is None for row in rows for run in row.runs.runs)


def records_of(facts: Facts) -> list[Record]:
    """Return the records of all rows."""
    rows = [row for part in facts.parts for row in (part.own, *part.rows)]
    return [record for row in rows for record in row.runs.records.values()]


def shown(facts: Facts) -> str:
    """Return a sentence on what the certificate shows."""
    amounts = [_amount(part) for part in facts.parts]
    return (
        f"It shows how {facts.method} compares with these rows in this amount of training, and nothing beyond it: "
        f"{'; '.join(amounts)}; {facts.size.seeds} seeds."
    )


def not_shown(facts: Facts) -> Iterator[str]:
    """Yield sentences on what the certificate does not show."""
    yield (
        "It does not show the order of methods after longer training, on more or other data, on photographs or on "
        "other backbones."
    )
    yield (
        f"{facts.method} was trained with its settings as given, and so were all rows but the tuned ones, whose task "
        f"weights were chosen from {facts.size.trials} trials; learning rates were not tuned for any row."
    )
    yield "Undecided is no equivalence: these seeds do not tell the two apart."


def counted_words(judged: Sequence[Judged]) -> str:
    """Return the verdicts of some comparisons with their numbers: ``1 worse, 3 undecided``."""
    counts = Counter(each.verdict.word for each in judged)
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def machines(facts: Facts) -> tuple[str, list[str]]:
    """Return the machine of the runs in words, and sentences on what is not equal among them."""
    records = records_of(facts)
    names = dict.fromkeys(
        f"{record.numerics.processor}, {record.numerics.device}, {record.environment.platform}" for record in records
    )
    unlike = [
        line
        for part in facts.parts
        for line in differences([record for row in (part.own, *part.rows) for record in row.runs.records.values()])
    ]
    return listed(names) if names else "", list(dict.fromkeys(unlike))


def _amount(part: RanPart) -> str:
    protocol = part.own.row.specs[0].protocol
    examples = sorted({record.training_examples for record in part.own.runs.records.values()})
    of = f" of {' or '.join(f'{count:,}' for count in examples)} examples" if examples else ""
    return f"{part.title}, {protocol.epochs} epoch{'s' * (protocol.epochs != 1)}{of}"
