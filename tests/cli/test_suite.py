"""``mtbench suite``, and ``run`` and ``report`` of a suite, as a person uses them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.plan.suite.built_in import built_in_suites
from tests.cli.commands import MTBENCH, call

TOYS = """\
title = "Toys [small]"
source = "Nobody (1999), Table 1"
note = "Made up."

[protocol]
base = "paper"
epochs = 2
seeds = 2

[[grid]]
datasets = ["toy-all"]
methods = ["uniform", "single"]

[labels]
single = "Single task"

[[paper]]
dataset = "toy-all"
columns = ["upper", "lower"]
n = 3
[paper.rows]
uniform = [[50.0, 1.0], [40.0, 2.0]]
single = [60.0, 50.0]

[[claim]]
dataset = "toy-all"
contrast = ["uniform", "single"]
margin = 2.5

[[claim]]
dataset = "toy-all"
contrast = ["single", "uniform"]
metric = "upper"
direction = "equivalent"
margin = 1
test = "welch"
"""
FAULTY = """\
title = "Faulty"
sauce = "none"

[[grid]]
datasets = ["toy-all"]
methods = ["uniform", "singel"]

[[claim]]
dataset = "toy-all"
contrast = ["uniform", "single"]
direction = "bigger"
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "toys.toml").write_text(TOYS)
    return tmp_path


def mtbench(*arguments: str) -> Result:
    return call(app, *arguments)


def test_every_suite_that_comes_with_mtbench_is_listed_with_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = mtbench("suite", "list").output
    assert {line.split()[0] for line in text.splitlines() if line.split()} >= set(built_in_suites())
    assert "levi2020-table1" in built_in_suites()
    assert max(map(len, text.splitlines())) <= 100
    assert "Multi-MNIST with two, three and" in text


def test_in_a_pipe_the_list_is_at_most_a_hundred_columns_wide() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-c", MTBENCH, "suite", "list"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=300)
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert {line.split()[0] for line in lines if line.strip()} >= set(built_in_suites())
    assert "\x1b" not in done.stdout


def test_a_suite_is_shown_with_what_it_runs_and_claims() -> None:
    text = mtbench("suite", "show", "toys.toml").output
    assert text.startswith("toys: Toys [small]\nNobody (1999), Table 1\nMade up.\n")
    assert re.search(r"^ toy-all +uniform, single +paper, epochs=2, seeds=2 *$", text, re.MULTILINE)
    assert "Runs: 4 at paper, 4 at quick.\n" in text
    assert (
        "Claim on toy-all: uniform is better than single in mean (margin 2.5, paired test).\n"
        "Claim on toy-all: single is equivalent to uniform in upper (margin 1, welch test).\n"
        "To write a suite of your own, begin with a copy of toys.toml\n"
    ) in text


def test_a_suite_of_searches_alone_has_no_runs_to_count(place: Path) -> None:
    (place / "tuned.toml").write_text(
        'title = "Tuned"\n[[search]]\ndatasets = ["toy-all"]\nmethods = ["uniform"]\nspace = { lr = "1e-3/3e-3" }\n'
        'sampler = "grid"\ntrials = 2\nobjective = "mean"\n'
    )
    text = mtbench("suite", "show", "tuned.toml").output
    assert "search: 2 trials each by grid, 1 tuning seed " in text
    assert "Runs:" not in text


def test_what_varies_is_shown(place: Path) -> None:
    (place / "varied.toml").write_text(
        TOYS.partition("[labels]")[0] + 'vary = { lr = [1e-3, 3e-3] }\n[[claim]]\ndataset = "toy-all"\n'
        'contrast = ["uniform", "single"]\nset = { lr = 3e-3 }\nmetric = "delta_m"\n'
    )
    text = mtbench("suite", "show", "varied.toml").output
    assert "paper, epochs=2, seeds=2; lr in 0.001, 0.003" in text
    assert "Runs: 8 at paper, 8 at quick." in text
    assert "Claim on toy-all, lr=0.003: uniform is better than single in delta_m (paired test)." in text


def test_a_claim_across_settings_is_shown_with_what_it_holds_equal(place: Path) -> None:
    (place / "varied.toml").write_text(
        TOYS.partition("[labels]")[0] + 'vary = { lr = [1e-3, 3e-3] }\n[[claim]]\ndataset = "toy-all"\n'
        'method = "uniform"\nagainst = "single"\nsettings = [{ lr = 1e-3 }, { lr = 3e-3 }]\nequal = ["label-uses"]\n'
    )
    text = mtbench("suite", "show", "varied.toml").output
    assert (
        "Claim across settings on toy-all: uniform's gain over single with lr=0.001 is better than that with lr=0.003 "
        "in mean (paired test, equal label uses)."
    ) in " ".join(text.split())


def test_a_suite_in_order_is_said_to_be() -> None:
    result = mtbench("suite", "validate", "toys.toml")
    assert (result.exit_code, result.output) == (0, "toys.toml is valid: mtbench run --suite toys.toml\n")


def test_everything_that_is_wrong_is_told_with_its_line(place: Path) -> None:
    (place / "faulty.toml").write_text(FAULTY)
    result = mtbench("suite", "validate", "faulty.toml")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith("faulty.toml:2: a suite has no key 'sauce'. Did you mean 'source'?")
    assert any(line.startswith("faulty.toml:11: ") and "bigger" in line for line in lines)
    (place / "faulty.toml").write_text(FAULTY.replace("bigger", "worse"))
    again = mtbench("suite", "validate", "faulty.toml")
    assert again.exit_code == 1
    assert [line.split(": ")[0] for line in again.output.splitlines()] == ["faulty.toml:2", "faulty.toml:6"]
    assert "singel" in again.output


SEARCHES = """
[[search]]
datasets = ["toy-all"]
methods = ["uniform"]
trials = 4

[[search]]
datasets = ["toy-all"]
methods = ["td"]
trials = 4
space = { lr = "1e-2..1e-4" }

[[search]]
datasets = ["toy-all"]
methods = ["td"]
trials = 0
"""


def test_what_is_wrong_with_searches_is_told_with_their_lines_and_before_the_first_is_begun(place: Path) -> None:
    (place / "searches.toml").write_text('title = "T"' + SEARCHES)
    result = mtbench("suite", "validate", "searches.toml")
    assert result.exit_code == 1
    second, third = result.output.splitlines()
    assert second.startswith("searches.toml:7: --space lr is '1e-2..1e-4': a range goes from a number to a greater one")
    assert third.startswith("searches.toml:13: --trials is 0.")
    with pytest.raises(UsageError, match=r"--space lr is '1e-2\.\.1e-4'"):
        mtbench("run", "--suite", "searches.toml", "--quick")
    assert not (place / "results").exists()


def test_runs_of_searches_are_not_among_those_that_are_counted(place: Path) -> None:
    (place / "both.toml").write_text(TOYS + "\n".join(SEARCHES.splitlines()[:6]))
    assert (
        "Runs: 4 at paper, 4 at quick, besides those of its searches.\n" in mtbench("suite", "show", "both.toml").output
    )


def test_a_folder_is_no_suite(place: Path) -> None:
    (place / "mine.toml").mkdir()
    with pytest.raises(UsageError, match=r"^mine\.toml is a folder, and a suite is a TOML file\.$"):
        mtbench("suite", "validate", "mine.toml")


def test_a_command_to_copy_is_quoted_for_the_shell(place: Path) -> None:
    (place / "my toys.toml").write_text(TOYS)
    told = mtbench("suite", "validate", "my toys.toml").output
    assert told == "my toys.toml is valid: mtbench run --suite 'my toys.toml'\n"


def test_a_faulty_suite_is_neither_run_nor_reported(place: Path) -> None:
    (place / "faulty.toml").write_text(FAULTY)
    with pytest.raises(UsageError, match=r"faulty\.toml, line 2: a suite has no key 'sauce'"):
        mtbench("run", "--suite", "faulty.toml")
    assert not (place / "results").exists()


@pytest.mark.parametrize("command", [("suite", "show"), ("suite", "validate"), ("run", "--suite")])
def test_a_suite_that_is_not_there_is_asked_back(command: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"no suite 'levi2020-tabel1'\. Did you mean 'levi2020-table1'\?"):
        mtbench(*command, "levi2020-tabel1")


@pytest.mark.parametrize("option", [("--methods", "td"), ("--dataset", "toy-all"), ("--backbone", "vgg11")])
def test_what_a_suite_says_itself_cannot_be_given_beside_it(place: Path, option: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match=rf"{option[0]} and --suite toys\.toml were both given"):
        mtbench("run", "--suite", "toys.toml", *option)
    assert not (place / "results").exists()


def test_a_report_of_a_suite_that_nothing_was_run_of_says_how_to_begin() -> None:
    mtbench("run", "--methods", "single", "--dataset", "toy-all", "--seeds", "1", "--set", "lr=0.5", "--quiet")
    with pytest.raises(UsageError, match=r"none of the runs there belongs to suite 'toys\.toml'\. Train some: mtbench"):
        mtbench("report", "--suite", "toys.toml")


def test_a_suite_is_run_and_reported(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = mtbench("run", "--suite", "toys.toml", "--seeds", "0,")
    assert first.exit_code == 0, first.output
    assert "2 runs: 2 to do, 0 done already." in first.output
    assert "2 of 2 runs have a record. Tables and figures: mtbench report --suite toys.toml\n" in first.output
    assert "4 runs: 2 to do, 2 done already." in mtbench("run", "--suite", "toys.toml").output
    for width in (80, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        shown = mtbench("report", "--suite", "toys.toml").output
        before, _, files = shown.partition("Written to reports/local/toys:\n")
        assert max(map(len, before.splitlines())) <= width
        titles = (
            "toys: toy-all, protocol paper, epochs=2\n",
            "toys: toy-all, protocol paper, epochs=2, beside the paper\n",
            "toys, size paper: claims\n",
        )
        assert [before.index(title) for title in titles] == sorted(before.index(title) for title in titles)
        assert "Rows: Single task is single." in before
        assert "Not run at this size" not in before
    written = [line.strip() for line in files.splitlines()]
    folder = place / "reports" / "local" / "toys"
    assert sorted(path.name for path in folder.iterdir()) == sorted(written)
    assert {"toys-paper-claims.tex", "toys-paper-toy-all-paper.md", "toys-paper-toy-all-table.csv"} <= set(written)
    claims = pd.read_csv(folder / "toys-paper-claims.csv")
    runs = pd.read_csv(folder / "toys-paper-runs.csv")
    test = runs[(runs["split"] == "test") & (runs["task"] == "mean") & runs["primary"]]
    means = test.groupby("method")["value"].mean()
    assert claims.loc[0, "difference"] == pytest.approx(means["uniform"] - means["Single task"])
    assert list(claims["n"]) == [2, 2]
    assert list(claims["planned"]) == [2, 2]
    assert claims["runs_and_images_low"].notna().tolist() == [True, False]


def test_a_look_at_a_suite_is_reported_as_one_and_apart(place: Path) -> None:
    assert mtbench("run", "--suite", "toys.toml", "--quick", "--epochs", "1", "--seeds", "1").exit_code == 0
    shown = mtbench("report", "--suite", "toys.toml", "--out", "out").output
    assert "toys, size quick, epochs=1: claims. Preview, not a result.\n" in shown
    assert (place / "out" / "toys-quick-epochs-1-claims.md").exists()
    # One seed of two: differences without a spread, so that nothing is decided.
    assert re.search(r" undecided +open .* 1/2", shown)


def test_what_was_not_run_is_told() -> None:
    mtbench("run", "--methods", "uniform", "--dataset", "toy-all", "--seeds", "1", "--epochs", "2", "--quiet")
    shown = mtbench("report", "--suite", "toys.toml").output
    assert "Not run at this size: single on toy-all.\n" in shown


def test_a_suite_is_declared_before_its_first_run_and_reports_say_what_was_changed_since(place: Path) -> None:
    told = mtbench("suite", "declare", "toys.toml").output
    path = "results/local/suites/toys.json"
    assert re.fullmatch(rf"Declared on \d{{4}}-\d\d-\d\d: grid, claims and margins, in {path}\.\n", told)
    declared = (place / path).read_bytes()
    assert told in mtbench("run", "--suite", "toys.toml", "--seeds", "0,").output
    mtbench("report", "--suite", "toys.toml")
    folder = place / "reports" / "local" / "toys"
    page, table = folder / "toys-paper-claims.md", folder / "toys-paper-toy-all-table.md"
    assert ", before its first run (SHA-256 " in page.read_text()
    assert "changed after" not in page.read_text() + table.read_text()
    (place / "toys.toml").write_text(TOYS.replace("margin = 2.5", "margin = 0.1"))
    again = mtbench("run", "--suite", "toys.toml", "--seeds", "0,").output
    assert "Changed since: claims (1 added, 1 removed)." in again
    assert (place / path).read_bytes() == declared
    shown = mtbench("report", "--suite", "toys.toml").output
    changed = "The suite was changed after it was declared: claims (1 added, 1 removed)."
    assert all(changed in text for text in (shown, page.read_text(), table.read_text()))


def test_a_suite_that_is_declared_after_runs_of_it_are_there_is_said_to_be(place: Path) -> None:
    mtbench("run", "--methods", "single", "--dataset", "toy-all", "--seeds", "0,", "--set", "epochs=2", "--quiet")
    mtbench("run", "--suite", "toys.toml", "--seeds", "0,", "--dry-run")
    assert not (place / "results" / "local" / "suites").exists()
    mtbench("run", "--suite", "toys.toml", "--seeds", "0,", "--quiet")
    mtbench("report", "--suite", "toys.toml")
    page = place / "reports" / "local" / "toys" / "toys-paper-claims.md"
    assert ", when 1 run of it had a record (SHA-256 " in page.read_text()


def test_a_dry_run_says_which_seeds_and_hours_claims_need_by_runs_that_are_there(place: Path) -> None:
    none = mtbench("run", "--suite", "toys.toml", "--dry-run").output
    assert "The spread is unknown of 2 of 2 claims: there are no earlier runs of all their methods" in none
    grid = ("--methods", "single,uniform", "--dataset", "toy-all", "--epochs", "1", "--quiet")
    mtbench("run", *grid, "--seeds", "3", "--results", "earlier")
    told = mtbench("run", "--suite", "toys.toml", "--dry-run", "--from", "ear*").output
    assert "Seeds that decide each claim with 80 % power, and the hours to train them:" in told
    cell = r" +(>1000|\d+) +(\S+)"
    line = rf"^toy-all: uniform . Single task +2 +2\.5{cell} +[+-]\S+{cell} +\S+ +\[1\]$"
    assert re.search(line, told, re.MULTILINE)
    assert re.search(rf"^toy-all, upper: Single task . uniform +2 +1{cell} ", told, re.MULTILINE)
    assert "[1] 3 seeds at protocol paper, epochs=1 in earlier; epochs 1 in place of 2.\n" in told
    assert not (place / "results").exists()


def test_places_of_earlier_runs_are_for_dry_runs_of_suites() -> None:
    with pytest.raises(UsageError, match="Add --suite and --dry-run"):
        mtbench("run", "--suite", "toys.toml", "--from", "earlier")
    with pytest.raises(UsageError, match="--from names 'nowhere', and there is no such folder or pack"):
        mtbench("run", "--suite", "toys.toml", "--dry-run", "--from", "nowhere")


def test_claims_about_tuned_runs_are_judged_on_what_searches_of_equal_budgets_chose(place: Path) -> None:
    head = TOYS.partition("[labels]")[0].replace("epochs = 2", "epochs = 1")
    search = (
        '[[search]]\ndatasets = ["toy-all"]\nmethods = ["uniform", "single"]\nspace = { lr = "1e-4/3e-2" }\n'
        'sampler = "grid"\ntrials = 3\nobjective = "mean"\n'
    )
    claim = '[[claim]]\ndataset = "toy-all"\ncontrast = ["uniform", "single"]\nmetric = "delta_m"\n'
    (place / "tuned.toml").write_text('judges = "tuned"\n' + head + search + claim)
    assert mtbench("suite", "validate", "tuned.toml").exit_code == 0
    assert mtbench("run", "--suite", "tuned.toml", "--quiet").exit_code == 0
    text = mtbench("report", "--suite", "tuned.toml").output
    folder = place / "reports" / "local" / "tuned"
    (judged,) = pd.read_csv(folder / "tuned-paper-claims.csv").to_dict("records")
    frame = pd.read_csv(folder / "tuned-paper-toy-all-tuned.csv")
    gains = frame[frame["column"] == "delta_m"].set_index("method")["mean"]
    assert (judged["judges"], judged["n"]) == ("tuned", 2)
    assert judged["difference"] == pytest.approx(gains["uniform"] - gains["single"], abs=1e-9)
    assert "Runs are those with tuned settings." in (folder / "tuned-paper-claims.md").read_text()
    spent = pd.read_csv(folder / "tuned-paper-toy-all-tuned-ledger.csv").set_index("method")
    assert spent["trials"].to_dict() == {"uniform": 3, "single": 3, "all rows": 6}
    assert spent["runs"].to_dict() == {"uniform": 5, "single": 5, "all rows": 10}
    assert "resources spent on tuned settings" in text
