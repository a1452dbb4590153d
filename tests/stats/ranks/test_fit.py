import numpy as np
import pytest

from mtbench.stats.ranks.fit import fit

NAN = float("nan")
# Snedecor and Cochran, Statistical methods, 6th edition (1967), table 11.2.1: soybeans that failed to emerge, of 100,
# by treatment and replication. There the treatments' sum of squares is 83.84, and that of the residuals 86.56 with 16
# degrees of freedom.
SOYBEANS = np.array(
    [[8, 10, 12, 13, 11], [2, 6, 7, 11, 5], [4, 10, 9, 8, 10], [3, 5, 9, 10, 6], [9, 7, 5, 5, 3]], dtype=float
)


def test_the_mean_variance_in_blocks_is_the_residual_mean_square_of_a_textbook() -> None:
    found = fit(SOYBEANS, np.ones(5), blocks=True)
    assert found.residual.sum() == pytest.approx(16)
    assert found.variances @ found.residual == pytest.approx(86.56)
    assert 5 * found.means.var(ddof=0) * 5 == pytest.approx(83.84)
    assert found.factors[0, 1] == pytest.approx(2 / 5)
    assert found.shares[:, 0, 1] == pytest.approx([1 / 5, 1 / 5, 0, 0, 0])


def test_without_blocks_each_method_has_the_variance_of_its_own_values() -> None:
    values = np.array([[1.0, 2.0, 6.0, NAN], [3.0, 3.5, 7.0, 8.0]])
    found = fit(values, np.ones(2), blocks=False)
    assert found.means == pytest.approx([3, 5.375])
    assert found.variances == pytest.approx([7, np.var([3, 3.5, 7, 8], ddof=1)])
    assert found.factors[0, 1] == pytest.approx(1 / 3 + 1 / 4)
    assert found.shares[:, 0, 1] == pytest.approx([1 / 3, 1 / 4])


def test_with_missing_runs_means_and_errors_are_those_of_least_squares() -> None:
    chance = np.random.default_rng(3)
    values = chance.normal(size=(4, 5)) + 10 * chance.normal(size=5)
    values[0, 1] = values[2, 3] = values[2, 4] = NAN
    weights = np.array([1, 1, 0.25, 1])
    found = fit(values, weights, blocks=True)
    rows, seeds = np.nonzero(~np.isnan(values))
    design = np.concatenate([np.eye(4)[rows], np.eye(5)[seeds]], axis=1)
    scaled = np.sqrt(weights[rows])[:, None] * design
    inverse = np.linalg.pinv(scaled.T @ scaled)
    solution = inverse @ design.T @ (weights[rows] * values[rows, seeds])
    differences = found.means[:, None] - found.means
    assert differences == pytest.approx(solution[:4, None] - solution[:4])
    own = np.diag(inverse)[:4]
    assert found.factors == pytest.approx(own[:, None] + own - 2 * inverse[:4, :4])
    # Where variances are inverse to the weights, the two forms of a difference's variance are one.
    assert np.einsum("k,kab->ab", 1 / weights, found.shares) == pytest.approx(found.factors)
    residuals = values[rows, seeds] - design @ solution
    hat = np.diag(design @ inverse @ design.T) * weights[rows]
    expected = [(residuals[rows == row] ** 2).sum() / (1 - hat[rows == row]).sum() for row in range(4)]
    assert found.variances == pytest.approx(expected)
    assert found.residual.sum() == pytest.approx(len(rows) - (4 + 5 - 1))


def test_the_variance_of_paired_differences_counts_where_it_is_the_larger() -> None:
    noise = np.array([[1.0, -1, 2, -2, 0], [0.5, 1, -1, 0, -0.5], [1, 0, -1, 1, -1]])
    values = np.vstack([noise, [3.0, -4, 5, -6, 2], [-3.0, 4, -5, 6, -2]])
    values[0, 4] = NAN
    found = fit(values, np.ones(5), blocks=True)
    for one, other in ((3, 4), (0, 3), (1, 2)):
        differences = values[one] - values[other]
        paired = np.var(differences[~np.isnan(differences)], ddof=1)
        assert found.excess[one, other] == pytest.approx(max(1, paired / found.variances[[one, other]].sum()))
    assert found.excess[3, 4] > 1.5
    assert found.excess[1, 2] == 1
    assert (fit(values, np.ones(5), blocks=False).excess == 1).all()


def test_methods_are_linked_by_seeds_that_they_share_or_that_others_share_with_both() -> None:
    present = np.array(
        [[1, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1]]
    )
    chance = np.random.default_rng(0)
    found = fit(np.where(present, chance.normal(size=present.shape), NAN), np.ones(5), blocks=True)
    group = np.array([0, 0, 0, 1, 1])
    assert (found.linked == (group[:, None] == group)).all()


def test_a_seed_without_any_value_changes_nothing() -> None:
    values = np.array([[1.0, 2.5, 2.0], [2.0, 2.2, 4.0], [5.0, 4.0, 4.5]])
    holed = np.insert(values, 1, np.nan, axis=1)
    for blocks in (True, False):
        whole, other = (fit(each, np.ones(3), blocks=blocks) for each in (values, holed))
        assert np.allclose(whole.means, other.means)
        assert np.allclose(whole.variances, other.variances)
