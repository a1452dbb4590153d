"""A request for a search becomes studies with one budget; one that does not fit is refused in words."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mtbench.contract import Classification, Regression, Task
from mtbench.errors import UsageError
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.request import SearchRequest, parse_spaces, parse_tuning_seeds
from mtbench_toys.datasets import AllTasks


def plans(*methods: str, dataset: str = "toy-all", **asked: Any) -> list[StudyPlan]:
    return plan_search(SearchRequest(datasets=[dataset], methods=methods, **asked))


def test_every_method_has_the_same_number_of_trials() -> None:
    assert [(plan.title, plan.trials, plan.objective) for plan in plans("td", "moo", "branches+gradnorm")] == [
        ("td", 20, "mean"),
        ("moo", 20, "mean"),
        ("branches+gradnorm", 20, "mean"),
    ]


def test_weights_of_the_tasks_have_an_objective_per_task() -> None:
    (plan,) = plans("branches+fixed")
    assert plan.objective == "tasks"
    assert plan.study.higher_is_better == (True, True)
    assert plan.default == {"weights": "0.5/0.5"}


def test_the_direction_is_that_of_each_tasks_metric() -> None:
    (plan,) = plans("branches+fixed", dataset="toy-numbers")
    assert plan.study.higher_is_better == (False, False)
    assert plans("td", dataset="toy-numbers")[0].study.higher_is_better == (False,)


def test_trials_hold_a_validation_split_out_and_what_is_trained_again_does_not() -> None:
    (plan,) = plans("td", settings={"lr": "5e-4"})
    (trial,) = plan.specs({"lr": "0.002"}, [1000], validation=True)
    assert (trial.protocol.validation, trial.protocol.lr, trial.seed) == (True, 0.002, 1000)
    (again,) = plan.specs(plan.default, [0], validation=False)
    assert (again.protocol.validation, again.protocol.lr) == (False, 5e-4)


def test_options_of_network_balancer_and_backbone_come_together_in_a_run() -> None:
    (plan,) = plans("mmoe:experts=3+gradnorm", space={"alpha": "0..3"}, backbone="lenet:width=.5")
    (spec,) = plan.specs({"alpha": "2"}, [0], validation=True)
    assert (str(spec.network), str(spec.balancer), str(spec.backbone)) == (
        "mmoe:experts=3",
        "gradnorm:alpha=2",
        "lenet:width=0.5",
    )


def test_the_identity_stands_for_all_that_was_asked_but_the_number_of_trials() -> None:
    base: dict[str, Any] = {"space": {"lr": "1e-4..1e-2:log"}}
    first = plans("td", **base)[0].study.id
    same: list[dict[str, Any]] = [{"trials": 60}, {"retrain": 0}, {"points": "all"}]
    assert {plans("td", **base, **change)[0].study.id for change in same} == {first}
    others: list[dict[str, Any]] = [
        {"space": {"lr": "1e-4..1e-2"}},
        {"sampler": "qmc"},
        {"objective": "tasks"},
        {"seed": 1},
        {"seeds": (1000, 1001)},
        {"settings": {"epochs": "2"}},
        {"protocol": "quick"},
    ]
    found = [plans("td+uniform", **{**base, **change})[0].study.id for change in others]
    assert len({first, *found}) == 1 + len(others)


def test_a_study_that_is_asked_for_twice_is_done_once() -> None:
    assert len(plans("uniform", "branches+uniform")) == 1


def test_a_name_of_one_method_alone_is_searched_for_that_one() -> None:
    found = plans("td", "branches+gradnorm", space={"lr": "1e-4..1e-2", "alpha": "0..3"})
    assert [list(plan.study.space) for plan in found] == [["lr"], ["lr", "alpha"]]


def test_a_grid_has_as_many_trials_as_points() -> None:
    assert plans("td", sampler="grid", space={"lr": "1e-4/1e-3/1e-2"})[0].trials == 4  # the default is 3e-3
    assert plans("td", sampler="grid", space={"lr": "1e-4/3e-3/1e-2"})[0].trials == 3
    assert plans("td", sampler="grid", space={"lr": "1e-4/3e-3/1e-2"}, trials=2)[0].trials == 2


@pytest.mark.parametrize(
    ("methods", "asked", "message"),
    [
        (["td"], {"sampler": "tpee"}, "--sampler is 'tpee'. Did you mean 'tpe'? Allowed: tpe, nsga2, qmc, grid."),
        (["td"], {"objective": "task"}, "--objective is 'task'. Did you mean 'tasks'? Allowed: tasks, mean."),
        (["td"], {"points": "none"}, "--points is 'none'. Allowed: front, all."),
        (["td"], {"trials": 0}, "--trials is 0. Allowed: 1 to 100,000."),
        (["td"], {"retrain": -1}, "--retrain is -1. Allowed: 0 to 10,000."),
        (["all"], {}, "--methods is 'all', and a search needs names."),
        ([], {}, "nothing to search. Name a method and a dataset"),
        (["td"], {"settings": {"validation": "true"}}, "--set validation was given, but a search sets it itself"),
        (
            ["td"],
            {"settings": {"select": "best-val"}},
            "--set select=best-val was given, but retrained runs",
        ),
        (["td"], {"settings": {"momentum": ".5"}}, "protocol setting 'momentum' is 0.5, and optimizer 'adam' does not"),
        (
            ["td"],
            {"space": {"momentum": "0...9"}},
            "--space names 'momentum', which is neither a setting",
        ),
        (["td"], {"space": {"lrr": "0..1"}}, "--space names 'lrr', which is neither a setting of the training"),
        (["td"], {"space": {"epochs": "1..9"}}, "--space names 'epochs', which is neither a setting of the training"),
        (["td", "td+dwa"], {"space": {"temperature": "1..2"}}, "there is nothing to search for method 'td' on toy-all"),
        (["td"], {"space": {"lr": "none"}}, "there is nothing to search for method 'td' on toy-all. Give a range"),
        (["td"], {"seeds": (0, 7)}, "seed 0 would both choose a setting and report it. Give other tuning seeds"),
        (["td"], {"retrain": 1001}, "seed 1000 would both choose a setting and report it."),
        (
            ["td"],
            {"sampler": "grid", "space": {"lr": "1e-4/1e-2"}, "trials": 9},
            "the grid of method 'td' has 3 points, including the default, and --trials is 9. Give --trials 3,",
        ),
        (
            ["td", "td+gradnorm"],
            {"sampler": "grid", "space": {"lr": "1e-4/1e-2", "alpha": "0/1"}},
            "the grids of these methods have different numbers of points, including the default: td 3, td+gradnorm 5.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words(methods: list[str], asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plans(*methods, **asked)
    assert str(caught.value).startswith(message)


def test_a_mean_of_unlike_metrics_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    unlike = (Task(name="upper", kind=Classification(classes=4)), Task(name="lower", kind=Regression()))
    monkeypatch.setattr(AllTasks, "tasks", unlike)
    with pytest.raises(UsageError, match=r"have different metrics \(upper: accuracy, lower: mse\).*--objective tasks"):
        plans("uniform")
    assert plans("uniform", objective="tasks")[0].study.higher_is_better == (True, False)


def test_the_folder_says_what_was_searched() -> None:
    (plan,) = plans("branches+fixed:weights=.3/.7")
    assert plan.folder(Path("r")) == Path(f"r/searches/toy-all/branches+fixed,weights=0.3_0.7-{plan.study.id}")


def test_more_trials_are_the_same_study() -> None:
    (plan,) = plans("td", trials=40)
    assert dataclasses.replace(plan, trials=60).study.id == plan.study.id
    assert dataclasses.replace(plan, trials=60).study.planned == 60


def test_texts_of_the_command_line_are_read() -> None:
    assert parse_spaces(["lr=1e-4..1e-2:log", "alpha="]) == {"lr": "1e-4..1e-2:log", "alpha": ""}
    assert parse_tuning_seeds("2") == [1000, 1001]
    assert parse_tuning_seeds("7,") == [7]
    for texts, message in ((["lr"], "--space is 'lr'. It is NAME=VALUES"), (["a=1", "a=2"], "names 'a' twice")):
        with pytest.raises(UsageError, match=message):
            parse_spaces(texts)
