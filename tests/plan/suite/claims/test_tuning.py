from pathlib import Path

import pytest

from mtbench.plan.suite.file import read_suite
from mtbench.search.suite import search_misfits

GRID = """\
title = "Tuned"
judges = "tuned"
[[grid]]
datasets = ["toy-all"]
methods = ["uniform", "single"]
"""
SEARCH = """\
[[search]]
datasets = ["toy-all"]
methods = ["{methods}"]
space = {{ lr = "1e-4..1e-2:log" }}
trials = {trials}
"""
CLAIM = """\
[[claim]]
dataset = "toy-all"
contrast = ["uniform", "single"]
"""
BOTH = GRID + SEARCH.format(methods='uniform", "single', trials=4)


def faults(path: Path, text: str) -> list[str]:
    (path / "tuned.toml").write_text(text)
    return [fault.text for fault in read_suite(path / "tuned.toml")[1]]


def test_claims_about_tuned_runs_are_in_order_where_every_method_is_tuned_alike(tmp_path: Path) -> None:
    assert faults(tmp_path, BOTH + CLAIM + 'metric = "delta_m"\n') == []
    suite, _ = read_suite(tmp_path / "tuned.toml")
    assert suite is not None
    assert suite.judges == "tuned"


def test_what_is_judged_is_the_default_runs_or_the_tuned_ones(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, BOTH.replace('"tuned"\n', '"best"\n') + CLAIM)
    assert fault == "'judges' is 'best': input should be 'default' or 'tuned'."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GRID + CLAIM, "no [[search]] tunes 'uniform' on dataset 'toy-all'"),
        (GRID + SEARCH.format(methods="uniform", trials=4) + CLAIM, "no [[search]] tunes 'single' on"),
        (
            GRID.replace('", "single', "") + SEARCH.format(methods='uniform", "single', trials=4) + CLAIM,
            "no [[grid]] runs 'single' on dataset 'toy-all'",
        ),
        (
            GRID.replace("single", "moo")
            + SEARCH.format(methods='uniform", "moo', trials=4)
            + CLAIM.replace("single", "moo")
            + 'metric = "delta_m"\n',
            "no [[search]] tunes single-task networks on dataset 'toy-all', over which Δm is",
        ),
    ],
)
def test_a_claim_about_tuned_runs_needs_a_search_of_each_of_its_methods(tmp_path: Path, text: str, said: str) -> None:
    found = faults(tmp_path, text)
    assert any(said in fault and fault.endswith('or write judges = "default".') for fault in found)


def test_unequal_budgets_are_refused_before_anything_is_run(tmp_path: Path) -> None:
    unlike = SEARCH.format(methods="uniform", trials=4) + SEARCH.format(methods="single", trials=2)
    (fault,) = faults(tmp_path, GRID + unlike + CLAIM)
    assert fault == (
        "the claim compares tuned runs with unequal budgets (uniform on toy-all: 4 trials, 1 seeds; single on toy-all: "
        "2 trials, 1 seeds). Give their [[search]] tables the same 'trials' and 'seeds'."
    )


def test_a_claim_across_settings_needs_a_search_under_each_of_both(tmp_path: Path) -> None:
    grid = GRID.replace('"uniform", "single"]', '"uniform"]\nvary = { beta1 = [0.0, 0.9] }')
    searches = [
        SEARCH.format(methods="uniform", trials=trials) + f"set = {{ beta1 = {beta1} }}\n"
        for beta1, trials in ((0.0, 4), (0.9, 4), (0.9, 2))
    ]
    claim = '[[claim]]\ndataset = "toy-all"\nmethod = "uniform"\nsettings = [{ beta1 = 0.0 }, { beta1 = 0.9 }]\n'
    assert faults(tmp_path, grid + searches[0] + searches[1] + claim) == []
    (fault,) = faults(tmp_path, grid + searches[0] + claim)
    assert fault.startswith("no [[search]] tunes 'uniform' on dataset 'toy-all' with the settings beta1=0.9, and")
    (fault,) = faults(tmp_path, grid + searches[0] + searches[2] + claim)
    said = "(uniform on toy-all, beta1=0: 4 trials, 1 seeds; uniform on toy-all, beta1=0.9: 2 trials, 1 seeds)"
    assert said in fault


def test_a_search_that_chooses_several_settings_is_no_tuning(tmp_path: Path) -> None:
    text = BOTH.replace("trials = 4", 'trials = 4\nobjective = "tasks"')
    (tmp_path / "tuned.toml").write_text(text)
    suite, found = read_suite(tmp_path / "tuned.toml")
    assert suite is not None
    assert found == []
    assert "chooses several settings" in search_misfits(suite)[0]
