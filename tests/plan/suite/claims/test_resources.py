"""Resources that claims hold equal and quantities that they are about, checked before anything is trained."""

from pathlib import Path

import pytest

from mtbench.plan.suite.file import read_suite

SUITE = """\
title = "Held"
[protocol]
base = "quick"
{protocol}
[[grid]]
datasets = ["toy-all"]
methods = ["uniform", "moo", "td", "branches+famo"]
{grid}
[[claim]]
dataset = "toy-all"
{claim}
"""


def faults(path: Path, claim: str, *, protocol: str = "", grid: str = "") -> list[str]:
    """Return the faults, each after its key."""
    text = SUITE.format(protocol=protocol, grid=grid, claim=claim)
    (path / "held.toml").write_text(text)
    found = read_suite(path / "held.toml")[1]
    return [f"{text.splitlines()[fault.line - 1].partition(' ')[0]}: {fault.text}" for fault in found]


ALL = 'equal = ["steps", "label-uses", "training-macs"]'
BETA = "vary = { beta1 = [0.0, 0.9] }"


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (f'contrast = ["moo", "uniform"]\n{ALL}', []),
        ('contrast = ["td", "uniform"]\nequal = ["steps"]', []),
        (
            'contrast = ["td", "uniform"]\nequal = ["label-uses"]',
            [
                "equal: 'equal' has 'label-uses', which 'td' and 'uniform' do not have equal: 'td' uses one label of "
                "each example, and 'uniform' all (setting 'tasks_per_image'). Leave it out."
            ],
        ),
        (
            'contrast = ["td", "uniform"]\nequal = ["label"]',
            ["equal: 'claim.equal' is 'label': input should be"],
        ),
    ],
)
def test_a_claim_that_cannot_hold_what_it_holds_equal_is_a_fault(tmp_path: Path, claim: str, said: list[str]) -> None:
    found = faults(tmp_path, claim)
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True)), found


def test_a_balancer_that_passes_each_batch_twice_has_twice_the_multiply_accumulates(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, f'contrast = ["branches+famo", "uniform"]\n{ALL}')
    assert fault.startswith(
        "equal: 'equal' has 'training-macs', which 'branches+famo' and 'uniform' do not have equal: "
    )
    twice, once = (int(word.replace(",", "")) for word in fault.split() if word[0].isdigit())
    assert twice == 2 * once


def test_labels_are_equal_where_the_training_protocol_draws_one_task_for_all(tmp_path: Path) -> None:
    claim = 'contrast = ["td", "uniform"]\nequal = ["label-uses"]'
    assert faults(tmp_path, claim, protocol='tasks_per_image = "one"') == []


def test_two_settings_hold_equal_what_they_do_not_change(tmp_path: Path) -> None:
    claim = 'method = "moo"\nagainst = "uniform"\nsettings = [{ beta1 = 0.0 }, { beta1 = 0.9 }]\n' + ALL
    assert faults(tmp_path, claim, grid=BETA) == []
    (fault,) = faults(tmp_path, claim.replace('"moo"', '"td"'), grid=BETA)[:1]
    assert "'td' with beta1=0 and 'uniform' with beta1=0 do not have equal" in fault
    other = claim.replace("beta1 = 0.0", "fraction = 0.1").replace("beta1 = 0.9", "fraction = 0.5") + '\ntest = "welch"'
    found = faults(tmp_path, other, grid="vary = { fraction = [0.1, 0.5] }")
    assert [text.partition("equal: ")[2].endswith("'fraction' differs. Leave it out.") for text in found] == [True] * 3


SELECTIVE = 'contrast = ["td", "uniform"]\nquantity = "selectivity"'


def test_a_claim_about_a_quantity_needs_the_diagnostics_that_measure_it(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, SELECTIVE)
    assert fault == (
        "quantity: 'quantity' is 'selectivity', which the runs of 'td' do not measure. Write diagnostics = "
        "[\"selectivity\"] in [protocol], or in the 'set' of the [[grid]]."
    )
    assert faults(tmp_path, SELECTIVE, protocol='diagnostics = ["selectivity"]') == []
    assert faults(tmp_path, SELECTIVE, grid='set = { diagnostics = ["selectivity"] }') == []


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (SELECTIVE.replace("vity", "viti"), "'selectiviti', which is none. Did you mean 'selectivity'? Allowed: "),
        (SELECTIVE + '\nmetric = "delta_m"', "Leave one of the two out."),
        (SELECTIVE + '\ntasks = ["upper"]', "Leave one of the two out."),
    ],
)
def test_a_quantity_that_does_not_exist_or_is_of_tasks_is_a_fault(tmp_path: Path, claim: str, said: str) -> None:
    (fault,) = faults(tmp_path, claim, protocol='diagnostics = ["selectivity"]')
    assert fault.startswith("quantity: ")
    assert said in fault


def test_a_quantity_that_depends_on_the_other_method_is_of_no_claim_across_settings(tmp_path: Path) -> None:
    claim = 'method = "td"\nsettings = [{ beta1 = 0.0 }, { beta1 = 0.9 }]\nquantity = "equal-loss"'
    (fault,) = faults(tmp_path, claim, grid=BETA)
    assert fault == (
        "quantity: 'quantity' is 'equal-loss', which two methods have under the same settings. Write 'contrast'."
    )
    assert faults(tmp_path, 'contrast = ["td", "uniform"]\nquantity = "equal-loss"', grid=BETA) == []
