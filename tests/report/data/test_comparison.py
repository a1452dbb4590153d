import dataclasses

from mtbench.report.data.comparison import compare
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from tests.report.records import PAPER, QUICK, finished, unfinished


def test_datasets_and_protocols_are_kept_apart() -> None:
    runs = [
        finished(dataset="mmnist3"),
        finished(dataset="mmnist2", protocol=QUICK),
        finished(dataset="mmnist2"),
        finished(dataset="mmnist2", protocol=dataclasses.replace(PAPER, lr=0.01), title="paper, lr=0.01"),
    ]
    found = [(one.dataset, one.title, one.slug, one.quick) for one in compare(runs)]
    assert found == [
        ("mmnist2", "paper", "paper", False),
        ("mmnist2", "paper, lr=0.01", "paper-lr-0.01", False),
        ("mmnist2", "quick", "quick", True),
        ("mmnist3", "paper", "paper", False),
    ]


def test_protocols_of_one_title_and_unlike_numbers_are_kept_apart() -> None:
    runs = [finished(), finished("moo"), finished("td", 1, protocol=dataclasses.replace(PAPER, epochs=50))]
    titles = sorted(one.title for one in compare(runs))
    assert len(titles) == 2
    assert titles[0] == "paper"
    assert titles[1] in ("paper, epochs=50", "paper, epochs=100")


def test_a_default_number_of_seeds_makes_no_other_protocol() -> None:
    assert len(compare([finished(), finished("moo", protocol=dataclasses.replace(PAPER, seeds=10))])) == 1


def test_a_run_that_is_there_twice_counts_once_in_its_best_state() -> None:
    (comparison,) = compare([unfinished("failed", why="out of memory"), finished(), unfinished("missing")])
    assert [run.state for run in comparison.methods[0].runs] == ["fresh"]


def test_methods_of_one_title_and_unlike_parts_are_rows_of_their_own() -> None:
    wide = finished("td", 0)
    narrow = dataclasses.replace(wide.spec, backbone=dataclasses.replace(wide.spec.backbone, name="vgg11"))
    (comparison,) = compare([wide, dataclasses.replace(unfinished("missing"), spec=narrow)])
    assert [method.title for method in comparison.methods] == ["td [td+uniform@lenet]", "td [td+uniform@vgg11]"]


def test_without_a_finished_run_no_tasks_are_known() -> None:
    (comparison,) = compare([unfinished("missing"), unfinished("running", "moo")])
    assert comparison.tasks == ()
    assert comparison.common_metric is None


def test_pages_show_a_dataset_with_the_first_digits_of_a_files_hash() -> None:
    (found,) = compare([finished(dataset=f"mmnist2:pairs=sha256-{'0123456789abcdef' * 4}")])
    assert found.dataset_title == "mmnist2:pairs=sha256-0123456789ab"
    assert page_of(build_table(found)).title == "mmnist2:pairs=sha256-0123456789ab, protocol paper"
