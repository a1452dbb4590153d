import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mtbench.errors import UsageError
from mtbench.report.assemble import Report, make_report
from mtbench.report.data.choices import Choices, RankFamily
from mtbench.report.data.paper import PaperStyle, parse_style
from mtbench.store.status import RunStatus
from tests.report.paper.package import TITLES, named_package
from tests.report.records import INDOOR_SINGLE, INDOOR_UNIFORM, beside, finished, indoor, many_runs, mixed_runs
from tests.report.typesetting import needs_latex, typeset


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from named_package(tmp_path, monkeypatch)


def report_of(runs: Sequence[RunStatus], style: PaperStyle, *metrics: str) -> Report:
    return make_report(runs, choices=Choices(metrics=metrics, paper=style))


def table_of(runs: Sequence[RunStatus], style: PaperStyle, *metrics: str) -> list[list[str]]:
    """Return the rows of the only table, with its head."""
    page = next(iter(report_of(runs, style, *metrics).pages()))
    return [[*page.layout.header], *([words.says for words in line] for line in page.layout.lines)]


def texts_of(runs: Sequence[RunStatus], style: PaperStyle, *metrics: str) -> dict[str, str]:
    """Return the files in LaTeX of the summary table."""
    return dict(next(piece.texts for piece in report_of(runs, style, *metrics).shown if piece.texts))


def test_columns_stand_in_their_order_with_as_many_decimals_and_the_best_method_first() -> None:
    runs = [
        finished(name, seed, (score + seed, 80 - score / 10))
        for name, score in (("td", 70), ("moo", 80), ("single", 60))
        for seed in (0, 1)
    ]
    style = PaperStyle(columns=("RL", "mean", "delta-m", "n"), digits=1, sort="mean")
    assert table_of(runs, style) == [
        ["method", "RL", "mean", "Δm ↑", "n"],
        ["MGDA-UB", "72.0 ± 0.0", "76.2 ± 0.4", "+15.2 ± 0.2", "2"],
        ["Top-down", "73.0 ± 0.0", "71.8 ± 0.4", "+7.6 ± 0.1", "2"],
        ["Single-task", "74.0 ± 0.0", "67.2 ± 0.4", "+0.0 ± 0.0", "2"],
    ]
    assert [row[0] for row in table_of(runs, PaperStyle(sort="RL"))] == ["method", "Single-task", "Top-down", "MGDA-UB"]


def test_intervals_of_ranks_are_a_column_by_whose_middle_methods_are_sorted() -> None:
    levels = {"td": 70, "moo": 80, "single": 60, "film": 80.1}
    noise = (0.3, -0.2, 0.1, -0.3), (-0.1, 0.2, -0.3, 0.1), (-0.2, 0.0, 0.2, 0.2), (0.1, -0.3, 0.1, 0.3)
    runs = [
        finished(name, seed, (level + shifts[seed], level))
        for (name, level), shifts in zip(levels.items(), noise, strict=True)
        for seed in range(4)
    ]
    style = PaperStyle(columns=("mean", "rank-interval"), digits=1, sort="rank-interval", underline_second=True)
    choices = Choices(paper=style, rank_intervals=RankFamily(pairs="letters"))
    piece = next(piece for piece in make_report(runs, choices=choices).shown if piece.texts)
    (page,) = piece.pages.values()
    assert [[words.says for words in line[::2]] for line in page.layout.lines] == [
        ["FiLM", "1 to 2 a"],
        ["MGDA-UB", "1 to 2 a"],
        ["Top-down", "3 b"],
        ["Single-task", "4 c"],
    ]
    tex = next(text for name, text in piece.texts.items() if name.endswith("table.tex"))
    assert "; rank: by mean accuracy, 95 \\% confidence for all methods together (all 6 pairs of 4 methods" in tex
    assert "\\underline{3" not in tex
    usual = texts_of(runs, PaperStyle(columns=("mean",)))
    assert not any("rank: by" in text for name, text in usual.items() if name.endswith("table.tex"))


def test_methods_are_sorted_by_the_good_direction_of_the_column_and_those_without_a_number_are_last() -> None:
    runs = [indoor("single", 0, INDOOR_SINGLE), indoor("td", 0, INDOOR_UNIFORM)]
    assert [row[0] for row in table_of(runs, PaperStyle(sort="depth"))[1:]] == ["Top-down", "Single-task"]
    assert [row[0] for row in table_of(runs, PaperStyle(sort="normals"))[1:]] == ["Single-task", "Top-down"]
    rows = table_of(mixed_runs(), PaperStyle(sort="LU"))
    assert [row[0] for row in rows[1:]] == ["Top-down", "MGDA-UB", "Channel modulation", "Single-task"]


def test_a_number_of_stale_or_missing_runs_has_a_mark_in_its_cell_and_nothing_of_the_footnotes_is_lost() -> None:
    style = PaperStyle(columns=("LU", "mean"), digits=1)
    assert table_of(mixed_runs(), style)[1] == ["Channel modulation", "69.5 ± 0.7†#", "65.8 ± 1.1†#"]
    table, details = texts_of(mixed_runs(), style).values()
    assert r"69.5\,{\scriptsize$\pm$\,0.7}$^{\dagger\#}$" in table
    assert r"$^\dagger$: a run is stale; \#: runs are lacking; details are in Appendix~\ref{app:" in table
    assert "1 failed (seed 2: loss of task LU became NaN at step 14)" in details
    assert "Stale runs: code or data that their numbers depend on has changed" in details
    assert "Training: 100 epochs" in details
    assert "Top-down (td)~\\cite{levi2020topdown}" in details
    assert "Methods" not in table


def test_the_caption_is_one_sentence() -> None:
    (caption,) = re.findall(
        r"\\caption\[.*?\]\{(.*)\}\n", texts_of(mixed_runs(), PaperStyle())["mmnist2-paper-table.tex"]
    )
    said = re.sub(r"\{?\[\}?|\\[a-z]+|\$", "", caption)
    assert re.findall(r"[.!?](?=\s|$)", said) == ["."]


def test_the_second_best_mean_is_underlined_if_asked_and_none_that_is_not_above_the_constant() -> None:
    means = {"td": 80.0, "moo": 79.0, "chmod": 79.0, "film": 78.0}
    runs = [finished(name, 0, (mean, 50.0)) for name, mean in means.items()]
    table = texts_of(runs, PaperStyle(underline_second=True))["mmnist2-paper-table.tex"]
    assert re.findall(r"^(\S+).*& \\underline\{79.00\}", table, re.MULTILINE) == ["Channel", "MGDA-UB"]
    assert "underlined: second best mean" in table
    assert "50.00}" not in table
    assert r"\underline" not in texts_of(runs, PaperStyle())["mmnist2-paper-table.tex"]
    low = [beside(run, {"LU": 85.0, "RL": 85.0}) for run in runs]
    assert r"\underline" not in texts_of(low, PaperStyle(underline_second=True))["mmnist2-paper-table.tex"]


def test_a_column_that_no_table_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"--columns is 'meen', and no table here .*Did you mean 'mean'\? Colu"):
        table_of(mixed_runs(), PaperStyle(columns=("RL", "meen")))
    with pytest.raises(UsageError, match=r"--sort is 'accuracy', and no table here has such a column"):
        table_of(mixed_runs(), PaperStyle(sort="accuracy"))


def test_a_table_shows_those_of_the_chosen_columns_that_it_has() -> None:
    runs = [finished("td"), finished("td", 0, {"a": 1.0, "b": 2.0}, dataset="mmnist3")]
    made = report_of(runs, PaperStyle(columns=("LU", "b", "mean")))
    tables = [page for page in made.pages() if not page.label.endswith("-ledger")]
    assert [page.layout.header for page in tables] == [("method", "LU", "mean"), ("method", "b", "mean")]


def test_chosen_columns_without_room_are_refused_and_usual_ones_are_left_out_and_named() -> None:
    tasks = [f"digit {place}" for place in range(9)]
    runs = many_runs(tasks=tasks)
    with pytest.raises(UsageError, match=r"take about \d+ points, and there are 229\. Choose fewer --col"):
        table_of(runs, PaperStyle(columns=tuple(tasks)))
    made = report_of(runs, PaperStyle())
    page = next(iter(made.pages()))
    assert page.layout.header == ("method", "mean", "Δm ↑")
    assert page.footnotes[-1].startswith("There is no room for the columns digit 0, digit 1")
    assert "There is no room for the columns digit 0" in texts_of(runs, PaperStyle())["mmnist2-quick-details.tex"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"style": "papper"}, r"--style is 'papper'\. Did you mean 'paper'\? Allowed: report, paper\."),
        ({"columns": "mean"}, r"--columns is for --style paper\. Add --style paper"),
        ({"style": "report", "wide": True}, r"--wide is for --style paper"),
        ({"style": "paper", "digits": 9}, r"--digits is 9\. Allowed: 0 to 6\."),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, object], says: str) -> None:
    usual = {"style": "", "columns": "", "digits": None, "sort": "", "wide": False, "underline_second": False}
    with pytest.raises(UsageError, match=says):
        parse_style(**{**usual, **options})  # type: ignore[arg-type]


@needs_latex
@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("columns", [1, 2])
def test_pdflatex_sets_tables_and_details_within_the_line(tmp_path: Path, columns: int) -> None:
    nasty = [finished(name, seed, (90 + seed, 80 - seed)) for name in (*TITLES, r"_&%#${}~^\<>|") for seed in (0, 1)]
    best = [finished("td", seed, (95 + 2 * seed, 90 + seed)) for seed in range(3)]
    long = "td:channels=6:bu2=mul+fixed:weights=.3/.4/.3"
    letters = (long, "MMMMMMMMMM WWWWWWWWWW")
    wide = [finished(name, seed, (-1234.5, 12345.6), unit="") for name in letters for seed in (0, 1)]
    indoors = [indoor(name, seed, INDOOR_UNIFORM) for name in ("single", "td", "mtan") for seed in (0, 1)]
    asked = [
        (nasty, PaperStyle(underline_second=True)),
        (nasty, PaperStyle(wide=True)),
        ([*best, *nasty], PaperStyle(columns=("LU", "RL", "mean"), digits=1)),
        (mixed_runs(), PaperStyle(columns=("LU", "RL", "mean"), digits=1)),
        (many_runs(), PaperStyle(columns=("mean", "time", "memory"))),
        (many_runs(tasks=[f"digit {place}" for place in range(9)]), PaperStyle(wide=True, digits=1)),
        (wide, PaperStyle(columns=("LU", "RL"))),
        (indoors, PaperStyle(wide=True)),
    ]
    tables = [text for runs, style in asked for text in texts_of(runs, style).values()]
    tables = [re.sub(r"(tab|app):", rf"\1:{place}", text) for place, text in enumerate(tables)]
    typeset(tmp_path, tables, columns=columns)


@pytest.mark.usefixtures("package")
def test_titles_of_plugins_stand_in_both_styles_as_latex_prints_them() -> None:
    table = texts_of([finished(name) for name in TITLES], PaperStyle())["mmnist2-paper-table.tex"]
    assert r"a\_b \& 50\% & 90.00" in table
    assert r"\textless{}img src=x" in table


def test_a_report_in_the_style_of_a_paper_has_the_references_of_its_methods(tmp_path: Path) -> None:
    files = report_of([finished("td"), finished("branches+cagrad")], PaperStyle()).write(tmp_path)
    assert {"mmnist2-paper-table.tex", "mmnist2-paper-details.tex", "numbers.tex", "references.bib"} <= {
        file.name for file in files
    }
    bibtex = (tmp_path / "references.bib").read_text()
    assert re.findall(r"^@\w+\{([^,]+),$", bibtex, re.MULTILINE) == ["levi2020topdown", "liu2021conflict"]
