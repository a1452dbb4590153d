"""Functions of the page's script, which do as those of mtbench and of SciPy."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from mtbench.report.page.latex import escape_latex
from mtbench.report.page.markdown import escape_markdown
from mtbench.stats.contrast import paired
from tests.report.web.pages import WRONG

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the loop that Playwright leaves behind


def test_the_script_escapes_as_the_tables_do(page: Any) -> None:
    texts = [*WRONG, "-1.5 (-2 to --3)", "\N{GREEK SMALL LETTER ALPHA} é … Δm ↑ [x] *y* \\ {z} ± †", "a--b"]
    assert page.evaluate("texts => texts.map(mtbench.latex)", texts) == list(map(escape_latex, texts))
    assert page.evaluate("texts => texts.map(mtbench.markdown)", texts) == list(map(escape_markdown, texts))


def test_the_script_tests_as_scipy_does(page: Any) -> None:
    ts, freedoms = [0.0, 0.01, 0.7, 2.0, 5.5, 60.0, 4000.0], [1, 2, 3, 4, 9, 29, 200]
    pairs = [(t, freedom) for t in ts for freedom in freedoms]
    found = page.evaluate("pairs => pairs.map(([t, freedom]) => mtbench.twoSided(t, freedom))", pairs)
    assert found == pytest.approx([2 * stats.t.sf(t, freedom) for t, freedom in pairs], rel=1e-9, abs=1e-300)
    quantiles = page.evaluate("freedoms => freedoms.map((freedom) => mtbench.quantile(0.95, freedom))", freedoms)
    assert quantiles == pytest.approx([stats.t.ppf(0.975, freedom) for freedom in freedoms], rel=1e-9)
    rng = np.random.default_rng(0)
    for n in (2, 3, 10):
        first, second = rng.normal(90, 1, n), rng.normal(89, 1, n)
        contrast = paired(first, second)
        entries = [list(enumerate(map(float, values))) for values in (first, second)]
        ours = page.evaluate("([a, b]) => mtbench.paired(new Map(a), new Map(b))", entries)
        expected = [contrast.difference, contrast.p, *(contrast.interval() or ()), contrast.least]
        assert [ours[name] for name in ("difference", "p", "low", "high", "least")] == pytest.approx(expected, rel=1e-6)
    assert page.evaluate("mtbench.holm([0.01, 0.04, 0.03, 0.005])") == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_seeds_that_do_not_vary_and_single_pairs_have_no_p(page: Any) -> None:
    for first, second in (
        ([[0, 1.0], [1, 2.0]], [[0, 0.5], [1, 1.5]]),
        ([[0, 1.0]], [[0, 2.0]]),
        ([[0, 1.0]], [[1, 2.0]]),
    ):
        found = page.evaluate("([a, b]) => String(mtbench.paired(new Map(a), new Map(b)).p)", [first, second])
        assert found == "NaN"
