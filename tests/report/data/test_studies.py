import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_rel
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Grid, PaperTable, Search, Suite
from mtbench.report.assemble import assemble, make_report
from mtbench.report.data.comparison import compare
from mtbench.report.data.studies import StudyRuns, find_studies, home, in_tables, setting, unfinished
from mtbench.report.data.suite.runs import suite_runs
from mtbench.report.data.suite.searches import suite_studies
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.tuned.data import Tuned, best_so_far, tuned_frame, tuned_methods
from mtbench.report.exhibits.tuned.figure import draw_tuned
from mtbench.report.exhibits.tuned.page import tuned_page
from mtbench.report.figure.style import save
from mtbench.report.page.markdown import render_markdown
from mtbench.report.page.words import DASH
from mtbench.store.record import render_record
from mtbench.store.status import RunStatus
from mtbench.store.study import Spent, Trial, write_study
from tests.report.records import QUICK, finished
from tests.report.searches import RESULTS, Tried, placed, rated, weighted

RATES = (
    Tried(asked="0.001", worth=(80, 70), tested=[(80, 70), (81, 71), (83, 71)]),
    Tried(asked="0.003", worth=(84, 74), front=True, tested=[(85, 75), (86, 77), (86, 76)]),
    Tried(asked="0.01", worth=(70, 60)),
)
LEVEL = (
    Tried(asked="0.001", worth=(86, 76), front=True, tested=[(86, 76), (87, 77), (86, 78)]),
    Tried(asked="0.003", worth=(85, 75)),
    Tried(asked="0.01", worth=None),
)
TUNED_FILES = (
    *("tuned.tex", "tuned.md", "tuned-ledger.tex", "tuned-ledger.md", "tuned.csv", "tuned-ledger.csv"),
    *("tuned-search.pdf", "tuned-search.png"),
)


def two() -> tuple[list[StudyRuns], list[RunStatus]]:
    """td, for which 0.003 was chosen, and moo, for which the default was."""
    (td, runs), (moo, others) = rated("td", RATES), rated("moo", LEVEL)
    return [td, moo], [*runs, *others]


def trials(found: StudyRuns) -> tuple[StudyRuns, list[RunStatus]]:
    """Return the same study, with the runs of its trials."""
    protocol = replace(found.study.protocol, validation=True)
    runs = [placed(finished(found.study.method, 1000, protocol=protocol, title="paper, validation=true"))]
    first = replace(found.study.trials[0], runs=tuple(run.folder.relative_to(RESULTS).as_posix() for run in runs))
    study = replace(found.study, trials=(first, *found.study.trials[1:]))
    return replace(found, study=study), runs


def table(studies: list[StudyRuns], runs: list[RunStatus]) -> tuple[str, list[Tuned]]:
    methods = tuned_methods(studies)
    return render_markdown(tuned_page(home(studies[0], compare(runs)), methods, "page")), methods


def test_a_study_has_those_of_its_runs_that_are_there() -> None:
    found, runs = rated("td", RATES)
    (less,) = find_studies([found.study], runs[1:])
    assert {number: len(each) for number, each in less.again.items()} == {0: 2, 1: 3}
    assert less.scores(0, [0, 1, 2]) == pytest.approx(np.array([[math.nan] * 2, [81, 71], [83, 71]]), nan_ok=True)
    assert less.seeds == (0, 1, 2)


def test_trials_are_left_out_of_tables_of_methods() -> None:
    found, runs = weighted([Tried(asked="0.5/0.5", worth=(70, 70), front=True, tested=[(70, 70)])])
    found, tried = trials(found)
    shown, told = in_tables([*runs, *tried], [found])
    assert shown == runs
    assert told == ["Left out of the tables of methods: 1 run, only trials of a search; mtbench status shows them."]


def test_what_a_search_chose_stands_alone_only_where_nothing_else_was_trained_like_it() -> None:
    found, runs = rated("td", RATES)
    shown, (told,) = in_tables(runs, [found])
    assert shown == runs[:3]  # the default, which is under the protocol of the study
    assert told.startswith("Left out of the tables of methods: 3 runs, retrained with settings that a search chose")
    other = placed(finished("moo", 0, protocol=TrainingProtocol(lr=0.003), title="paper, lr=0.003"))
    assert in_tables([*runs, other], [found]) == ([*runs, other], [])


def test_a_study_belongs_beside_the_methods_of_its_dataset_and_protocol() -> None:
    (found, _), runs = rated("td", RATES), [finished("moo"), finished("moo", protocol=QUICK)]
    assert home(found, compare(runs)).methods[0].title == "moo"
    alone = home(found, compare(runs[1:]))
    assert (alone.dataset, alone.folder, alone.title, alone.methods) == ("mmnist2", "mmnist2", "paper", ())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"weights": "0.312345/0.687655"}, "weights 0.312/0.688"),
        ({"lr": "0.00312345", "alpha": "2"}, "lr=0.00312, alpha=2"),
        ({"normalize": "loss+"}, "normalize=loss+"),
    ],
)
def test_a_setting_in_words(asked: dict[str, str], words: str) -> None:
    trial = rated("td", RATES)[0].study.trials[0]
    assert setting(replace(trial, asked=asked)) == words


def test_what_is_not_there_is_said() -> None:
    found, _ = rated("moo", LEVEL, planned=5)
    assert unfinished(found.study) == [
        "The search is not finished: 3 of 5 trials are.",
        "Trial 2 (lr=0.01) failed: loss of task LU became NaN.",
    ]
    lacking = replace(found.study, planned=3, retrained={0: found.study.retrained[0][:1]})
    assert unfinished(lacking)[-1] == "Trial 0, retrained: 2 of 3 runs are lacking."


def test_the_gain_is_paired_over_seeds_and_corrected_for_methods() -> None:
    studies = [
        rated("td", RATES)[0],
        rated("chmod", (RATES[0], replace(RATES[1], tested=[(82, 72), (85, 75), (84, 74)])))[0],
    ]
    td, chmod = tuned_methods(studies)
    before, after = np.array([75, 76, 77.0]), np.array([80, 81.5, 81])
    assert td.gain is not None
    assert chmod.gain is not None
    assert td.gain.difference == pytest.approx(4 + 2.5 / 3)
    half = student.ppf(0.975, 2) * np.std(after - before, ddof=1) / 3**0.5
    assert td.gain.interval() == pytest.approx((4.8333333 - half, 4.8333333 + half))
    ps = [ttest_rel(after, before).pvalue, ttest_rel([77, 80, 79], before).pvalue]
    assert td.adjusted == pytest.approx(2 * ps[0])
    assert chmod.adjusted == pytest.approx(ps[1])


def test_a_default_that_is_chosen_brings_nothing_and_is_not_counted() -> None:
    td, moo = tuned_methods(two()[0])
    assert td.gain is not None
    assert td.adjusted == pytest.approx(td.gain.p)
    assert (moo.chosen, moo.gain) == (0, None)
    assert moo.tuned == pytest.approx(moo.default)


def test_the_page_says_what_was_chosen_and_what_it_brought() -> None:
    studies, runs = two()
    page = tuned_page(home(studies[0], compare(runs)), tuned_methods(studies), "page")
    assert render_markdown(page).split("\n\n")[:2] == ["### mmnist2, protocol paper: tuned settings", TABLE]
    assert page.caption == CAPTION
    assert page.details == DETAILS
    assert page.footnotes == (
        "No Δm: it needs single-task networks that were tuned with the same budget.",
        "moo: trial 2 (lr=0.01) failed: loss of task LU became NaN.",
    )


def test_a_trial_that_failed_is_a_part_of_the_budget() -> None:
    studies, runs = two()
    studies[1] = replace(studies[1], study=replace(studies[1].study, spent=Spent(trials=3, runs=2, epochs=200)))
    text, _ = table(studies, runs)
    assert "| td | 76.00 ± 1.00 | 80.83 ± 0.76 | +4.83 (+2.94 to +6.73) | 0.0082 | lr=0.003 | 3 | 300 |" in text


def test_a_tuned_row_beside_untuned_single_task_networks_is_said_to_be() -> None:
    tried = (
        Tried(asked="0.5/0.5", worth=(70, 70), tested=[(70, 70), (71, 71)]),
        Tried(asked="0.2/0.8", worth=(70, 80), front=True, tested=[(70, 80), (71, 81)]),
    )
    found, runs = weighted(tried)
    single = [finished("single", seed, (69, 69)) for seed in range(2)]
    mean = replace(found, study=replace(found.study, objective="mean"))
    for studies, is_said in (([mean], True), ([found], False), ([], False)):
        page = next(make_report([*runs, *single], studies).pages())
        said = [text for text in page.footnotes if text.startswith("A search chose the settings of branches+fixed")]
        assert bool(said) is is_said


@pytest.mark.parametrize(
    ("changed", "budget"),
    [
        ({"trials": 2}, "2 trials of 100 epochs with 1 tuning seed"),
        ({"tuning_seeds": (1000, 1001)}, "3 trials of 100 epochs with 2 tuning seeds"),
    ],
)
def test_tuned_columns_are_refused_where_budgets_are_unequal(changed: dict[str, Any], budget: str) -> None:
    studies, runs = two()
    study = studies[0].study
    own = {**changed, "trials": study.trials[: changed["trials"]]} if "trials" in changed else changed
    studies[0] = replace(studies[0], study=replace(study, **own))
    text, methods = table(studies, runs)
    assert "| method | default | chosen | trials | epochs |" in text
    assert "80.83" not in text
    assert (
        f"- No tuned column, for the budgets of the searches are unequal: td: {budget}; moo: 3 trials of 100 epochs "
        "with 1 tuning seed. Search every method with the same numbers of trials and tuning seeds.\n"
    ) in text
    frame = tuned_frame(home(studies[0], compare(runs)), methods)
    assert set(frame["setting"]) == {"default"}
    shown = assemble(Results(comparisons=tuple(compare(runs)), studies=tuple(studies))).shown
    (piece,) = [piece for piece in shown if any(name.endswith("-tuned") for name in piece.pages)]
    assert not piece.figures


def test_the_gain_over_single_task_networks_is_of_tuned_ones() -> None:
    studies, runs = two()
    single, own = rated(
        "single", (RATES[0], replace(RATES[1], tested=[(80, 70), (84, 70), (80, 80)]), replace(RATES[2], worth=None))
    )
    text, methods = table([*studies, single], [*runs, *own])
    gains = [(85 / 80 + 75 / 70), (86 / 84 + 77 / 70), (86 / 80 + 76 / 80)]  # its default has (80, 70), (81, 71) ...
    percent = 100 * (np.array(gains) / 2 - 1)
    line = next(line for line in text.splitlines() if line.startswith("| td "))
    assert line.split(" | ")[5] == f"+{percent.mean():.2f} ± {percent.std(ddof=1):.2f}"
    assert "Δm: gain over single-task networks with tuned settings, in %." in text
    frame = tuned_frame(home(studies[0], compare(runs)), methods)
    (row,) = frame[(frame["column"] == "delta_m") & (frame["method"] == "td")].to_dict("records")
    assert (row["setting"], row["n"]) == ("tuned", 3)
    assert (row["mean"], row["std"]) == pytest.approx((percent.mean(), percent.std(ddof=1)))


def test_whether_tuning_changes_the_order_is_said() -> None:
    studies, runs = two()
    better = rated("chmod", (RATES[0], replace(RATES[1], tested=[(96, 86), (97, 87), (96, 88)]), RATES[2]))
    text, _ = table([*studies, better[0]], [*runs, *better[1]])
    # By default td and chmod are tied below moo; tuned chmod is first and td last.
    tau = (0 - 1 + 1) / (2 * 3) ** 0.5
    assert f"Tuning changes the order of methods: Kendall's tau of 3 means {tau:+.2f}; moo is first by default" in text


def test_studies_of_one_method_are_told_apart() -> None:
    td, _ = rated("td", RATES)
    other = replace(td, study=replace(td.study, id="ffff00000000"))
    assert [each.title for each in tuned_methods([td, other])] == ["td [0123456789ab]", "td [ffff00000000]"]


def test_the_best_so_far_ends_where_the_search_is() -> None:
    found, _ = rated("td", RATES)
    assert best_so_far(found) == [75, 79, 79]
    waiting = Trial(number=3, state="asked", asked={"lr": "0.1"}, titles=found.study.titles)
    failed = replace(waiting, state="failed")
    study = replace(found.study, trials=(failed, *found.study.trials[1:], waiting))
    assert best_so_far(replace(found, study=study)) == pytest.approx([math.nan, 79, 79], nan_ok=True)


def test_the_numbers_behind_the_page_have_every_task() -> None:
    studies, runs = two()
    frame = tuned_frame(home(studies[0], compare(runs)), tuned_methods(studies))
    assert len(frame) == 2 * 2 * 3
    (mean,) = frame[(frame["method"] == "td") & (frame["setting"] == "tuned") & (frame["column"] == "mean")].to_dict(
        "records"
    )
    assert (mean["validation"], mean["gain"]) == pytest.approx((79, 4 + 2.5 / 3))
    (task,) = frame[(frame["method"] == "td") & (frame["setting"] == "default") & (frame["column"] == "RL")].to_dict(
        "records"
    )
    assert task["mean"] == pytest.approx(212 / 3)


def test_the_figure_has_a_line_per_method_and_an_arrow_for_what_was_gained() -> None:
    studies, runs = two()
    left, right = draw_tuned(home(studies[0], compare(runs)), tuned_methods(studies)).axes
    assert [np.asarray(line.get_ydata()).tolist() for line in left.lines] == [[75, 79, 79], [81, 81, 81]]
    assert [label.get_text() for label in right.get_yticklabels()] == ["td", "moo"]
    assert [text.xy[0] for text in right.texts] == pytest.approx([80.8333333, 245 / 3])  # type: ignore[attr-defined]


@pytest.mark.parametrize("seeds", [0, 1])
def test_the_figure_of_one_seed_or_none_can_be_drawn(seeds: int) -> None:
    found, runs = rated("td", tuple(replace(each, tested=each.tested[:seeds]) for each in RATES))
    save(draw_tuned(home(found, compare(runs)), tuned_methods([found])))


def test_the_figure_of_many_methods_names_the_ends() -> None:
    studies = [
        rated(f"m{place:02}", (replace(RATES[0], worth=(50 + place, 50)), replace(RATES[2], worth=(9, 9))))[0]
        for place in range(20)
    ]
    figure = draw_tuned(home(studies[0], []), tuned_methods(studies))
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["1. m19", "2. m18"]
    save(figure)


def test_exhibits_of_studies_have_names_of_their_own() -> None:
    found, runs = weighted([Tried(asked="0.5/0.5", worth=(70, 70), front=True, tested=[(70, 70)])])
    studies, others = two()
    made = make_report([*runs, *others], [found, found, *studies])
    assert [page.label for page in made.pages()][-4:] == [
        "mmnist2-paper-search-branches-fixed",
        "mmnist2-paper-search-branches-fixed-2",
        "mmnist2-paper-tuned",
        "mmnist2-paper-tuned-ledger",
    ]


def test_exhibits_of_studies_are_written_beside_the_tables_of_their_dataset(tmp_path: Path) -> None:
    studies, runs = two()
    shown, _ = in_tables(runs, studies)
    names = [file.name for file in make_report(shown, studies).write(tmp_path)]
    files = [f"mmnist2-paper-{end}" for end in TUNED_FILES]
    assert names[-10:] == [*files, "numbers.tex", "index.html"]
    alone = [file.name for file in make_report([], studies).write(tmp_path / "alone")]
    assert alone == [*files, "index.html"]


SUITE = Suite(
    name="rates",
    title="Rates",
    search=(
        Search(datasets=("mmnist2",), methods=("moo", "td"), space={"lr": "1e-3/3e-3/1e-2"}, sampler="grid", trials=3),
    ),
    labels={"moo": "MGDA-UB"},
)


def test_a_suite_has_the_searches_that_it_asks_for_at_any_size_in_its_order() -> None:
    studies, _ = two()
    small, _ = rated("td", RATES, protocol=TrainingProtocol(epochs=7))
    found = suite_studies(SUITE, [*studies, small])
    assert {size: [each.title for each in group] for size, group in found.items()} == {
        "paper": ["MGDA-UB", "td"],
        "paper, epochs=7": ["td"],
    }


@pytest.mark.parametrize(
    "unlike",
    [
        {"sampler": "tpe"},
        {"dataset": "mmnist3"},
        {"protocol": TrainingProtocol(optimizer="sgd")},
        {"space": {"alpha": "0..3"}},
        {"objective": "tasks", "sampler": "tpe"},
        {"method": "chmod+uniform"},
    ],
)
def test_what_a_suite_does_not_ask_for_is_none_of_its_searches(unlike: dict[str, object]) -> None:
    found, _ = rated("td", RATES)
    assert suite_studies(SUITE, [replace(found, study=replace(found.study, **unlike))]) == {}  # type: ignore[arg-type]


def test_a_network_alone_stands_for_the_search_over_its_weights() -> None:
    part = Search(datasets=("mmnist2",), methods=("branches",), trials=1, objective="tasks")
    found, _ = weighted([Tried(asked="0.5/0.5", worth=(70, 70), front=True)])
    assert list(suite_studies(replace(SUITE, search=(part,)), [found])) == ["paper"]


def test_a_suite_of_searches_alone_is_reported(tmp_path: Path) -> None:
    studies, runs = two()
    (found,) = suite_runs(SUITE, runs, studies)
    assert (found.size, found.sheets, found.quick) == ("paper", (), False)
    page, _ = assemble(Results.of_suite(found)).pages()
    assert [line[0].says for line in page.layout.lines] == ["MGDA-UB", "td"]
    assert [file.name for file in assemble(Results.of_suite(found)).write(tmp_path)] == [
        *(f"rates-paper-mmnist2-{end}" for end in TUNED_FILES),
        "index.html",
    ]


def test_a_papers_numbers_stand_beside_what_was_tuned() -> None:
    suite = replace(
        SUITE,
        grid=(Grid(datasets=("mmnist2",), methods=("td", "moo", "single")),),
        paper=(PaperTable(dataset="mmnist2", columns=("LU", "RL"), rows={"td": (85.0, 76.0), "single": (90.0, 80.0)}),),
    )
    studies, runs = two()
    runs += [placed(finished("single", seed, (90, 80))) for seed in range(3)]
    (found,) = suite_runs(suite, runs, studies)
    pages = {page.title: page for page in assemble(Results.of_suite(found)).pages()}
    tuned = next(page for title, page in pages.items() if title.endswith("beside the paper, tuned"))
    assert [cell.says for cell in tuned.layout.lines[0][:4]] == ["td", "85.00", "85.67 ± 0.58", "+0.67"]
    assert tuned.caption[-1] == "Ours: with tuned settings."
    assert tuned.details[-1] == (
        "Settings chosen on the validation split: MGDA-UB lr=0.001 (default) and td lr=0.003. Not tuned: single."
    )
    assert [cell.says for cell in tuned.layout.lines[2][:4]] == ["single", "90.00", DASH, DASH]
    plain = next(page for title, page in pages.items() if title.endswith("beside the paper"))
    assert plain.layout.lines[0][2].says == "81.33 ± 1.53"


def test_the_command_reports_what_a_search_found(tmp_path: Path) -> None:
    found, runs = weighted([Tried(asked="0.5/0.5", worth=(70, 70), front=True, tested=[(70, 70), (71, 71)])])
    found, tried = trials(found)
    for run in [*runs, *tried]:
        assert run.record is not None
        folder = tmp_path / "runs" / run.folder.relative_to(RESULTS)
        folder.mkdir(parents=True)
        (folder / "spec.json").write_text(run.spec.to_json())
        (folder / "record.json").write_text(render_record(run.record))
    home_of_it = tmp_path / "runs" / "searches" / "mmnist2" / "branches+fixed-0"
    home_of_it.mkdir(parents=True)
    write_study(home_of_it, found.study)
    words = ["--results", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--data-root", str(tmp_path / "data")]
    result = CliRunner().invoke(app, ["report", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "mmnist2, protocol paper: search over branches+fixed" in result.output
    assert "Left out of the tables of methods: 1 run, only trials of a search" in result.output
    assert (tmp_path / "out" / "mmnist2-paper-search-branches-fixed-scatter.png").exists()
    assert not list((tmp_path / "out").glob("*validation-true*"))


TABLE = """\
| method | default | tuned | gain | p | chosen | trials | epochs |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| td | 76.00 ± 1.00 | 80.83 ± 0.76 | +4.83 (+2.94 to +6.73) | 0.0082 | lr=0.003 | 3 | 300 |
| moo | 81.67 ± 0.58 | 81.67 ± 0.58 | – | – | lr=0.001 (default) | 2+1 | 300 |"""  # noqa: RUF001

CAPTION = (
    "mmnist2, protocol paper: mean test accuracy over tasks (%, higher is better), with default and with tuned "
    "settings, mean ± standard deviation over seeds 0, 1, 2.",
    "Gain: tuned minus default, paired over seeds, with its 95 % confidence interval.",
)
DETAILS = (
    "mmnist2, protocol paper: 100 epochs, batch size 512, adam with learning rate 0.001, halved after 30, 60 and 90 % "
    "of the epochs, 60,000 training examples, at each step all labels of an image or a random one, as the network "
    "requires, gradient scale native.",
    "Searched: lr (0.001/0.003/0.01); trials proposed by grid, with tuning seed 1000; chosen: best mean over tasks on "
    "the validation split.",
    "Default and chosen settings are retrained on all training images. p: paired t-test after Holm's correction over "
    "the methods whose default was not the best. Standard deviations have the divisor n-1.",
    "Trials: finished trials, with failed ones after a plus; epochs: training epochs of all trials.",
)


@pytest.mark.parametrize("objective", ["tasks", "mean"])
def test_a_search_of_weights_has_the_name_of_the_balancer_without_the_weights_of_its_default(objective: str) -> None:
    found, _ = weighted([Tried(asked="0.5/0.5", worth=(80, 70), front=True, tested=[(80, 70)])])
    titles = replace(found.study.titles, method="branches+fixed:weights=0.5/0.5")
    assert replace(found, study=replace(found.study, objective=objective, titles=titles)).title == "branches+fixed"
