import dataclasses
import io
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from mtbench.plan.suite import Claim, Grid, PaperTable, Suite
from mtbench.plan.suite.planned import plan_suite
from mtbench.report.assemble import Report, assemble
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibit import Results
from mtbench.report.page.latex import render_latex
from mtbench.report.page.layout import Page
from mtbench.report.page.markdown import render_markdown
from mtbench.report.page.terminal import print_page
from tests.report.records import answering
from tests.report.typesetting import needs_latex, typeset

LONG = "branches+fixed:weights=.25/.25/.25/.25"
CORNERS = ("LU", "RL", "LL", "RU")
GAINS = {"single": 0.0, "uniform": 2.0, LONG: -1.0, "film": 0.02}
NASTY = r"_ & % # $ { } ~ ^ \ < > | ` -- ± é «中»"
PAPER = PaperTable(
    dataset="mmnist4",
    columns=CORNERS,
    n=5,
    set={"lr": 1e-3},
    rows={"single": ((95.73, 0.14),) * 4, "uniform": ((92.86, 0.3),) * 4, "film": (90.0,) * 4},
)
SUITE = Suite(
    name="pages",
    title=f"Pages with {NASTY}",
    source=f"Somebody, Some Title of a Paper {NASTY} (2020), Table 7",
    note=f"It departs from the paper {NASTY}. " * 3,
    settings={"seeds": 5},
    grid=(Grid(datasets=("mmnist4",), methods=tuple(GAINS), vary={"lr": (1e-3, 3e-3)}),),
    labels={"film": f"Scaled channels {NASTY}"},
    paper=(PAPER,),
    claim=tuple(
        dataclasses.replace(claim, dataset="mmnist4", set={"lr": rate}, metric=metric)
        for rate in (1e-3, 3e-3)
        for metric in ("mean", "RU", "delta_m")
        for claim in (
            Claim(dataset="", contrast=("uniform", "single"), margin=0.5),
            Claim(dataset="", contrast=("single", "uniform"), direction="worse"),
            Claim(dataset="", contrast=("film", "single"), direction="equivalent", margin=0.25),
            Claim(dataset="", contrast=(LONG, "uniform"), direction="worse", margin=0.5),
        )
    ),
)


@cache
def runs() -> SuiteRuns:
    drawn = np.random.default_rng(0).normal(scale=0.05, size=(5, len(GAINS), 4))
    found = []
    for spec in plan_suite(SUITE):
        method = LONG if spec.balancer.name == "fixed" else spec.titles.method
        values = 90 + spec.seed + GAINS[method] + drawn[spec.seed, list(GAINS).index(method)]
        found.append(answering(spec, dict(zip(CORNERS, values, strict=True))))
    (whole,) = suite_runs(SUITE, found)
    return whole


@cache
def report() -> Report:
    return assemble(Results.of_suite(runs(), Path("nowhere")))


def pages() -> list[Page]:
    return list(report().pages())


def test_pages_are_tables_each_with_the_papers_numbers_and_then_the_claims() -> None:
    assert [page.label for page in pages()] == [
        "pages-paper-mmnist4-lr-0.001",
        "pages-paper-mmnist4-lr-0.001-ledger",
        "pages-paper-mmnist4-lr-0.001-paper",
        "pages-paper-mmnist4-lr-0.003",
        "pages-paper-mmnist4-lr-0.003-ledger",
        "pages-paper-claims",
    ]


def test_without_claims_there_is_no_page_of_them() -> None:
    bare = dataclasses.replace(runs(), suite=dataclasses.replace(SUITE, claim=()))
    assert [page.label for page in assemble(Results.of_suite(bare)).pages()] == [page.label for page in pages()[:-1]]


def test_every_page_is_written_as_latex_and_markdown_and_its_numbers_as_csv(tmp_path: Path) -> None:
    names = {file.name for file in report().write(tmp_path)}
    stems = ["mmnist4-lr-0.001-table", "mmnist4-lr-0.001-paper", "mmnist4-lr-0.003-table", "claims"]
    assert names >= {f"pages-paper-{stem}.{kind}" for stem in stems for kind in ("tex", "md")}
    assert names >= {f"pages-paper-{stem}.csv" for stem in ("runs", "paper", "claims", "mmnist4-lr-0.001-table")}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert len((tmp_path / "pages-paper-claims.csv").read_text().splitlines()) == 1 + len(SUITE.claim)
    labels = re.findall(r"\\label\{(.*)\}", "".join(file.read_text() for file in tmp_path.glob("*.tex")))
    assert len(labels) == len(set(labels)) == 6


def test_the_paper_ours_and_their_difference_stay_together_where_blocks_are_cut() -> None:
    heads = re.findall(r"^method & (.*) \\\\$", render_latex(pages()[2]), re.MULTILINE)
    assert len(heads) > 1
    names = [
        re.sub(r"\\begin\{tabular\}.*?@\{\}\}|\\end\{tabular\}", "", cell)
        for head in heads
        for cell in head.split(" & ")
    ]
    assert [len(head.split(" & ")) % 3 for head in heads] == [0] * len(heads)
    assert [name.split()[-1] for name in names] == ["paper", "ours", "diff"] * 5


def test_a_console_too_narrow_for_three_numbers_has_them_one_by_one() -> None:
    text = printed(pages()[2], 36)
    assert sum("LU" in line for line in text.splitlines()) > 1
    assert all(f"{column} {what}" in text for column in ("LU", "mean") for what in ("paper", "ours", "diff"))


def test_a_negative_number_has_a_minus_in_latex_and_a_name_its_hyphen() -> None:
    text = render_latex(pages()[-1])
    assert re.search(r"& \$-\$[123]\.\d\d &", text)
    assert "$-$0.25" not in text
    assert re.search(r"\(?-[0-9]", text) is None


def printed(page: Page, width: int) -> str:
    file = io.StringIO()
    print_page(page, Console(file=file, width=width))
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 200])
def test_every_page_fits_the_console(width: int) -> None:
    for page in pages():
        lines = printed(page, width).splitlines()
        assert max(map(len, lines)) <= width
        assert not any("…" in line for line in lines)
        says = {cell.says for line in page.layout.lines for cell in line[1:]}
        assert says <= set(re.split(r"\s{2,}|\n", printed(page, 1000)))


def test_claims_on_80_columns_begin_with_what_was_claimed_and_what_came_of_it() -> None:
    head = printed(pages()[-1], 80).splitlines()[1]
    assert head.split()[:6] == ["claim", "claimed", "verdict", "holds", "ours", "paper"]


def test_pages_read_as_markdown() -> None:
    for page in pages():
        title, table, caption, *_ = render_markdown(page).split("\n\n")
        assert title.startswith("### pages")
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
        assert caption


@needs_latex
def test_pdflatex_sets_every_page_within_the_line(tmp_path: Path) -> None:
    log = typeset(tmp_path, [render_latex(page) for page in pages()])
    assert "multiply defined" not in log
