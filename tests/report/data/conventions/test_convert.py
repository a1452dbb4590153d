"""Conventions as a reader asks for them by name."""

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mtbench.contract import TrainingProtocol
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_dataset
from mtbench.report.assemble import assemble
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.conventions.convert import Asked, convert, converted
from mtbench.report.exhibit import Results
from mtbench.report.exhibits.protocols.page import preset_pages
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.terminal import print_page
from mtbench.store.status import RunStatus
from tests.report.curves import along, better
from tests.report.records import finished

EPOCHS = range(1, 11)


def flat(method: str, seed: int, percent: float, **changed: object) -> RunStatus:
    """Return a run that is better than the constants by so many percent in every epoch, over batches too."""
    rows = {epoch: better(percent) for epoch in EPOCHS}
    return along(method, seed, rows, batched={(5, False): rows, (4, True): rows}, **changed)  # type: ignore[arg-type]


def comparison(*runs: RunStatus) -> Comparison:
    (found,) = compare(runs)
    return found


def test_constants_are_used_where_they_fit_and_named_in_the_details_with_their_source() -> None:
    found = convert(comparison(flat("td", 0, 5)), "last-ten", Asked())
    assert found is not None
    table = build_table(found, Results(comparisons=(found,)).choices_of(found))
    assert table.rows[0].delta.mean == pytest.approx(-5)
    assert table.caption[1] == "Convention last-ten, as of a toy's code."
    assert table.details[0] == (
        "Constants: class 60.00 80.00; depth 0.400 0.30; normal 20.00 16.00 40.00 64.00 80.00, from a toy's table."
    )
    assert any(
        "in the mean over the last ten epochs, over batches of 5 test images in file order, which weigh alike, the "
        "last one too; miou and pixel-accuracy over all of them." in each
        for each in table.details
    )


def test_constants_that_do_not_fit_give_way_to_the_mean_of_the_single_task_runs_and_the_details_say_so() -> None:
    runs = [
        *(flat("single", seed, percent, backbone="lenet") for seed, percent in enumerate((-1, 1))),
        *(flat("td", seed, 10, backbone="lenet") for seed in range(2)),
    ]
    found = convert(comparison(*runs), "last-ten", Asked())
    assert found is not None
    table = build_table(found, Results(comparisons=(found,)).choices_of(found))
    assert table.rows[1].delta.mean == pytest.approx(-10)  # the mean of 99 % and 101 % of the row is the row
    assert table.details[0] == (
        "The convention's constants are not used, because they are of networks on toy-conv, and the runs are on lenet."
    )
    assert "relative drop from the mean of the runs of single with the same backbone." in " ".join(table.details)
    asked = convert(comparison(flat("single", 0, 0), flat("td", 0, 5)), "last-ten", Asked(base="mean"))
    assert asked is not None
    assert asked.reading is not None
    assert asked.reading.delta.base == "mean"


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("last-ten", Asked(average="task"), "--delta is 'task', and convention 'last-ten' takes 'metric'."),
        ("last-ten", Asked(sign="gain"), "--delta-sign is 'gain', and convention 'last-ten' takes 'drop'."),
        ("last-ten", Asked(base="seed"), "--delta-base is 'seed', and convention 'last-ten' takes 'constants'."),
        ("own-start", Asked(base="mean"), "--delta-base is 'mean', and convention 'own-start' takes 'own-start'."),
    ],
)
def test_what_is_asked_of_the_gain_may_not_contradict_the_convention(name: str, asked: Asked, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        convert(comparison(flat("td", 0, 5)), name, asked)
    assert str(caught.value).startswith(said)
    assert convert(comparison(flat("td", 0, 5)), name, Asked())


def test_a_convention_is_of_the_datasets_that_have_it_and_others_are_named_as_left_out() -> None:
    both = compare([flat("td", 0, 5), finished("td")])
    found, left = converted(both, "own-start", Asked())
    assert [each.dataset for each in found] == ["toy-surfaces"]
    assert left == "Left out, for want of a convention own-start: mmnist2."
    with pytest.raises(
        UsageError, match=r"the convention 'own'\. .*Conventions here: last-ten, own-start, best-test\."
    ):
        converted(both, "own", Asked())
    with pytest.raises(UsageError, match=r"Conventions here: none\."):
        converted(compare([finished("td")]), "own-start", Asked())


def test_files_of_a_convention_have_its_name_and_the_gain_over_its_base_at_full_precision(tmp_path: Path) -> None:
    found, _ = converted([comparison(flat("td", 0, 5))], "last-ten", Asked())
    files = assemble(Results(comparisons=tuple(found), convention="last-ten")).write(tmp_path)
    assert [file.name for file in files] == [
        *(f"toy-surfaces-paper-last-ten-table.{kind}" for kind in ("tex", "md", "csv")),
        "last-ten-numbers.tex",
        "index.html",
    ]
    row = next(csv.DictReader(files[2].read_text().splitlines()))
    assert row["delta_convention"] == "metric/drop/constants"
    assert float(row["delta_m_metric_constants"]) == pytest.approx(-5)
    assert float(row["delta_m_band"]) > 0


def test_protocols_of_one_dataset_stand_in_tables_of_their_own_and_their_difference_in_a_page() -> None:
    other = TrainingProtocol(name="small", epochs=10, batch=2, clip=1.0)
    named = TrainingProtocol(name="paper", epochs=10)
    runs = [flat("td", 0, 5, protocol=named), flat("td", 0, 5, protocol=other, title="small")]
    both = compare(runs)
    assert [len(each.methods) for each in both] == [1, 1]
    ((_, page),) = preset_pages(both)
    shown = {line[0].says: [cell.says for cell in line[1:]] for line in page.layout.lines}
    assert page.layout.header == ("setting", "paper", "small")
    assert (shown["batch"], shown["clip"]) == (["512", "2"], ["0", "1"])
    # The toy's convention last-ten goes with its protocol paper.
    assert shown["epoch reported"] == ["last10", "\N{EN DASH}"]
    assert shown["metrics over"] == ["batches of 5", "\N{EN DASH}"]
    assert shown["Δm"] == ["metric, drop", "\N{EN DASH}"]
    assert shown["Δm relative to"] == ["constants on toy-conv", "\N{EN DASH}"]
    assert page.footnotes == ("Clipping in the code that paper belongs to: A toy's code clips nothing.",)
    assert "lr" not in shown
    assert not preset_pages(both[:1])
    assert not preset_pages(compare([finished("td"), finished("td", protocol=replace(other, epochs=3), title="small")]))


def test_the_difference_of_two_presets_of_nyuv2_fits_a_terminal_of_80_columns_with_its_settings_in_front() -> None:
    protocols = parse_dataset("nyuv2").dataset_class.protocols
    names = ("cagrad-nyuv2", "libmtl-nyuv2")
    runs = [finished("td", dataset="nyuv2", protocol=protocols[name], title=name) for name in names]
    ((_, page),) = preset_pages(compare(runs))
    print_page(page, Console(file=(text := StringIO()), width=80))
    shown = " ".join(text.getvalue().split())
    assert "setting cagrad-nyuv2 libmtl-nyuv2 batch 2 8 " in shown
    assert "Nash-MTL alone, FAMO's and what is made from it for every method; parameters of tasks are never" in shown


def test_a_page_of_a_convention_says_what_its_gain_is_relative_to() -> None:
    found = convert(comparison(flat("td", 0, 5)), "own-start", Asked())
    assert found is not None
    page = page_of(build_table(found, Results(comparisons=(found,)).choices_of(found)))
    assert "Δm: mean relative gain over the run's own first epoch (%)." in page.caption
    assert "of the relative gain over the run's own first epoch." in " ".join(page.details)
    assert (
        "Epochs are chosen on the test split: these numbers are too good, and nothing is bold or ranked."
        in page.details
    )
    assert page.layout.lines[0][page.layout.header.index("Δm ↑")].says == "+0.00"
