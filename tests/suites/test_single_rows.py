"""Single-task rows are trained, selected and evaluated by the rules of all other rows of their table."""

from pathlib import Path
from typing import Any

import pytest
import torch

from mtbench.plan.grid import Request, plan
from mtbench.plan.suite import rendered
from mtbench.plan.suite.file import find_suite, read_suite
from mtbench.train import loop
from mtbench.train.evaluate import measure
from mtbench.train.optimizer.build import set_learning_rate
from tests.train.runs import run, spec_of


@pytest.mark.parametrize("name", ["dense-conventions", "kurin2022-multimnist", "levi2020-table3", "sener2018-table3"])
def test_all_rows_of_a_suites_tables_have_one_protocol(name: str) -> None:
    """A table is of one dataset, under one variation of a grid."""
    suite = find_suite(name)
    for part in suite.grid:
        for settings in part.variations():
            for dataset in part.datasets:
                request = Request(
                    methods=part.methods,
                    datasets=[dataset],
                    protocol=suite.base,
                    settings=rendered({**suite.settings, **settings}),
                    seeds=[0],
                )
                assert len({spec.protocol for spec in plan(request)}) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"schedule": "cosine", "warmup": "1", "clip": "1", "gradient-scale": "matched"},
        {"validation": "true", "select": "best-val", "curve": "all"},
        {"norm-eval": "batch"},
        {"tasks-per-image": "one"},
        {"optimizer": "sgd", "momentum": "0", "fraction": ".5"},
    ],
)
def test_every_method_has_the_settings_that_were_asked_for(settings: dict[str, str]) -> None:
    """Nothing of a method, its role as baseline least of all, changes a protocol."""
    backbone = "@resnet18:width=.125"
    request = Request(methods=["single", "uniform", "td", "mtan", "branches+famo"], datasets=["toy-three"],
                      settings=settings, seeds=[0, 1], backbone=backbone.removeprefix("@"))  # fmt: skip
    assert len({spec.protocol for spec in plan(request)}) == 1


RULES: dict[str, Any] = {"schedule": "step:every=2:factor=.5", "warmup": ".5", "epochs": "5", "images": "48",
                         "batch": "20", "validation": "true", "select": "best-val", "curve": "all"}  # fmt: skip


def test_single_task_networks_take_the_steps_rates_and_points_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    def noted(optimizer: torch.optim.Optimizer, rate: float) -> None:
        rates.append(rate)
        set_learning_rate(optimizer, rate)

    monkeypatch.setattr(loop, "set_learning_rate", noted)
    found = []
    for method in ("single", "uniform", "mtan", "branches+famo", "branches+mgda"):
        rates.clear()
        trained = run(spec_of(method, "toy-three", **RULES))
        points = [(point.epoch, point.steps, sorted(point.results)) for point in trained.curve]
        counts = [result.count for split in trained.results.values() for result in split.values()]
        found.append((list(rates), points, counts, trained.cost.label_uses))
    assert all(each == found[0] for each in found)
    assert len(found[0][0]) == 5 * 3


@pytest.mark.parametrize("norm_eval", ["running", "batch"])
def test_single_task_networks_are_evaluated_in_the_mode_of_all_others(
    norm_eval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In released code single-task networks alone were tested in training mode."""
    modes: set[tuple[bool, int]] = set()

    def noted(network: torch.nn.Module, *args: Any, norm_batch: int, **more: Any) -> Any:
        handle = network.register_forward_pre_hook(lambda called, _: modes.add((called.training, norm_batch)))
        found = measure(network, *args, norm_batch=norm_batch, **more)  # type: ignore[arg-type]
        handle.remove()
        return found

    monkeypatch.setattr(loop, "measure", noted)
    for method in ("single", "uniform"):
        modes.clear()
        spec = spec_of(f"{method}@resnet18:width=.125", "toy-all", images="48", epochs="1", norm_eval=norm_eval)
        run(spec)
        assert modes == {(False, spec.protocol.batch if norm_eval == "batch" else 0)}


SUITE = """title = "T"
[protocol]
base = "quick"

[[grid]]
datasets = ["mmnist2"]
methods = ["single"]
set = { lr = 1e-3 }

[[grid]]
datasets = ["mmnist2", "mmnist3"]
methods = ["uniform", "td"]
set = { lr = 1e-5 }
"""


def faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return [f"{fault.line}: {fault.text}" for fault in read_suite(path)[1]]


def test_a_suite_whose_single_task_networks_have_rules_of_their_own_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, SUITE) == [
        "7: single-task networks on dataset 'mmnist2' have settings that no other method has there, so that no row "
        "can be compared with theirs. Give them the same 'set' and 'vary'."
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lr = 1e-5", "lr = 1e-3"),
        ("set = { lr = 1e-5 }", "vary = { lr = [1e-3, 1e-5] }"),
        ('methods = ["single"]', 'methods = ["single", "uniform"]'),
        ('datasets = ["mmnist2", "mmnist3"]', 'datasets = ["mmnist3"]'),
    ],
)
def test_a_suite_in_which_some_row_shares_their_rules_is_not(tmp_path: Path, old: str, new: str) -> None:
    assert faults(tmp_path, SUITE.replace(old, new)) == []
