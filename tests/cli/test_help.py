"""Help texts and errors of the command line, as a person reads them."""

import dataclasses
import os
import subprocess
import sys
from itertools import pairwise

import pytest
import typer
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.cli.base.completion import SETTINGS
from mtbench.cli.training.execution import settings
from mtbench.contract import TrainingProtocol
from mtbench.errors import UsageError
from tests.cli.commands import MTBENCH, call

COMMANDS = [
    (*group.split(), command)
    for group, commands in {
        "": "run plan search report open explain export rescore why diff status list info doctor check certify bench "
        "exec",
        "data": "prepare verify where link show",
        "suite": "list show declare validate",
        "store": "pack unpack merge verify prune",
        "new": "method balancer dataset",
    }.items()
    for command in commands.split()
]


def helped(*command: str, width: int) -> str:
    return CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": str(width), "TERM": "dumb"}).output


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_fits_its_columns_and_shows_no_type_and_no_markup(command: tuple[str, ...], width: int) -> None:
    text = helped(*command, width=width)
    assert f"Usage: mtbench {' '.join(command)}" in text.replace("root", "mtbench")
    assert max(map(len, text.splitlines())) <= width
    for leftover in ("<", "::", "``", "[/", "list["):
        assert leftover not in text.replace("<dataset or suite>", "").replace("[OPTIONS]", "")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_lines_of_a_paragraph_are_as_long_as_the_terminal_allows(command: tuple[str, ...]) -> None:
    before = helped(*command, width=80).partition("╭")[0].splitlines()[1:]
    for line, following in pairwise(before):
        if line.strip() and following.strip():
            assert len(line.rstrip()) + len(following.split()[0]) >= 78, line


@pytest.mark.parametrize("command", ["run", "plan", "search", "bench", "info", "report"])
def test_one_and_several_have_one_option(command: str) -> None:
    text = helped(command, width=200)
    assert "--dataset,--datasets" in text
    assert ("--methods,--method" in text) == (command in ("run", "plan", "search", "bench"))


def test_the_options_of_run_are_in_groups_with_examples_below() -> None:
    lines = helped("run", width=100).splitlines()
    groups = [line.split()[1] for line in lines if line.startswith("╭")]
    assert groups == ["What", "Training", "Where", "Machine", "Engine", "Seeds", "Other"]
    assert sum(line.strip().startswith("mtbench run --") for line in lines) >= 4


def test_help_lists_every_key_of_set() -> None:
    fields = tuple(field.name for field in dataclasses.fields(TrainingProtocol) if field.name != "name")
    assert fields == SETTINGS
    words = helped("run", width=200).replace("│", " ").replace(",", " ").replace(".", " ").split()
    assert {name.replace("_", "-") for name in SETTINGS} <= set(words)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("mtbench run --methods t", {"td", "tensormod"}),
        ("mtbench run --method td,branches+pc", {"td,branches+pcgrad"}),
        ("mtbench run --methods td@resn", {"td@resnet18"}),
        ("mtbench search --datasets toy2,mmnist9", {"toy2,mmnist9", "toy2,mmnist9-ref"}),
        ("mtbench report --suite levi2020-table1", {"levi2020-table1"}),
        ("mtbench run --set weight", {"weight-decay="}),
        ("mtbench list back", {"backbones"}),
        ("mtbench run --track tens", {"tensorboard"}),
        ("mtbench info vgg", {"vgg11"}),
    ],
)
def test_a_shell_completes_names_without_importing_torch(given: str, expected: set[str]) -> None:
    asked = {"_MTBENCH_COMPLETE": "complete_bash", "COMP_WORDS": given, "COMP_CWORD": str(given.count(" "))}
    path = os.pathsep.join(path for path in sys.path if path)
    code = (
        f"import atexit, sys; sys.argv = ['mtbench']; atexit.register(lambda: print('torch' in sys.modules)); {MTBENCH}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **asked, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    *found, is_imported = done.stdout.split()
    assert is_imported == "False", done.stderr
    assert expected <= set(found)
    assert all(name.startswith(given.split()[-1]) for name in found)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            "run --methods resnet18 --dataset toy2",
            "there is no method 'resnet18'. 'resnet18' is a backbone: --backbone resnet18.",
        ),
        (
            "run --methods pcgrad --dataset toy2",
            "there is no method 'pcgrad'. 'pcgrad' is a balancer: --methods branches+pcgrad.",
        ),
        ("run --methods toy2 --dataset toy2", "there is no method 'toy2'. 'toy2' is a dataset: --dataset toy2."),
        ("run --methods td --dataset td", "there is no dataset 'td'. 'td' is a method: --methods td."),
        (
            "run --methods td --dataset levi2020-table1",
            "there is no dataset 'levi2020-table1'. 'levi2020-table1' is a suite",
        ),
        ("run --suite toy2", "there is no suite 'toy2'. 'toy2' is a dataset: --dataset toy2."),
        ("run --methods td --dataset toy2 --backbone toy2", "there is no backbone 'toy2'. 'toy2' is a dataset: "),
        ("run --methods branches+td --dataset toy2", "there is no balancer 'td'. 'td' is a method: --methods td."),
        ("run --methods xyz --dataset toy2", "method 'xyz' is not installed. Installed: "),
        ("run --methods unifrom --dataset toy2", "method 'unifrom' is not installed. Did you mean 'uniform'?"),
        (
            "run --methods td --dataset toy2 --quick --protocol paper",
            "--quick is short for --protocol quick, and --protocol paper was given too.",
        ),
        (
            "run --methods td --dataset toy2 --epochs 3 --set epochs=4",
            "setting 'epochs' is given twice, as 3 and as 4. Give it once.",
        ),
        ("info td --backbone foo", "backbone 'foo' is not installed. Installed: "),
        ("info td --backbone lenet", "--backbone lenet changes only what is counted, and nothing is counted. Add "),
        (
            f"info td --backbone lenet --input 3x{'9' * 9}x9",
            "--input is '3x999999999x9'. Allowed: channels x height x width, as in --input 3x224x224, each 1 to 10,000",
        ),
        ("run --methods td --dataset toy2 --epochs few", "--epochs is 'few'. Allowed: a whole number, 1 to 1,000,000."),
        ("data show toy2 --count 500", "--count is '500'. Allowed: a whole number, 1 to 400."),
        ("bench --seconds 0", "--seconds is '0'. Allowed: a number, 0.01 to 3,600."),
        ("list foo", "KIND is 'foo'. Allowed: methods, balancers, datasets, backbones, exhibits, engines, trackers."),
        ("list metods", "KIND is 'metods'. Did you mean 'methods'? Allowed: "),
    ],
)
def test_an_error_names_the_value_the_allowed_ones_and_a_way_out(arguments: str, text: str) -> None:
    with pytest.raises(UsageError) as error:
        call(app, *arguments.split())
    assert str(error.value).startswith(text)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["run", "--methods", "", "--dataset", "toy2"], "--methods"),
        (["run", "--results="], "--results"),
        (["report", "--out", ""], "--out"),
        (["report", ""], "an argument"),
        (["data", "prepare", ""], "an argument"),
    ],
)
def test_an_empty_text_is_refused_as_that_of_a_variable_that_is_not_set(arguments: list[str], option: str) -> None:
    with pytest.raises(UsageError) as error:
        call(app, *arguments)
    assert str(error.value) == f"{option} is given an empty text. Give a value, or leave the option out."


def test_a_setting_that_is_given_twice_with_one_value_is_given_once() -> None:
    assert settings(["lr=1", "weight-decay=.1", "weight_decay=.1"], epochs=3) == {
        "lr": "1",
        "weight_decay": ".1",
        "epochs": "3",
    }


def test_a_word_of_pydantic_is_not_part_of_an_error() -> None:
    from enum import StrEnum
    from typing import Annotated

    from mtbench.cli.base.command import App

    class Color(StrEnum):
        red = "red"

    mine = App()

    @mine.command()
    def paint(color: Color, count: Annotated[int, typer.Option(min=2)] = 2) -> None:
        pass

    for arguments in (["blue"], ["red", "--count", "x"], ["red", "--count", "1"]):
        result = CliRunner().invoke(mine, arguments, env={"COLUMNS": "200"})
        assert result.exit_code == 2
        assert "Value error" not in result.output
        assert "Input should" not in result.output
