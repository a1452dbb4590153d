import re

import pytest
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.conformance.candidate import tiny
from mtbench.errors import UsageError

RUNNER = CliRunner()


def test_a_check_that_passes_says_what_to_do_next() -> None:
    result = RUNNER.invoke(app, ["check", "chmod"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(lines) > 10
    assert {line.split()[0] for line in lines[:-2]} == {"ok"}
    assert lines[-2:] == [
        "'chmod' conforms.",
        "Next, compare it: mtbench run --methods chmod,uniform --dataset mmnist2 --quick",
    ]


def test_a_check_that_fails_says_why_and_ends_with_exit_code_1() -> None:
    result = RUNNER.invoke(app, ["check", "toy-nan"])
    assert result.exit_code == 1
    assert re.search(r"failed  learns 64 images of 2 tasks\n +it fails: NonFiniteLoss: the loss of task", result.output)
    assert re.search(
        r"\n\d+ checks failed; docs/checks\.md explains each check and what to do if it fails\.\n$", result.output
    )


def test_an_unknown_name_is_met_with_a_suggestion() -> None:
    result = RUNNER.invoke(app, ["check", "pcgrap"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith("nothing called 'pcgrap' is installed. Did you mean 'pcgrad'?")


@pytest.mark.parametrize("name", ["point", "film@point"])
def test_a_backbone_that_is_not_for_classes_is_refused_once(name: str) -> None:
    error = RUNNER.invoke(app, ["check", name]).exception
    assert isinstance(error, UsageError)
    assert str(error).startswith("backbone 'point' is two numbers, and a task of this dataset takes 4.")


def test_a_varied_dataset_and_a_backbone_with_options_can_be_checked() -> None:
    result = RUNNER.invoke(app, ["check", "toy2:scale=.1/1"])
    assert "'toy2:scale=.1/1' conforms." in result.output
    assert tiny("mlp:width=20").options.width == 20
    assert tiny("mlp").options.width == 10


@pytest.mark.parametrize("name", ["branches+mgda@nothing", "td:bogus=1"])
def test_a_part_that_does_not_exist_is_refused(name: str) -> None:
    assert isinstance(RUNNER.invoke(app, ["check", name]).exception, UsageError)


def test_one_check_can_be_made_alone() -> None:
    result = RUNNER.invoke(app, ["check", "branches", "--only", "ABSENT from", "--only", "grow"])
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "ok      a task absent from every other batch does no harm",
        "ok      parameters grow with the tasks as declared",
    ]


def test_a_check_that_does_not_exist_is_met_with_the_list() -> None:
    error = RUNNER.invoke(app, ["check", "branches", "--only", "everything"]).exception
    assert isinstance(error, UsageError)
    assert str(error).startswith(
        "no check has 'everything' in its name. Checks: it takes a step and an evaluation, with the shapes of the "
        "contract; learns 64 images of 2 tasks; "
    )
    assert str(error).endswith("differs from every other method. Option: --only.")
