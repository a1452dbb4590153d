"""Parameters and costs of the suites' networks, against the papers' counts and against each other."""

from functools import cache
from pathlib import Path

import pytest
import torch

from mtbench.contract import Network, Setup
from mtbench.plan.parse import parse_backbone, parse_dataset, parse_method
from mtbench.plan.suite import Suite
from mtbench.plan.suite.file import find_suite
from mtbench.report.data.cost.magnitude import counted_magnitude
from mtbench.store.record import Parameters
from mtbench.train.cost.ledger import Macs, count_macs, count_parameters, parts


def build(method: str, dataset: str) -> tuple[Network, Setup]:
    opened = parse_dataset(dataset).open(Path())
    chosen = parse_method(method)
    setup = (chosen.backbone or parse_backbone(opened.default_backbone)).setup(opened, seed=0)
    return chosen.network_class(chosen.network_options, setup), setup


def parameters(method: str, dataset: str) -> Parameters:
    return count_parameters(*build(method, dataset))


@cache
def cost(method: str) -> tuple[int, Macs]:
    """Weights, and work, on two digits."""
    network, _ = build(method, "mmnist2")
    return parameters(method, "mmnist2").weights, count_macs(network.eval(), torch.zeros(1, 1, 28, 28))


def extra(method: str) -> int:
    """Return weights that the top-down network has beside the backbone and the branch."""
    network, _ = build(method, "mmnist2")
    return sum(part.weights for part in parts(network) if part.name not in ("backbone", "branch"))


@cache
def suite(name: str) -> Suite:
    return find_suite(name)


def test_the_streams_of_table_2b_have_the_papers_weights() -> None:
    read = suite("levi2020-table2b")
    counted = {read.labels[method]: extra(method) for method in read.grid[0].methods}
    assert counted == {"dup": 7291, "10": 6130, "6": 2478, "2": 426, "1": 163}
    printed = {"dup": 1.29, "10": 1.25, "6": 1.10, "2": 1.02, "1": 1.01}
    for method in read.grid[0].methods:
        found = parameters(method, "mmnist2")
        assert found.weights / found.single_weights == pytest.approx(printed[read.labels[method]], abs=0.012)


def test_the_networks_of_table_5a_have_the_papers_weights() -> None:
    grid = suite("levi2020-table5").grid[0]
    for tasks, dataset in zip((2, 3, 4), grid.datasets, strict=True):
        counted = {method: parameters(method, dataset).weights for method in grid.methods}
        assert counted == {
            "single": 24_250 * tasks,
            "uniform": 21_250 + 3_000 * tasks,
            "td": 21_250 + 9_651 + 320 * tasks,
        }


@pytest.mark.parametrize(
    ("dataset", "printed"),
    [
        ("mmnist2", {"single": 2, "uniform": 1.12, "moo": 1.12, "chmod": 1.002, "td": 1.29}),
        ("mmnist3", {"single": 3, "uniform": 1.25, "moo": 1.25, "chmod": 1.005, "td": 1.31}),
        ("mmnist4", {"single": 4, "uniform": 1.37, "moo": 1.37, "chmod": 1.007, "td": 1.32}),
    ],
)
def test_the_networks_of_table_1_have_about_the_papers_multiple_of_one_networks_weights(
    dataset: str, printed: dict[str, float]
) -> None:
    assert set(suite("levi2020-table1").grid[0].methods) == set(printed)
    for method, ratio in printed.items():
        found = parameters(method, dataset)
        assert found.weights / found.single_weights == pytest.approx(ratio, abs=0.003 if method == "chmod" else 0.012)


MATCHED = [
    (f"{method}@lenet:width={width}", quantity)
    for method, widths in {
        "single": (".8", "2.25", "2.1"),
        "uniform": ("1.07", "2.25", "3.05"),
        "chmod": ("1.14", "2.25", "2.1"),
    }.items()
    for width, quantity in zip(widths, ("weights", "MACs of td for one task", "MACs of td for both"), strict=True)
]


def measured(method: str, quantity: str) -> int:
    weights, macs = cost(method)
    return {
        "weights": weights,
        "MACs of td for one task": macs.per_task,
        "MACs of td for both": macs.per_input,
    }[quantity]


@pytest.mark.parametrize(("method", "quantity"), MATCHED)
def test_a_matched_network_has_as_much_as_the_top_down_network_within_3_per_cent(method: str, quantity: str) -> None:
    read = suite("matched")
    assert quantity in read.labels[method]
    assert measured(method, quantity) == pytest.approx(measured("td", quantity), rel=0.03)


def test_the_suite_of_matched_networks_has_those_and_the_plain_ones() -> None:
    plain = {"td", "single", "uniform", "chmod", "uniform@lenet:width=2"}
    assert set(suite("matched").grid[0].methods) == plain | {method for method, _ in MATCHED}
    weights, macs = cost("td")
    assert (weights, cost("uniform")[0]) == (31_541, 27_250)
    assert (f"{macs.per_task / 1e6:.2f}", f"{macs.per_input / 1e6:.2f}") == ("2.04", "3.61")
    assert f"{cost('uniform')[1].per_task / 1e6:.2f}" == "0.48"
    assert f"{cost('uniform')[1].per_input / 1e6:.2f}" == "0.49"


@pytest.mark.parametrize(
    ("name", "datasets", "more"),
    [
        ("levi2020-table3", ("clevr2", "clevr3", "clevr4"), (5, 17)),
        ("levi2020-table3-mini", ("clevr-mini:questions=2", "clevr-mini:questions=3", "clevr-mini"), (3, 8.5)),
    ],
)
def test_a_wide_uniform_network_works_as_much_as_td_to_answer_all_questions_within_2_per_cent(
    name: str, datasets: tuple[str, ...], more: tuple[float, float]
) -> None:
    read = suite(name)
    ratios = []
    for dataset in datasets:
        (grid,) = [part for part in read.grid if part.datasets == (dataset,)]
        (wide,) = [method for method in grid.methods if "width" in method]
        assert read.labels[wide].startswith("uniform, MACs of td for ")
        ours, td = counted_magnitude(wide, dataset), counted_magnitude("td", dataset)
        assert ours.macs_per_input == pytest.approx(td.macs_per_input, rel=0.02)
        ratios.append(ours.weights / td.weights)
    assert more[0] < min(ratios)
    assert max(ratios) < more[1]


@pytest.mark.parametrize(
    ("dataset", "printed"),
    [
        ("clevr2", {"single": 2, "uniform": 1.5, "td": 1.56}),
        ("clevr3", {"single": 3, "uniform": 2, "td": 1.56}),
        ("clevr4", {"single": 4, "uniform": 2.5, "td": 1.56}),
    ],
)
def test_the_networks_of_table_3_have_the_papers_multiple_of_one_networks_weights(
    dataset: str, printed: dict[str, float]
) -> None:
    for method, ratio in printed.items():
        assert counted_magnitude(method, dataset).relative == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize(("tasks", "percent"), [(7, 14.8), (20, 47.0)])
def test_what_modulation_adds_where_layers_below_are_computed_once_is_as_the_note_says(
    tasks: int, percent: float
) -> None:
    """From Zhao et al.'s Table 2: block5 is 3 x 3 from 128 to 128 on 14 x 14 places, and twice on 7 x 7; then fc."""
    whole, later = (
        counted_magnitude("fsn", f"celeba{tasks}").macs_per_task,
        9 * 128**2 * (14**2 + 2 * 7**2) + 6272 * 256,
    )
    assert (f"{whole:,}", f"{later:,}") == ("1,818,682,880", "44,957,696")
    assert 100 * (tasks - 1) * later / whole == pytest.approx(percent, abs=0.05)
    note = suite("zhao2018-overhead").note
    assert all(said in note for said in (f"{whole:,}", f"{later:,}", f"{percent:.1f} %"))
    asked_one_by_one = counted_magnitude("chmod:first=4", f"celeba{tasks}")
    assert asked_one_by_one.macs_per_input == tasks * asked_one_by_one.macs_per_task
