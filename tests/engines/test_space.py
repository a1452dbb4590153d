"""The space that runs will take is known before they start."""

import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

from mtbench.engines import space
from mtbench.engines.space import RECORD, check_fit, space_of, space_text
from mtbench.errors import StoreError
from mtbench.plan import facts
from mtbench.plan.grid import Request, plan
from tests.builders.keepers import Memory
from tests.train.runs import run, spec_of

Usage = namedtuple("Usage", "total used free")
OVERHEAD = 120_000
"""Bytes of the names, the curve and the other small parts of a checkpoint of these runs, at most."""


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "adamw", "weight-decay": "0.01"},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": "0.9"},
        {"optimizer": "adagrad"},
        {"validation": "true", "select": "best-val"},
    ],
    ids=lambda settings: ",".join(settings.values()) or "adam",
)
@pytest.mark.parametrize("method", ["uniform", "single"])
def test_checkpoint_and_weights_have_the_expected_size(method: str, settings: dict[str, Any]) -> None:
    spec = spec_of(f"{method}@mlp:width=600:depth=2", epochs="1", **settings)
    keeper = Memory()
    trained = run(spec, keeper)
    expected = space_of([spec], places=1)
    assert 0 <= len(keeper.states[-1]) - expected.passing / 2 <= OVERHEAD
    weights = safetensors.torch.save(dict(trained.model))
    assert 0 <= len(weights) - (expected.kept - RECORD) <= 0.01 * len(weights)
    assert len(weights) > 5 * OVERHEAD


def test_muon_stores_no_more_than_expected() -> None:
    spec, keeper = spec_of("uniform@mlp:width=600:depth=2", epochs="1", optimizer="muon"), Memory()
    run(spec, keeper)
    assert (
        0.5 * space_of([spec], places=1).passing / 2 < len(keeper.states[-1]) < space_of([spec], places=1).passing / 2
    )


def test_every_run_keeps_weights_and_only_those_at_work_have_a_checkpoint_of_which_the_largest_count() -> None:
    small, large = (spec_of(f"uniform@mlp:width={width}") for width in (10, 100))
    of_small, of_large = space_of([small], places=1), space_of([large], places=1)
    assert of_large.passing > of_small.passing
    both = space_of([small, small, large, large], places=3)
    assert (both.runs, both.kept) == (4, 2 * of_small.kept + 2 * of_large.kept)
    assert both.passing == of_small.passing + 2 * of_large.passing
    assert space_of([large], places=3) == of_large
    assert space_of([], places=3).total == 0


def test_no_network_is_built_that_planning_has_built() -> None:
    methods = ["uniform", "td", "single", "branches+pcgrad"]
    specs = plan(Request(methods=methods, datasets=["toy-all"], settings={}, seeds=range(3)))
    before = facts._build.cache_info().misses
    space_of(specs, places=2)
    assert facts._build.cache_info().misses == before


def test_runs_that_do_not_fit_are_refused_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = space.Space(runs=30, kept=4_000_000_000, passing=900_000_000)
    for free in (4_900_000_000, 4_899_999_999):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Usage(0, 0, free))
        if free == needed.total:
            check_fit(needed, tmp_path / "results")
            continue
        with pytest.raises(StoreError) as caught:
            check_fit(needed, tmp_path / "results")
    assert str(caught.value) == (
        f"the weights, records and checkpoints of 30 runs need 4,900 MB in {tmp_path / 'results'}, and the disk has "
        "4,900 MB left. Free some space, or give a place on another disk."
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 7_000_000_000))
    assert space_text(needed, Path("results")) == (
        "Weights and records need about 4,000 MB in results, and meanwhile checkpoints 900 MB; 7,000 MB are free there."
    )
