"""Conventions of published code."""

from typing import Any

import pytest

from mtbench.contract import Batches, PeerConvention, SingleTaskValues
from mtbench.errors import PluginError
from mtbench.report.data.conventions.rules import EPOCHS

RULES: dict[str, Any] = {"source": "some code", "epoch": "last", "average": "task", "sign": "gain", "base": "own-start"}


@pytest.mark.parametrize("name", ["epoch", "average", "sign", "base"])
def test_an_unknown_rule_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(PluginError, match=rf"the {name} of a convention \(of some code\) is 'other'\. Allowed: "):
        PeerConvention(**{**RULES, name: "other"})


def test_every_rule_for_the_epoch_has_words_and_those_that_look_at_the_test_split_choose_on_it() -> None:
    published = [epoch for epoch in EPOCHS if epoch != "val"]  # which no published code here has
    chosen = [epoch for epoch in published if PeerConvention(**{**RULES, "epoch": epoch}).chooses_on_test]
    assert chosen == ["own-start", "test"]
    assert all("best on the test split" in EPOCHS[epoch] for epoch in chosen)


def test_batches_have_an_example_at_least() -> None:
    with pytest.raises(PluginError, match=r"have the size 0\. It is 1 or more\."):
        Batches(size=0)


def test_the_digits_of_a_printed_value_say_how_exact_it_is() -> None:
    values = {"depth": {"absolute-error": ".0125", "relative-error": "27.77", "count": "28"}}
    some = SingleTaskValues(source="a table", backbone="lenet", outputs={"depth": 1}, size=(1, 1), values=values)
    assert list(some.numbers().values()) == [0.0125, 27.77, 28]
    assert list(some.half_digits().values()) == pytest.approx([0.00005, 0.005, 0.5])
    assert list(some.half_digits()) == [("depth", name) for name in values["depth"]]
