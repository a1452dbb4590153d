from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import AcrossClaim, Claim, Grid, SettingsClaim, Suite
from mtbench.plan.suite.planned import Place
from mtbench.report.exhibits.claims.prospect import Prospect, prospects
from mtbench.store.status import RunStatus
from tests.report.records import PAPER, QUICK, finished

METHODS = ("td", "moo", "single")
MIDDLE = TrainingProtocol(epochs=50)
CLAIM = Claim(dataset="mmnist2", contrast=("td", "moo"), margin=1.0)
GAPS = (0.2, 1.4, -0.9, 0.7, 2.1)


def prospect(*claims: Claim | AcrossClaim, earlier: list[RunStatus], methods: tuple[str, ...] = METHODS) -> Prospect:
    """Return the prospect of the first claim of a suite that is to be trained at the protocol ``paper``."""
    datasets = ("mmnist2", "mmnist3")
    suite = Suite(name="mine", title="", grid=(Grid(datasets=datasets, methods=methods),), claim=claims)
    planned = {
        Place(dataset=dataset, method=method, variation=()): finished(method, dataset=dataset).spec
        for dataset in datasets
        for method in methods
    }
    return prospects(suite, planned, earlier)[0]


def runs(
    gaps: tuple[float, ...] = GAPS, protocol: TrainingProtocol = PAPER, dataset: str = "mmnist2"
) -> list[RunStatus]:
    """Return runs of which td is better than moo by these differences, seed by seed."""
    scores: dict[str, list[float]] = {
        "td": [80 + seed + gap for seed, gap in enumerate(gaps)],
        "moo": [80 + seed for seed in range(len(gaps))],
    }
    return [
        finished(method, seed, (value + 5, value - 5), protocol=protocol, title=protocol.name, dataset=dataset)
        for method, values in scores.items()
        for seed, value in enumerate(values)
    ]


def power(n: int, effect: float, level: float) -> float:
    """The power of a two-sided t-test of n pairs, by the noncentral t distribution of SciPy."""
    quantile, shift = stats.t.ppf(1 - level / 2, n - 1), effect * n**0.5
    return float(stats.nct.sf(quantile, n - 1, shift) + stats.nct.cdf(-quantile, n - 1, shift))


def least(effect: float, level: float) -> int:
    return next(n for n in range(2, 1000) if power(n, effect, level) >= 0.8)


@pytest.mark.parametrize("family", [1, 3])
def test_seeds_for_the_margin_have_80_percent_power_by_the_noncentral_t(family: int) -> None:
    others = [replace(CLAIM, metric=metric) for metric in ("LU", "RL")][: family - 1]
    found = prospect(CLAIM, *others, replace(CLAIM, family="another"), earlier=runs())
    std = float(np.std(GAPS, ddof=1))
    assert found.contrast is not None
    assert found.contrast.std == pytest.approx(std)
    assert found.to_margin == least(1 / std, 0.05 / family)
    assert found.to_observed == least(float(np.mean(GAPS)) / std, 0.05 / family)


def test_seeds_for_equivalence_have_80_percent_power_by_simulation() -> None:
    found = prospect(replace(CLAIM, direction="equivalent"), earlier=runs())
    std, chance = float(np.std(GAPS, ddof=1)), np.random.default_rng(0)
    assert found.to_margin is not None

    def shown(n: int) -> float:
        values = chance.normal(0, std, (40_000, n))
        half = stats.t.ppf(0.95, n - 1) * values.std(axis=1, ddof=1) / n**0.5
        return float((np.abs(values.mean(axis=1)) + half < 1.0).mean())

    assert shown(found.to_margin) > 0.79
    assert shown(found.to_margin - 2) < 0.8


def test_without_a_margin_seeds_are_for_the_observed_difference_alone() -> None:
    found = prospect(replace(CLAIM, margin=0.0), earlier=runs())
    assert found.to_margin is None
    assert found.to_observed == least(float(np.mean(GAPS) / np.std(GAPS, ddof=1)), 0.05)


@pytest.mark.parametrize(
    ("there", "nearest"),
    [
        ([QUICK, MIDDLE], MIDDLE),
        ([QUICK, MIDDLE, PAPER], PAPER),
        ([replace(PAPER, lr=0.1), QUICK], QUICK),  # another learning rate is farther than another size
        ([replace(PAPER, lr=0.1)], replace(PAPER, lr=0.1)),
    ],
)
def test_the_nearest_training_protocol_tells_the_spread(
    there: list[TrainingProtocol], nearest: TrainingProtocol
) -> None:
    earlier = [
        run for place, protocol in enumerate(there) for run in runs(tuple(np.array(GAPS) * (place + 1)), protocol)
    ]
    found = prospect(CLAIM, earlier=earlier)
    (comparison,) = found.comparisons
    assert comparison.protocol == replace(nearest, seeds=1)
    assert found.contrast is not None
    assert found.contrast.std == pytest.approx((there.index(nearest) + 1) * np.std(GAPS, ddof=1))


@pytest.mark.parametrize(
    "earlier",
    [
        [],
        runs()[:1],
        runs()[:5],  # td alone
        runs(GAPS[:1]),
        runs((0.5, 0.5, 0.5)),  # which do not vary
        runs(dataset="mmnist3"),
        [replace(run, spec=replace(run.spec, trial=True)) for run in runs()],
    ],
)
def test_nothing_is_said_where_no_spread_is_known(earlier: list[RunStatus]) -> None:
    found = prospect(CLAIM, earlier=earlier)
    assert (found.contrast, found.to_margin, found.to_observed, found.comparisons) == (None, None, None, ())


def test_a_claim_on_relative_gains_needs_single_task_networks() -> None:
    claim = replace(CLAIM, metric="delta_m")
    assert prospect(claim, earlier=runs()).contrast is None
    single = [finished("single", seed, (70, 60)) for seed in range(5)]
    found = prospect(claim, earlier=[*runs(), *single])
    gains = [100 * (gap / 70 + gap / 60) / 2 for gap in GAPS]
    assert found.contrast is not None
    assert found.contrast.std == pytest.approx(np.std(gains, ddof=1))
    assert [spec.titles.method for spec in found.specs] == ["td", "moo", "single"]
    assert [spec.titles.method for spec in prospect(CLAIM, earlier=runs()).specs] == ["td", "moo"]


def test_a_claim_across_settings_needs_runs_under_both_and_each_is_beside_its_own_plan() -> None:
    low = replace(PAPER, beta1=0.0)
    suite = Suite(
        name="mine",
        title="",
        grid=(Grid(datasets=("mmnist2",), methods=METHODS, vary={"beta1": (0.0, 0.9)}),),
        claim=(
            SettingsClaim(
                dataset="mmnist2", method="td", against="moo", settings=({"beta1": 0.0}, {"beta1": 0.9}), margin=1.0
            ),
        ),
    )
    planned = {
        Place(dataset="mmnist2", method=method, variation=(("beta1", value),)): finished(method, protocol=protocol).spec
        for method in METHODS
        for value, protocol in (("0", low), ("0.9", PAPER))
    }
    gaps = (0.3, -0.4, 0.9, 0.1, 0.5)
    (found,) = prospects(suite, planned, [*runs(gaps, low), *runs()])
    assert found.contrast is not None
    assert found.contrast.std == pytest.approx(np.std(np.subtract(gaps, GAPS), ddof=1))
    assert [comparison.protocol.beta1 for comparison in found.comparisons] == [0.0, 0.9]
    assert [spec.protocol.beta1 for spec in found.beside] == [0.0, 0.9]
    assert [spec.titles.method for spec in found.specs] == ["td", "moo"] * 2
    (found,) = prospects(suite, planned, runs())  # of one setting alone: no spread of the difference is known
    assert found.contrast is None


def test_a_claim_across_datasets_needs_runs_on_both() -> None:
    claim = AcrossClaim(datasets=("mmnist3", "mmnist2"), task="LU", method="td", against="moo", test="welch")
    gaps = (0.3, -0.4, 0.9)
    assert prospect(claim, earlier=runs()).contrast is None
    found = prospect(claim, earlier=[*runs(), *runs(gaps, dataset="mmnist3")])
    assert found.contrast is not None
    assert found.contrast.std == pytest.approx(np.hypot(np.std(GAPS, ddof=1), np.std(gaps, ddof=1)))
    assert len(found.specs) == 4
    assert [each.dataset for each in found.comparisons] == ["mmnist3", "mmnist2"]
