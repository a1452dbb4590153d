"""A network that is named alone is searched over the weights of the tasks where that is what was meant."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtbench import registry
from mtbench.errors import UsageError
from mtbench.search.weighting import searched_method


@pytest.mark.parametrize(
    ("text", "objective", "space", "title"),
    [
        # `branches` with its own balancer is `uniform`: who names it otherwise means its weights.
        ("branches", "", [], "branches+fixed"),
        ("branches@lenet:width=2", "", [], "branches+fixed@lenet:width=2"),
        ("branches", "tasks", [], "branches+fixed"),
        ("branches", "mean", [], "uniform"),
        ("branches", "", ["lr"], "uniform"),
        ("branches", "", ["weights"], "branches+fixed"),
        ("branches", "mean", ["fixed.weights", "lr"], "branches+fixed"),
        # What has no other name means itself, unless an objective per task or weights are asked for.
        ("td", "", [], "td"),
        ("mmoe:experts=4", "", [], "mmoe:experts=4"),
        ("td:channels=6", "tasks", [], "td:channels=6+fixed"),
        ("td", "tasks", ["lr"], "td"),
        ("td", "", ["weights"], "td+fixed"),
        # What has a balancer keeps it.
        ("uniform", "tasks", [], "uniform"),
        ("moo", "", ["weights"], "moo"),
        ("branches+uniform", "tasks", [], "uniform"),
        ("branches+mgda:normalize=loss+", "tasks", [], "branches+mgda:normalize=loss+"),
    ],
)
def test_the_balancer_that_takes_weights_is_found(text: str, objective: str, space: list[str], title: str) -> None:
    assert searched_method(text, objective, space).title == title


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second package with balancers that take weights, under the names given to its modules."""
    info = tmp_path / "heavy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[mtbench.balancers]\nheavy = heavy:Heavy\nheavier = heavy:Heavy\n[mtbench.methods]\nlone = heavy:Lone\n"
    )
    (tmp_path / "heavy.py").write_text(
        "from dataclasses import dataclass\n"
        "from mtbench.contract import option\n"
        "from mtbench_methods.balancers.loss_weights.fixed import Fixed\n"
        "from mtbench_methods.networks.branches import Branches\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Options:\n"
        "    weights: tuple[float, ...] = option((), 'w', search='simplex')\n"
        "class Heavy(Fixed):\n"
        "    Options = Options\n"
        "class Lone(Branches):\n"
        "    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.entries.cache_clear()
    yield
    sys.modules.pop("heavy", None)
    registry.entries.cache_clear()


@pytest.mark.usefixtures("another")
def test_a_package_more_does_not_change_what_a_network_is_searched_with() -> None:
    assert "heavy" in registry.entries("balancer")
    assert searched_method("branches", "", []).title == "branches+fixed"


@pytest.mark.usefixtures("another")
def test_where_more_than_one_takes_weights_the_choice_is_a_persons() -> None:
    with pytest.raises(UsageError) as caught:
        searched_method("lone", "tasks", [])
    assert str(caught.value) == (
        "more than one balancer takes task weights: heavier, heavy. Name one of them, as in --method lone+heavier."
    )
