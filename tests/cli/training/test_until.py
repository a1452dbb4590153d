"""``mtbench run --until-decided`` and reports of its runs, as a person uses them."""

import os
import re
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from mtbench.cli.app import app
from mtbench.door.training.until import UntilDecided
from mtbench.errors import DamagedRecord, UsageError
from mtbench.plan.suite.file import find_suite
from tests.cli.commands import call, start
from tests.report.records import finished, unfinished
from tests.waits import wait_until

SUITE = """\
title = "Toys"

[protocol]
base = "quick"
epochs = 1
images = 64
seeds = 2

[[grid]]
datasets = ["toy-all"]
methods = ["uniform", "single", "branches+pcgrad", "moo"]

[[claim]]
dataset = "toy-all"
contrast = ["uniform", "single"]
direction = "equivalent"
margin = 99

[[claim]]
dataset = "toy-all"
contrast = ["branches+pcgrad", "uniform"]
"""
COMMAND = ("run", "--suite", "toys.toml", "--until-decided", "--jobs", "2")
MINUS = "\N{MINUS SIGN}"
PLAN = Path("results/local/suites/looks/toys-quick.json")


def mtbench(*arguments: str) -> Result:
    return call(app, *arguments)


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the command was done, and its output."""
    folder = tmp_path_factory.mktemp("decided")
    (folder / "toys.toml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MTBENCH_DATA", str(folder / "data"))
        patch.setenv("COLUMNS", "400")
        done = mtbench(*COMMAND, "--looks", "3,4")
    assert done.exit_code == 0, done.output
    return folder, done.output


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "toys.toml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def copied(place: Path, decided: tuple[Path, str]) -> Path:
    """A copy of the folder in which the command was done."""
    shutil.copytree(decided[0], place, dirs_exist_ok=True)
    return place


def seeds(folder: Path, method: str) -> list[int]:
    records = (folder / "results" / "local" / "toy-all" / method).glob("seed-*/record.json")
    return sorted(int(path.parent.name.split("-")[1]) for path in records)


def test_seeds_are_added_for_open_claims_only_and_methods_without_a_claim_are_not_trained(
    decided: tuple[Path, str],
) -> None:
    folder, said = decided
    assert "The looks, at 3, 4 seeds, were sealed on" in said
    assert ", before the first run." in said
    assert [seeds(folder, method) for method in ("single", "uniform", "branches+pcgrad", "moo")] == [
        [0, 1, 2],
        [0, 1, 2, 3],
        [0, 1, 2, 3],
        [],
    ]
    first, second = said.split("Look 1 of 2, 3 seeds:")[1].split("Look 2 of 2, 4 seeds:")
    assert re.search(rf"uniform {MINUS} single +3 .* equivalent +yes", first)
    assert re.search(rf"pcgrad {MINUS} uniform△? +3 .* undecided +open", first)
    assert "single" not in second.split("2 claims:")[0]
    assert "2 claims: 1 decided, 1 undecided after the last look.\n" in second


def test_the_same_command_trains_nothing_and_decides_alike(copied: Path, decided: tuple[Path, str]) -> None:
    again = mtbench(*COMMAND).output
    assert again.count(" 0 to do") == 2
    assert again.split("2 claims:")[1] == decided[1].split("2 claims:")[1]
    assert seeds(copied, "uniform") == [0, 1, 2, 3]


def test_reports_judge_by_the_looks_and_mark_methods_whose_seeds_were_added(copied: Path) -> None:
    shown = mtbench("report", "--suite", "toys.toml", "--out", "out").output
    frame = pd.read_csv(copied / "out" / "toys-quick-claims.csv")
    assert list(frame["look"]) == [1, 2]
    assert list(frame["n"]) == [3, 4]
    assert list(frame["decided"]) == [True, False]
    assert list(frame["verdict"]) == ["equivalent", "undecided"]
    assert list(frame["n_grew_after_a_look"]) == [False, True]
    assert frame[["t95_low", "p", "sign_flip_p"]].isna().all(axis=None)
    assert "equivalent, at look 1 of 2 (n = 3) estimate " in shown
    assert "undecided, after the last look (n = 4) estimate " in shown
    assert "△ n grew after a look, as the plan allows" in shown
    for table in (shown, mtbench("report", "--out", "plain").output):  # also without the suite
        assert re.search(r"^uniform△ ", table, re.MULTILINE)
        assert re.search(r"^branches\+pcgrad△ ", table, re.MULTILINE)
        assert re.search(r"^single ", table, re.MULTILINE)
        assert "△ n grew after a look: seeds were added until claims were decided" in table
    assert "n grew after a look" in (copied / "plain" / "index.html").read_text()
    rows = pd.read_csv(next((copied / "plain").glob("*-table.csv")))
    grown = rows[rows["n_grew_after_a_look"].astype(str) == "True"]
    assert set(grown["method"]) == {"uniform", "branches+pcgrad"}


@pytest.mark.parametrize("option", [("--max-seeds", "12"), ("--looks", "3,5")])
def test_other_looks_than_those_of_the_sealed_plan_are_refused(copied: Path, option: tuple[str, str]) -> None:
    before = (copied / PLAN).read_bytes()
    with pytest.raises(UsageError, match=rf"sealed plan of looks {PLAN} of .* has looks at 3, 4 seeds"):
        mtbench(*COMMAND, *option)
    assert (copied / PLAN).read_bytes() == before


def test_a_plan_that_was_edited_is_refused_by_name(copied: Path) -> None:
    text = (copied / PLAN).read_text()
    (copied / PLAN).write_text(re.sub(r"(\s)4(\s)", r"\g<1>40\2", text, count=1))
    assert (copied / PLAN).read_text() != text
    with pytest.raises(DamagedRecord, match=rf"the plan of looks {PLAN} is damaged: its checksum is"):
        mtbench(*COMMAND)
    verified = mtbench("store", "verify", "results/local")
    assert verified.exit_code == 1
    assert f"the plan of looks {PLAN} is damaged" in verified.output


def test_claims_that_were_changed_after_the_plan_are_refused(copied: Path) -> None:
    (copied / "toys.toml").write_text(SUITE.replace("margin = 99", "margin = 5"))
    with pytest.raises(UsageError, match=r"the claims of suite 'toys' are not those of the sealed plan of looks"):
        mtbench(*COMMAND)


def test_a_command_that_is_killed_between_looks_goes_on_and_decides_alike(
    place: Path, decided: tuple[Path, str]
) -> None:
    process = start(*COMMAND, "--looks", "3,4")
    wait_until(lambda: len(list(place.rglob("record.json"))) >= 4 or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=300)
    resumed = mtbench(*COMMAND).output
    assert resumed.split("2 claims:")[1] == decided[1].split("2 claims:")[1]
    assert seeds(place, "single") == [0, 1, 2]


def test_a_claim_whose_runs_fail_is_not_judged_and_the_command_says_so(place: Path) -> None:
    failing = (
        SUITE.replace('"moo"]', '"toy-crash"]')
        + '[[claim]]\ndataset = "toy-all"\ncontrast = ["toy-crash", "uniform"]\n'
    )
    (place / "toys.toml").write_text(failing)
    done = mtbench(*COMMAND, "--looks", "3,4")
    assert done.exit_code == 1
    assert re.search(r"failed toy-all toy-crash seeds 0, 1, 2: .*the third step is one too many", done.output)
    assert re.search(rf"toy-crash {MINUS} uniform +0/3 .* not judged: runs lack +open", done.output)
    assert (
        "3 claims: 1 decided, 1 undecided after the last look, 1 not judged to the end, since runs lack." in done.output
    )
    assert seeds(place, "branches+pcgrad") == [0, 1, 2, 3]


def test_a_plan_counts_the_runs_that_had_a_record(place: Path) -> None:
    until = UntilDecided(suite=find_suite("toys.toml"), base="", settings={}, results=place, looks=(2, 4))
    specs = until.specs((2, 4))
    assert len({spec.id for spec in specs}) == len(specs) == 12
    plan = until.new_plan([finished(), finished(seed=1), unfinished("missing")])
    assert (plan.seen, plan.size, plan.looks, len(plan.later)) == (2, "quick", (2, 4), 6)
    assert set(plan.later) == {spec.id for spec in specs if spec.seed >= 2}


def test_the_runs_of_a_claim_across_settings_are_those_under_both(place: Path) -> None:
    varied = SUITE.partition("[[claim]]")[0] + 'vary = { beta1 = [0.0, 0.5, 0.9] }\n\n[[claim]]\ndataset = "toy-all"\n'
    claim = 'method = "moo"\nagainst = "uniform"\nsettings = [{ beta1 = 0.0 }, { beta1 = 0.9 }]\n'
    (place / "toys.toml").write_text(varied + claim)
    until = UntilDecided(suite=find_suite("toys.toml"), base="", settings={}, results=place, looks=(2, 4))
    found = {(spec.titles.method, spec.protocol.beta1) for spec in until.specs((2,))}
    assert found == {(method, beta1) for method in ("moo", "uniform") for beta1 in (0.0, 0.9)}
    (place / "toys.toml").write_text(varied + claim.replace('against = "uniform"\n', 'metric = "delta_m"\n'))
    until = UntilDecided(suite=find_suite("toys.toml"), base="", settings={}, results=place, looks=(2, 4))
    found = {(spec.titles.method, spec.protocol.beta1) for spec in until.specs((2,))}
    assert found == {(method, beta1) for method in ("moo", "single") for beta1 in (0.0, 0.9)}


def test_a_dry_run_shows_the_looks_and_writes_nothing(place: Path) -> None:
    shown = mtbench(*COMMAND, "--max-seeds", "10", "--dry-run").output
    assert "Looks at 3, 5, 8, 10 seeds, not sealed yet" in shown
    assert re.search(r" 1 +0 to 2 +9 +9 ", shown)
    assert re.search(r" 4 +8 to 9 +6 +6 ", shown)
    assert "Not trained here: 1 method of its grid that no claim is about (see mtbench run --suite toys.toml)." in shown
    assert sorted(path.name for path in place.iterdir()) == ["toys.toml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--max-seeds", "9"), r"--max-seeds was given without --until-decided\."),
        (("--until-decided", "--seeds", "3"), r"--seeds and --until-decided were both given"),
        (("--until-decided", "--looks", "5,3"), r"--looks is '5,3'\. Allowed: ascending numbers of seeds"),
        (("--until-decided", "--looks", "3,5", "--max-seeds", "9"), r"the last of the looks 3, 5 is at 5 seeds"),
        (("--until-decided", "--max-seeds", "1"), r"--max-seeds is 1\. Allowed: 2 to "),
        (("--until-decided", "--set", "lr=0.5"), r"runs with lr=0\.5 are not those of suite 'toys'"),
    ],
)
@pytest.mark.usefixtures("place")
def test_options_that_contradict_each_other_are_refused(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        mtbench("run", "--suite", "toys.toml", *arguments)


def test_what_has_no_claims_cannot_be_decided(place: Path) -> None:
    with pytest.raises(UsageError, match="--until-decided was given without a suite"):
        mtbench("run", "--methods", "td", "--dataset", "toy-all", "--until-decided")
    (place / "toys.toml").write_text(SUITE.partition("[[claim]]")[0])
    with pytest.raises(UsageError, match="suite 'toys' has no claims"):
        mtbench(*COMMAND)


def test_looks_are_not_sealed_for_an_engine_that_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toys.toml").write_text(SUITE)
    with pytest.raises(UsageError, match="slurm:follow=true"):
        mtbench("run", "--suite", "toys.toml", "--until-decided", "--engine", "slurm")
    assert not (tmp_path / "results").exists()
