"""Numbers of a suite's claims in sentences, in Markdown and LaTeX."""

import subprocess
from pathlib import Path

import numpy as np
from scipy import stats

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Claim, Grid, Suite
from mtbench.report.assemble import assemble
from mtbench.report.check.documents import check_document, source_of
from mtbench.report.exhibit import Results
from mtbench.report.prose.numbers import numbers_tex
from mtbench.store.status import RunStatus
from tests.report.records import finished
from tests.report.suite_runs import filled
from tests.report.typesetting import needs_latex

METHODS = ("uniform", "td", "chmod")
GAINS = {"uniform": (0.0, 0.0, 0.0, 0.0), "td": (2.0, 2.1, 1.9, 2.2), "chmod": (-3.0, -2.9, -3.1, -3.2)}
"""The gain of each method over `uniform`, per seed."""
SUITE = Suite(
    name="claimed",
    title="",
    grid=(Grid(datasets=("mmnist2",), methods=METHODS),),
    claim=(
        Claim(dataset="mmnist2", contrast=("td", "uniform"), margin=0.5),
        Claim(dataset="mmnist2", contrast=("chmod", "uniform")),
        Claim(dataset="mmnist2", contrast=("chmod", "uniform"), direction="worse"),
        Claim(dataset="mmnist2", contrast=("td", "uniform"), metric="LU", margin=50),
    ),
    labels={"td": "top-down"},
)
TABLE = "claims of claimed, paper"


def run(method: str, _: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
    value = 90 + 0.1 * seed + GAINS[method][seed]
    return finished(method, seed, (value, value), protocol=protocol, stale="code changed" if method == "chmod" else "")


def results(*, quick: bool = False, seeds: int = 4) -> Results:
    return Results.of_suite(filled(SUITE, run, seeds=seeds, quick=quick), Path("nowhere"))


def says(call: str, written: str, folder: Path, *, quick: bool = False, seeds: int = 4) -> str:
    """Return what is found of a number in a document."""
    path = folder / "README.md"
    path.write_text(f"It is <!-- {call} -->{written}<!-- /mtb -->.\n")
    found = check_document(path, source_of([assemble(results(quick=quick, seeds=seeds))])).findings
    return " ".join(str(each).removeprefix(f"{path}:1: ") for each in found)


def test_the_difference_of_a_claim_has_its_interval_and_its_number_of_seeds(tmp_path: Path) -> None:
    gains = np.array(GAINS["td"])
    half = float(stats.t.ppf(0.975, 3)) * gains.std(ddof=1) / 2
    for kind, written in (
        ("", f"{gains.mean():+.2f}"),
        ("interval", f"{gains.mean() - half:+.2f} to {gains.mean() + half:+.2f}"),
        ("n", "4"),
    ):
        call = rf"\mtb{kind}{{{TABLE}}}{{mmnist2: top-down - uniform}}{{difference}}"
        assert says(call, written, tmp_path) == ""
        assert f"'0.00' is written, the records say '{written}'." in says(call, "0.00", tmp_path)


def test_a_verdict_agrees_with_its_claim_or_not_and_a_preview_cannot_tell(tmp_path: Path) -> None:
    agreement = {
        "mmnist2: top-down - uniform": "agrees",
        "mmnist2: chmod - uniform, better": "disagrees",
        "mmnist2: chmod - uniform, worse": "agrees",
    }
    for name, word in agreement.items():
        call, preview = (
            rf"\mtbcell{{claims of claimed, {size}}}{{{name}}}{{agreement}}" for size in ("paper", "quick")
        )
        mark = "†" if "chmod" in name else ""
        assert says(call, f"{word}{mark}", tmp_path) == ""
        assert says(preview, f"cannot tell{mark}", tmp_path, quick=True) == ""
    call = rf"\mtb{{{TABLE}}}{{mmnist2: top-down - uniform}}{{verdict}}"
    assert says(call, "better by \\> 0.5", tmp_path) == ""


def test_two_seeds_cannot_tell_whatever_their_verdict(tmp_path: Path) -> None:
    call = rf"\mtb{{{TABLE}}}{{mmnist2, LU: top-down - uniform}}"  # equivalent within 50 points
    for seeds, word in ((2, "cannot tell"), (3, "disagrees")):
        assert says(f"{call}{{verdict}}", "equivalent", tmp_path, seeds=seeds) == ""
        assert says(f"{call}{{agreement}}", word, tmp_path, seeds=seeds) == ""


def test_a_claim_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = says(rf"\mtb{{{TABLE}}}{{mmnist2: top-down - unifor}}{{difference}}", "0", tmp_path)
    assert f"there is no claim 'mmnist2: top-down - unifor' in '{TABLE}'." in found
    assert "Did you mean 'mmnist2: top-down - uniform'?" in found
    absent = says(rf"\mtb{{{TABLE}}}{{mmnist2: top-down - uniform}}{{paper}}", "0", tmp_path)
    assert "there is no number of 'mmnist2: top-down - uniform' in column 'paper'" in absent


@needs_latex
def test_latex_prints_claims_by_the_same_names(tmp_path: Path) -> None:
    whole = results()
    calls = {
        rf"\mtb{{{TABLE}}}{{mmnist2: top-down - uniform}}{{difference}}": "+2.05",
        rf"\mtb{{{TABLE}}}{{mmnist2, LU: top-down - uniform}}{{agreement}}": "disagrees",  # equivalent
        rf"\mtbn{{{TABLE}}}{{mmnist2: chmod - uniform, worse}}{{verdict}}": "4",
    }
    body = "".join(rf"\typeout{{[[{call}]]}}{call}" for call in calls)
    (tmp_path / "numbers.tex").write_text(numbers_tex(whole, whole.comparisons))
    (tmp_path / "paper.tex").write_text(
        f"\\documentclass{{article}}\\input{{numbers}}\\begin{{document}}{body}\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout
    assert all(f"[[{says}]]" in done.stdout for says in calls.values()), done.stdout
