"""The order of methods without one task or dataset, and ranks over datasets."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from scipy.stats import kendalltau, rankdata

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import compare
from mtbench.report.exhibit import Results, Shown
from mtbench.report.exhibits.ordering.data import overall, without_tasks
from mtbench.report.exhibits.ordering.exhibit import Ordering
from mtbench.report.page.latex import render_latex
from mtbench.store.status import RunStatus
from tests.report.records import INDOOR_SINGLE, INDOOR_UNIFORM, QUICK, finished, indoor
from tests.report.typesetting import needs_latex, typeset

RANKED = Choices(rank=True)
TASKS = ("LU", "RL", "LL")
SCORES = {"chmod": (90, 70, 50), "film": (80, 75, 65), "mtan": (70, 80, 60), "td": (60, 65, 70)}
"""Ranks are 1 3 4, 2 2 2, 3 1 3 and 4 4 1: the means 8/3, 2, 7/3 and 3."""


def runs(scores: Mapping[str, Sequence[float]], dataset: str = "mmnist3") -> list[RunStatus]:
    return [
        finished(
            method, seed, {task: value + seed for task, value in zip(TASKS, values, strict=False)}, dataset=dataset
        )
        for method, values in scores.items()
        for seed in range(2)
    ]


def shown(statuses: Sequence[RunStatus], choices: Choices = RANKED) -> list[Shown]:
    return list(Ordering().show(Results(comparisons=tuple(compare(statuses)), choices=choices)))


def test_it_is_shown_with_mean_ranks_alone() -> None:
    assert shown(runs(SCORES), DEFAULT) == []


def test_the_agreement_without_a_task_is_scipys_tau_of_the_mean_ranks() -> None:
    (comparison,) = compare(runs(SCORES))
    whole = [8 / 3, 2, 7 / 3, 3]
    rest: dict[str, list[float]] = {"LU": [7 / 2, 2, 2, 5 / 2], "RL": [5 / 2, 2, 3, 5 / 2], "LL": [2, 2, 2, 4]}
    found = without_tasks(comparison)
    assert {each.name: each.tau for each in found} == {
        name: pytest.approx(kendalltau(whole, ranks).statistic) for name, ranks in rest.items()
    }
    assert [each.first for each in found] == [("film", "mtan"), ("film",), ("chmod", "film", "mtan")]


def test_all_metrics_of_a_task_are_left_out_together_and_single_task_networks_are_not_ranked() -> None:
    statuses = [
        indoor("single", 0, INDOOR_SINGLE),
        indoor("td", 0, INDOOR_SINGLE),
        indoor("uniform", 0, INDOOR_UNIFORM),
        indoor("moo", 0, (*INDOOR_UNIFORM[:4], *INDOOR_SINGLE[4:])),
    ]
    (comparison,) = compare(statuses)
    found = without_tasks(comparison)
    assert [each.name for each in found] == ["segmentation", "depth", "normals"]
    assert [each.first for each in found] == [("moo",), ("moo",), ("moo", "uniform")]
    assert all("single" not in each.first for each in found)


@pytest.mark.parametrize("count", [2, 3])
def test_two_methods_have_no_order_to_compare(count: int) -> None:
    pieces = shown(runs(dict(list(SCORES.items())[:count])))
    assert len(pieces) == (1 if count > 2 else 0)


def test_one_task_has_nothing_to_drop() -> None:
    assert shown(runs({method: values[:1] for method, values in SCORES.items()})) == []


def test_the_table_names_each_task_and_the_csv_has_its_numbers() -> None:
    (piece,) = shown(runs(SCORES))
    (page,), (frame,) = piece.pages.values(), piece.numbers.values()
    assert list(piece.pages) == ["mmnist3-paper-order"]
    assert [[cell.says for cell in line] for line in page.layout.lines] == [
        ["LU", "0.55", "film and mtan"],
        ["RL", "0.18", "film"],
        ["LL", "0.71", "chmod, film and mtan"],
    ]
    assert frame["task"].tolist() == list(TASKS)
    assert frame["first"].tolist() == ["film; mtan", "film", "chmod; film; mtan"]


def test_of_many_tasks_the_ten_that_change_the_order_most_are_shown() -> None:
    tasks = [f"t{index}" for index in range(14)]
    statuses = [
        finished(method, 0, {task: 50 + place + (30 if (at, place) == (3, 0) else 0) for at, task in enumerate(tasks)})
        for place, method in enumerate(SCORES)
    ]
    (piece,) = shown(statuses)
    (page,), (frame,) = piece.pages.values(), piece.numbers.values()
    assert (len(page.layout.lines), len(frame)) == (10, 14)
    assert "4 more, which change the order less, are in the CSV file." in page.caption[0]


DATASETS: Mapping[str, Mapping[str, Sequence[float]]] = {
    "mmnist2": {"chmod": (90, 70), "film": (80, 75), "mtan": (70, 80), "td": (60, 65)},
    "mmnist3": SCORES,
    "mmnist4": {"chmod": (50, 50), "film": (60, 60), "mtan": (70, 70)},
}


def test_an_overall_rank_is_the_mean_over_three_datasets_of_the_methods_that_all_have() -> None:
    comparisons = compare([run for name, scores in DATASETS.items() for run in runs(scores, name)])
    found = overall(comparisons)
    assert found is not None
    by_dataset = [
        rankdata([[-value for value in scores[method]] for method in ("chmod", "film", "mtan")], axis=0).mean(axis=1)
        for scores in DATASETS.values()
    ]
    means = sum(by_dataset) / 3
    assert dict(zip(found.methods, found.mean, strict=True)) == pytest.approx(
        dict(zip(("chmod", "film", "mtan"), means, strict=True))
    )
    assert list(found.mean) == sorted(found.mean)
    for index, each in enumerate(found.dropped):
        rest = sum(ranks for at, ranks in enumerate(by_dataset) if at != index) / 2
        assert each.tau == pytest.approx(kendalltau(means, rest).statistic, nan_ok=True)
    assert overall(comparisons[:2]) is None


def test_two_datasets_or_two_protocols_have_no_overall_rank() -> None:
    three = [run for name, scores in DATASETS.items() for run in runs(scores, name)]
    assert [list(piece.pages) for piece in shown(three)][-1] == ["datasets-paper-ranks", "datasets-paper-order"]
    two = [run for run in three if str(run.spec.dataset) != "mmnist4"]
    quick = [finished(method, 0, (50, 50), dataset="mmnist4", protocol=QUICK) for method in SCORES]
    assert not any("ranks" in stem for piece in shown([*two, *quick]) for stem in piece.pages)


@needs_latex
def test_the_tables_fit_a_page(tmp_path: Path) -> None:
    three = [run for name, scores in DATASETS.items() for run in runs(scores, name)]
    typeset(tmp_path, [render_latex(page) for piece in shown(three) for page in piece.pages.values()])
