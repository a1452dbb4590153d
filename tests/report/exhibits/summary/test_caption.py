"""Details of tables say how runs were trained, and after which epoch they were measured."""

from typing import Any

import pytest

from mtbench.contract import TrainingProtocol
from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.page.sentences import numbers, reported, title_of
from tests.report.records import finished


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "adam with learning rate 0.001, halved after 30, 60 and 90 % of the epochs, "),
        ({"schedule": "constant"}, "adam with learning rate 0.001, constant, "),
        ({"schedule": "exponential"}, "adam with learning rate 0.001, times 0.95 after each epoch, "),
        ({"schedule": "step:every=40"}, "adam with learning rate 0.001, times 0.1 after every 40 epochs, "),
        (
            {"schedule": "cosine", "warmup": "5"},
            "falling to 0 along half a cosine, warm-up over 5 epochs, ",
        ),
        ({"optimizer": "sgd", "weight-decay": "5e-4"}, "sgd (momentum 0.9) with learning rate 0.001, "),
        ({"optimizer": "adamw", "weight-decay": ".01", "beta1": ".8"}, "adamw (beta1 0.8) with learning rate 0.001, "),
        ({"weight-decay": "5e-4"}, "of the epochs, weight decay 0.0005, "),
        ({"optimizer": "adagrad", "initial-accumulator": ".1"}, "adagrad (accumulators from 0.1) with learning rate "),
        ({"optimizer": "muon", "flatten-kernels": "true"}, "muon (momentum 0.95, kernels flattened) with learning "),
        ({"validation": "true", "select": "best-val"}, "held out, epoch chosen on the validation split"),
    ],
)
def test_optimizer_schedule_warm_up_and_choice_are_said_in_words(settings: dict[str, Any], words: str) -> None:
    assert words in numbers(TrainingProtocol().changed(**settings), [])


LAST = TrainingProtocol()
BEST = TrainingProtocol(validation=True, select="best-val")


def test_the_epoch_that_is_reported_is_that_of_the_protocols() -> None:
    best = (
        "at the epoch with the best validation score (mean over tasks of the relative gain over the first validation)"
    )
    assert reported([LAST, LAST]) == "after the last epoch; the test split is not used for any choice"
    assert reported([BEST]) == f"{best}; the test split is not used for any choice"
    assert reported([BEST, LAST]) == (
        f"after the last epoch or, with select=best-val, {best}; the test split is not used for any choice"
    )


@pytest.mark.parametrize("protocol", [LAST, BEST])
def test_the_details_of_a_table_say_after_which_epoch(protocol: TrainingProtocol) -> None:
    runs = [finished(method, seed, protocol=protocol) for method in ("td", "single") for seed in (0, 1)]
    (comparison,) = compare(runs)
    details = " ".join(build_table(comparison).details)
    assert f"Metrics are measured {reported([protocol])}." in details
    assert ("after the last epoch" in details) == (protocol is LAST)


@pytest.mark.parametrize("protocol", [LAST, BEST])
def test_figures_say_that_the_epoch_was_chosen(protocol: TrainingProtocol) -> None:
    (comparison,) = compare([finished(protocol=protocol)])
    said = " ".join(title_of(comparison).split())
    assert said.endswith("; epoch chosen on the validation split") == (protocol is BEST)


def test_what_unlike_runs_differ_in_is_one_sentence_for_all_that_changes_together() -> None:
    other: dict[str, Any] = {"threads": 2, "processor": "other", "torch_instructions": "AVX2", "torch": "2.10.0"}
    runs = [finished("td", 0), finished("td", 1, **other), finished("td", 2, **other), finished("moo", 0, data="ff")]
    (comparison,) = compare(runs)
    assert build_table(comparison).footnotes == (
        "‡ A mean is over runs of unlike numerics: td.",
        "The runs differ in data (fingerprint): d41d8cd98f00 (3 runs) and ff (1 run).",
        "The runs differ in torch version, instruction set of torch, threads and processor: "
        "2.10.0, AVX2, 2 and other (2 runs); 2.9.0, AVX512, 1 and some (2 runs).",
        "Times of unlike machines cannot be compared.",
    )
