import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtbench import __version__
from mtbench.cli.app import app
from mtbench.errors import UsageError

RUNNER = CliRunner()


def new(*arguments: str) -> str:
    result = RUNNER.invoke(app, ["new", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_new_method_is_in_a_folder_here_and_what_to_do_next_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert new("method", "my-own") == (
        "mtbench-my-own/pyproject.toml\n"
        "mtbench-my-own/README.md\n"
        "mtbench-my-own/mtbench_my_own.py\n"
        "mtbench-my-own/test_mtbench_my_own.py\n"
        "\n"
        "This method works. Its comments say what to change. Next steps:\n"
        "\n"
        "    pip install -e mtbench-my-own\n"
        "    mtbench check my-own\n"
        "    mtbench run --methods my-own,uniform --dataset mmnist2 --quick\n"
        "    mtbench report\n"
    )
    written = {path.name for path in (tmp_path / "mtbench-my-own").iterdir()}
    assert written == {"pyproject.toml", "README.md", "mtbench_my_own.py", "test_mtbench_my_own.py"}


@pytest.mark.parametrize("kind", ["method", "balancer", "dataset"])
def test_a_package_is_made_in_the_folder_that_is_asked_for(kind: str, tmp_path: Path) -> None:
    text = new(kind, "mine", "--out", str(tmp_path / "plug ins"))
    assert f"pip install -e '{tmp_path}/plug ins/mtbench-mine'" in text
    assert (tmp_path / "plug ins" / "mtbench-mine" / "mtbench_mine.py").is_file()


def test_what_is_there_stays(tmp_path: Path) -> None:
    new("method", "mine", "--out", str(tmp_path))
    module = tmp_path / "mtbench-mine" / "mtbench_mine.py"
    module.write_text("a week's work")
    with pytest.raises(UsageError) as error:
        new("dataset", "mine", "--out", str(tmp_path))
    assert str(error.value) == (
        f"{tmp_path}/mtbench-mine is there already, and nothing in it was changed. "
        "Give another name, move it away, or choose another folder with --out."
    )
    assert module.read_text() == "a week's work"


def test_nothing_is_written_under_a_name_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"there is a method 'td' already, that of mtbench {re.escape(__version__)}"):
        new("balancer", "td", "--out", str(tmp_path))
    assert not list(tmp_path.iterdir())
