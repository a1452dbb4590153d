import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mtbench.plan.suite import Grid, Suite
from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.conventions.convert import Asked, converted
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.summary.quantities import quantities
from mtbench.report.prose.names import macro, method_names, short_name
from mtbench.report.prose.numbers import file_name, numbers_tex
from mtbench.store.status import RunStatus
from tests.report.curves import along, better
from tests.report.records import INDOOR_SINGLE, INDOOR_UNIFORM, PAPER, QUICK, beside, finished, indoor, mixed_runs
from tests.report.suite_runs import filled
from tests.report.typesetting import needs_latex

NAMES = ("a_b & 50%", "<img src=x onerror=alert(1)>", r"{\odd} #1 ~ ^^A $x$", "td:channels=6@vgg11", "中é")


def results_of(runs: Sequence[RunStatus], choices: Choices = DEFAULT) -> Results:
    return Results(comparisons=tuple(compare(runs)), choices=choices)


def numbers_of(runs: Sequence[RunStatus]) -> str:
    results = results_of(runs)
    return numbers_tex(results, results.comparisons)


def compiled(folder: Path, numbers: str | Sequence[str], body: str) -> tuple[int, str]:
    """Return the exit status of pdflatex for a document with numbers, and its log in one line."""
    files = [numbers] if isinstance(numbers, str) else numbers
    for place, content in enumerate(files):
        (folder / f"numbers-{place}.tex").write_text(content)
    inputs = "".join(f"\\input{{numbers-{place}}}\n" for place in range(len(files)))
    (folder / "prose.tex").write_text(
        f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n{inputs}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "prose.tex"]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=300,
        env={**os.environ, "max_print_line": "10000"},
    )
    log = done.stdout.decode(errors="replace").replace("\n(mtbench)", "\n")
    return done.returncode, " ".join(log.split())


def written(log: str) -> list[str]:
    """Return the texts between brackets that a document wrote to its log."""
    signs = {r"\ensuremath {-}": "-", r"\ensuremath {\times }": "\N{MULTIPLICATION SIGN}"}
    texts = re.findall(r"\[\[(.*?)\]\]", log)
    for sign, letter in signs.items():
        texts = [text.replace(sign, letter) for text in texts]
    return texts


@needs_latex
def test_each_macro_expands_to_the_number_in_the_cell_of_the_table_whatever_the_names(tmp_path: Path) -> None:
    runs = [
        finished(name, seed, (90 + seed, 80 + 2.5 * seed * place))
        for place, name in enumerate(NAMES)
        for seed in (0, 1)
    ]
    runs += [finished("single", seed, (89, 85 - seed)) for seed in (0, 1)]
    results = results_of([beside(run, {"LU": 10.25, "RL": 9.75}) for run in runs])
    (comparison,) = results.comparisons
    table = results.table(comparison)
    said = {
        macro(name, method, quantity.name, kind): text
        for name in ("mmnist2", "mmnist2, paper")
        for quantity in quantities(comparison, table)
        for method, number in zip(
            [*(row.method for row in table.rows), "majority class"], [*quantity.numbers, quantity.below], strict=True
        )
        for kind, text in (("", number.says), ("sd", number.std), ("n", number.std and str(number.n)))
        if text
    }
    body = "\n".join(rf"\typeout{{[[{call}]]}}" for call in said)
    code, log = compiled(tmp_path, numbers_tex(results, [comparison]), body)
    assert code == 0, log
    assert len(said) > 200
    assert written(log) == [*said.values()]


@needs_latex
def test_macros_print_in_sentences_formulas_captions_tables_and_headings(tmp_path: Path) -> None:
    nasty = macro("mmnist2", NAMES[0], "mean", "cell")
    runs = [finished(name, seed, (90 + seed, 80)) for name in (*NAMES, "single") for seed in (0, 1)]
    body = rf"""
    \tableofcontents
    \section{{{nasty}}}
    A mean of {nasty}, ${macro("mmnist2", NAMES[1], "delta-m")}\,\%$
    ({macro("mmnist2", NAMES[2], "delta-m", "interval")}),
    and with backslashes \mtb{{mmnist2}}{{a\_b \& 50\%}}{{mean}}\footnote{{{nasty}}}.
    \begin{{table}}\caption{{{nasty}}}
    \begin{{tabular}}{{ll}}{nasty} & {macro("mmnist2", NAMES[4], "time")}\\\end{{tabular}}\end{{table}}
    """
    for _ in range(2):  # the second time with its table of contents
        code, log = compiled(tmp_path, numbers_of(runs), body)
        assert code == 0, log


@needs_latex
def test_a_number_that_is_not_there_is_an_error_that_names_what_is_missing(tmp_path: Path) -> None:
    errors = {
        r"\mtb{mmnist3}{td}{LU}": "there is no table 'mmnist3' in the numbers of mtbench report. Tables: 'mmnist2, ",
        r"\mtb{mmnist2}{a_b}{LU}": "there is no method 'a_b' in 'mmnist2, paper'. Methods: 'chmod' 'moo' 'single' 'td",
        r"\mtbn{mmnist2}{td}{MU}": "there is no column 'MU' in 'mmnist2, paper'. Columns: 'LU' 'RL' 'mean' 'rank-in",
        r"\mtb{mmnist2}{single}{LU}": "there is no number of 'single' in column 'LU' of 'mmnist2, paper'. single: 1 da",
        r"\mtbsd{mmnist2}{td}{time}": "there is no standard deviation of 'td' in column 'time' of 'mmnist2, paper'.",
        r"\mtbinterval{mmnist2}{td}{n}": "there is no interval of 'td' in column 'n' of 'mmnist2, paper'.",
    }
    code, log = compiled(tmp_path, numbers_of(mixed_runs()), "\n\n".join(errors))
    assert code != 0
    assert log.count("! Package mtbench Error:") == len(errors)
    for error in errors.values():
        assert f"! Package mtbench Error: {error}" in log


@needs_latex
def test_two_files_may_say_the_same_and_not_two_numbers_under_one_name(tmp_path: Path) -> None:
    one, other = numbers_of([finished("td", 0, (90, 80))]), numbers_of([finished("td", 0, (91, 80))])
    assert compiled(tmp_path, [one, one], r"\mtb{mmnist2}{td}{LU}")[0] == 0
    code, log = compiled(tmp_path, [one, other], "")
    assert code != 0
    assert "! Package mtbench Error: 'LU' of 'td' in 'mmnist2, paper' has two meanings" in log


@needs_latex
def test_a_number_of_stale_or_missing_runs_has_its_marks_and_a_warning(tmp_path: Path) -> None:
    body = r"\renewcommand\mtbmark[1]{\typeout{[[\detokenize{#1}]]}}\mtb{mmnist2}{chmod}{LU} \mtbsd{mmnist2}{td}{LU}"
    code, log = compiled(tmp_path, numbers_of(mixed_runs()), body)
    assert code == 0, log
    assert written(log) == [r"\dagger \#"]
    assert "'LU' of 'chmod' in 'mmnist2, paper' has a mark. chmod" in log
    assert "1 failed (seed 2: loss of task LU became NaN at step 14)" in log


def test_the_name_of_the_dataset_alone_is_refused_where_it_could_be_of_two_tables() -> None:
    def names(*runs: RunStatus) -> list[str]:
        comparisons = compare(runs)
        return [short_name(each, comparisons) for each in comparisons]

    paper, quick = finished(), finished(protocol=QUICK)
    slow = finished(protocol=replace(PAPER, lr=0.1), title="paper, lr=0.1")
    assert names(paper) == ["mmnist2"]
    assert names(paper, quick) == ["mmnist2", "mmnist2, quick"]
    assert names(paper, slow) == ["mmnist2, paper", "mmnist2, paper, lr=0.1"]
    assert names(quick) == ["mmnist2, quick"]


def test_a_column_has_the_name_of_its_task_if_its_metric_is_the_primary_one_whatever_metrics_are_shown() -> None:
    def names(*metrics: str) -> list[str]:
        choices = Choices(metrics=metrics)
        results = results_of([indoor("single", 0, INDOOR_SINGLE), indoor("td", 0, INDOOR_UNIFORM)], choices)
        (comparison,) = results.comparisons
        return [each.name for each in quantities(comparison, results.table(comparison))]

    costs = ["n", "params", "macs", "labels", "time", "memory"]
    gains = ["delta-m", "delta-m metric", "delta-m main"]
    assert names() == ["segmentation", "depth", "normals", *gains, *costs]
    assert names("relative-error", "miou") == ["segmentation", "depth relative-error", *gains, *costs]


def test_a_task_that_is_called_as_another_column_is_known_by_its_metric() -> None:
    results = results_of([finished("td", 0, {"memory": 90.0, "LU": 80.0})])
    (comparison,) = results.comparisons
    names = [each.name for each in quantities(comparison, results.table(comparison))]
    assert names == ["memory accuracy", "LU", "mean", "n", "params", "macs", "labels", "time", "memory"]


def test_the_numbers_of_a_suite_have_its_names_of_methods_and_a_file_of_their_own() -> None:
    suite = Suite(
        name="own",
        title="A suite",
        labels={"td:channels=6": "ours"},
        grid=(Grid(datasets=("mmnist2",), methods=("single", "td:channels=6")),),
    )
    runs = filled(
        suite, lambda method, dataset, protocol, seed: finished(method, seed, dataset=dataset, protocol=protocol)
    )
    results = Results.of_suite(runs)
    (comparison,) = results.comparisons
    assert [method.title for method in comparison.methods] == ["single", "ours"]
    assert method_names(results, comparison) == ("single", "td:channels=6")
    assert r"\mtb@number{mmnist2, paper}{td:channels=6}{LU}{{90.00}" in numbers_tex(results, results.comparisons)
    assert file_name(results, "numbers.tex") == "own-paper-numbers.tex"


def test_numbers_that_were_read_by_a_convention_have_no_short_name() -> None:
    rows = {epoch: better(epoch) for epoch in range(1, 11)}
    comparisons, _ = converted(compare([along("single", 0, rows)]), "last-ten", Asked())
    results = Results(comparisons=tuple(comparisons), convention="last-ten")
    assert short_name(comparisons[0], comparisons) == "toy-surfaces, paper, convention last-ten"
    assert r"\mtb@short" not in numbers_tex(results, comparisons).partition(r"\mtb@table{toy")[2]
    assert file_name(results, "numbers.tex") == "last-ten-numbers.tex"
