"""Numbers in README.md: those that were measured are those of the records, and all others are what they count."""

import csv
import re
from dataclasses import replace
from pathlib import Path

from mtbench import registry
from mtbench.contract import Network, Retrieval
from mtbench.door.reports.check import check_reports
from mtbench.plan.parse import parse_dataset
from mtbench.store.run.lease import SILENCE
from results import reports

HOUSE = Path(__file__).parents[2]
README = HOUSE / "README.md"
TEXT = README.read_text()
LIST = reports.read()
ALTERED = [
    (
        "| 70.10 ± 1.02 |",
        "| 70.01 ± 1.02 |",
        "table 'mmnist3-quick-table', row 'td', column 'mean': '70.01 ± 1.02' is",
    ),
    ("-->-6<!--", "-->-5<!--", "'-5' is written, the records say '-6'."),
]
"""Texts of the README, others in their place, and what the check says of those."""
PROSE = re.sub(r"<!-- \\mtb.*?<!-- /mtb -->|```.*?```|`[^`]*`|\]\([^)]*\)", " ", TEXT, flags=re.DOTALL)
"""The README without the numbers that are compared, without code and addresses of links."""


def rows(report: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file below ``reports``."""
    with (HOUSE / "reports" / report).open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_measured_number_is_that_of_the_records_and_an_altered_digit_is_found_by_its_line(tmp_path: Path) -> None:
    """The check is that of `make reports-check`, but without data, which no number of the README needs."""
    (listed,) = (each for each in LIST.document if each.path == README.name)
    made = [
        report for each in LIST.report if each.out in listed.reports for report in replace(each, data=()).make(tmp_path)
    ]
    document = tmp_path / "README.md"
    for old, new, says in ALTERED:
        assert TEXT.count(old) == 1
        document.write_text(TEXT.replace(old, new))
        outcome = check_reports(made, out=None, documents=[document])
        (found,) = outcome.wrong
        assert f"README.md:{TEXT[: TEXT.index(old)].count(chr(10)) + 1}: {says}" in " ".join(str(found).split())
    document.write_text(TEXT)
    outcome = check_reports(made, out=None, documents=[document])
    assert not outcome.wrong
    assert outcome.numbers == TEXT.count("<!-- /mtb -->") > 20


def test_every_other_number_is_known() -> None:
    """A measured number stands between comments that name it; all others are counts that tests below know, parts of
    names and versions, or numbers of no measurement."""
    counts = {"100", "60,000", "5", "14", "30", "120"}
    names = {"11", "18", "1", "3.11", "200-2011", "50", "2025", "0.18", "1.1.5", "2020", "2021"}
    others = {"95", "2", "16", "0", "26", "35", "20"}
    found = re.findall(r"\d[\d.,]*(?:-\d+)?(?<![.,])", PROSE)
    assert len(found) > 20
    assert [number for number in found if number not in counts | names | others] == []


def test_the_counts_of_methods_are_those_of_the_plug_ins() -> None:
    entries = {kind: registry.entries(kind) for kind in ("method", "balancer")}
    own = {
        kind: [name for name, each in found.items() if each.distribution == "mtbench"]
        for kind, found in entries.items()
    }
    loaded = [registry.load("method", name) for name in own["method"]]
    networks = {each for each in loaded if isinstance(each, type) and issubclass(each, Network)}
    embeddings = {each for each in networks if each.kinds == (Retrieval,)}
    assert f"{len(networks - embeddings)} networks, from" in TEXT
    assert f"{len(own['balancer'])} balancers, from" in TEXT
    assert f"| balancers | {len(own['balancer'])} |" in TEXT
    assert f"and {len(embeddings) + 1} methods\nof retrieval" in TEXT  # and itn, an alias


def test_the_papers_protocol_and_the_time_of_silence_are_those_of_the_code() -> None:
    protocol = parse_dataset("mmnist3").dataset_class.protocols["paper"]
    asked = f"follows the paper: {protocol.epochs} epochs, all 60,000 images, {protocol.seeds} seeds"
    assert asked in " ".join(TEXT.split())
    assert protocol.images == 0  # all
    assert f"after up to {SILENCE:.0f} s without a heartbeat" in " ".join(TEXT.split())


def test_what_is_said_of_kept_reports_is_in_their_numbers() -> None:
    weighted = rows("2026-11-24-mmnist2-search/mmnist2-quick-search-branches-fixed.csv")
    trials = {row["trial"] for row in weighted if row["trial"]}
    assert f"the front of {len(trials)} weighted sums" in TEXT
    epochs = {row["epochs"] for row in rows("2026-11-24-demo/mmnist3-runs.csv")}
    assert epochs == {"4"}
    assert "training loss over four epochs" in TEXT
    names = ("faces-mini-12-epochs/faces-mini-runs.csv", "faces-mini/retrieval-mini-world-runs.csv")
    long, short = ({int(row["epochs"]) for row in rows(f"2026-11-29-{name}")} for name in names)
    assert {epochs / 4 for epochs in long} == short
    assert "trained\n  four times as long" in TEXT
    verdicts = [row["verdict"] for row in rows("2026-11-29-faces-mini/retrieval-mini-world-claims.csv")]
    assert verdicts.count("undecided") > len(verdicts) / 2
    assert "most of them undecided" in TEXT
