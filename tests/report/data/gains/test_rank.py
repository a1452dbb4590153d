"""Mean ranks of methods."""

from dataclasses import replace

import pytest

from mtbench.report.data.choices import Choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.gains.rank import rank
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from tests.report.records import INDOOR_SINGLE, INDOOR_UNIFORM, finished, indoor

RANKED = Choices(rank=True)


def test_ranks_are_of_unrounded_means_over_metrics_with_equal_values_sharing_theirs() -> None:
    runs = [
        finished("single", 0, (99, 99)),
        *(finished("td", seed, (90.0001 + seed, 70)) for seed in range(2)),
        *(finished("moo", seed, (90.0 + seed, 70)) for seed in range(2)),
        finished("mtan", 0, (80, 75)),
    ]
    (comparison,) = compare(runs)
    found = rank(comparison)
    assert found is not None
    by_title = dict(zip((each.title for each in comparison.methods), found.ranks, strict=True))
    assert (by_title["td"], by_title["moo"], by_title["mtan"]) == ((1 + 2.5) / 2, (2 + 2.5) / 2, (3 + 1) / 2)
    assert by_title["single"] != by_title["single"]  # nobody is ranked against what all are relative to
    assert (found.rows, found.metrics) == (("moo", "mtan", "td"), 2)


def test_the_table_has_ranks_where_they_are_asked_for_and_names_the_rows() -> None:
    runs = [
        indoor("single", 0, INDOOR_SINGLE),
        indoor("uniform", 0, INDOOR_UNIFORM),
        indoor("td", 0, INDOOR_SINGLE),
        indoor("moo", 0, (*INDOOR_UNIFORM[:4], *INDOOR_SINGLE[4:])),
    ]
    (comparison,) = compare(runs)
    assert "rank ↓" not in page_of(build_table(comparison)).layout.header
    page = page_of(build_table(comparison, RANKED))
    at = page.layout.header.index("rank ↓")
    assert {line[0].says: line[at].says for line in page.layout.lines} == {
        # Uniform beats td in the first four metrics and shares them with moo; in the last five it is behind both.
        "moo": "1.50",
        "single": "\N{EN DASH}",
        "td": f"{(4 * 3 + 5 * 1.5) / 9:.2f}",
        "uniform": f"{(4 * 1.5 + 5 * 3) / 9:.2f}",
    }
    assert (
        "Rank: mean over the 9 metrics in Δm of the rank of the unrounded mean over seeds among 3 methods (moo, td and "
        "uniform); 1 is best, ties share their mean rank."
    ) in page.details


@pytest.mark.parametrize("lacking", ["LU", "RL"])
def test_a_method_that_lacks_a_metric_is_not_ranked(lacking: str) -> None:
    other = {"LU": "RL", "RL": "LU"}[lacking]
    (comparison,) = compare([finished("td", 0, (90, 70)), finished("moo", 0, {other: 80.0})])
    found = rank(comparison)
    assert found is not None
    assert found.rows == ("td",)
    assert rank(replace(comparison, tasks=())) is None


def test_where_no_method_has_every_metric_the_details_say_that_there_is_no_rank() -> None:
    for method, values in (("single", INDOOR_SINGLE), ("td", (float("nan"), *INDOOR_SINGLE[1:]))):
        (comparison,) = compare([indoor(method, 0, values)])
        page = page_of(build_table(comparison, RANKED))
        assert "No rank: no method but single-task networks has every metric in Δm." in page.details
        assert [line[page.layout.header.index("rank ↓")].says for line in page.layout.lines] == ["\N{EN DASH}"]
