"""Simulated courses, compared with closed forms and laws."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import astuple
from itertools import pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mtbench.engines.simulation.closed import daly, expected_failures, expected_seconds, young
from mtbench.engines.simulation.course import Course, Outages, simulate
from mtbench.engines.simulation.setting import NEVER, Cluster, RunCost

times = st.floats(0, 20)
runs = st.builds(RunCost, epochs=st.integers(1, 12), epoch=st.floats(0.5, 20), start=times, checkpoint=times, end=times)
clusters = st.builds(
    Cluster,
    nodes=st.integers(1, 4),
    mtbf=st.floats(60, 1e4),
    recovery=times,
    runs_per_node=st.integers(1, 3),
    notice=times,
)
intervals = st.sampled_from([0.0, 5.0, 30.0, NEVER])


def course(given: Sequence[RunCost], cluster: Cluster, every: float = 0.0, seed: int = 0) -> Course:
    return simulate(given, cluster, every, Outages(cluster, [seed]))


def test_without_failures_the_makespan_is_that_of_list_scheduling() -> None:
    cluster = Cluster(nodes=3, mtbf=math.inf, runs_per_node=2)
    lengths = [7, 3, 9, 4, 4, 8, 1, 6, 2, 5, 5]
    slots = [0.0] * 6
    for length in lengths:
        heapq.heapreplace(slots, slots[0] + length)
    assert course([RunCost(epochs=length, epoch=1) for length in lengths], cluster).makespan == max(slots) == 11


def test_without_failures_nothing_is_lost_and_each_run_has_one_attempt() -> None:
    run = RunCost(epochs=10, epoch=6, start=4, checkpoint=2, end=5)
    found = course([run] * 3, Cluster(nodes=1, mtbf=math.inf), every=15)
    # A checkpoint after the epochs 3, 6 and 9.
    assert found == Course(makespan=225, busy=225, lost=0, checkpoints=18, starts=12, attempts=3)


@pytest.mark.parametrize(
    ("every", "checkpoints"), [(0, 10), (5, 10), (6, 10), (7, 5), (12, 5), (29, 2), (55, 1), (61, 0), (NEVER, 0)]
)
def test_a_checkpoint_is_written_at_the_first_end_of_an_epoch_after_the_interval(
    every: float, checkpoints: int
) -> None:
    found = course([RunCost(epochs=10, epoch=6, checkpoint=1)], Cluster(nodes=1, mtbf=math.inf), every)
    assert found.checkpoints == checkpoints


class At(Outages):
    """Failures of nodes at given instants."""

    def __init__(self, *instants: Sequence[float]) -> None:
        self.instants = instants

    def instant(self, node: int, number: int) -> float:
        return self.instants[node][number] if number < len(self.instants[node]) else math.inf


def test_a_failure_loses_the_training_since_the_last_checkpoint_and_the_next_free_node_resumes_it() -> None:
    run = RunCost(epochs=4, epoch=10, start=2, checkpoint=1)
    # Node 0: a start, two epochs with checkpoints until 24, and 6 s that are lost. Node 1 is free at 46.
    found = simulate([run, run], Cluster(nodes=2, mtbf=1, recovery=1000), 0, At([30], []))
    assert found == Course(makespan=46 + 2 + 22, busy=30 + 46 + 24, lost=6, checkpoints=8, starts=6, attempts=3)


def test_a_failed_node_comes_back_after_its_recovery_and_its_run_after_it_was_noticed() -> None:
    run = RunCost(epochs=4, epoch=10)
    assert simulate([run], Cluster(nodes=1, mtbf=1, recovery=7), 0, At([15])).makespan == 15 + 7 + 30
    assert simulate([run], Cluster(nodes=1, mtbf=1, recovery=7, notice=9), 0, At([15])).makespan == 15 + 9 + 30
    # The second failure comes while nothing is at work there: the node is away from 20 to 27.
    assert simulate([run], Cluster(nodes=1, mtbf=1, recovery=7, notice=9), 0, At([5, 13])).makespan == 20 + 40


def test_a_failure_ends_all_runs_of_its_node() -> None:
    run = RunCost(epochs=1, epoch=10)
    found = simulate([run] * 3, Cluster(nodes=1, mtbf=1, runs_per_node=3), 0, At([4]))
    assert (found.makespan, found.lost, found.attempts) == (14, 12, 6)


@pytest.mark.parametrize("every", [0, 45, NEVER])
def test_a_run_on_one_node_takes_the_time_of_the_closed_form_and_as_many_attempts(every: float) -> None:
    """Daly's formula by segment, here with recovery; 4,000 courses, of which 4 standard errors are allowed."""
    run = RunCost(epochs=10, epoch=20, start=10, checkpoint=4, end=5)
    cluster = Cluster(nodes=1, mtbf=150, recovery=30)
    courses = [course([run], cluster, every, seed) for seed in range(4000)]
    for values, expected in (
        ([one.makespan for one in courses], expected_seconds(run, every, cluster)),
        ([one.attempts - 1 for one in courses], expected_failures(run, every, cluster.mtbf)),
    ):
        assert abs(fmean(values) - expected) < 4 * stdev(values) / math.sqrt(len(values))


def test_the_closed_form_of_a_segment_is_that_of_daly() -> None:
    # M e^(R/M) (e^((tau + C)/M) - 1) with M = 100, R = 10, tau = 50, C = 5, for all segments but the first.
    run = RunCost(epochs=5, epoch=50, start=10, checkpoint=5)
    first = 100 * math.expm1(65 / 100)
    others = 100 * math.exp(10 / 100) * math.expm1(55 / 100)
    expected = expected_seconds(run, 0, Cluster(nodes=1, mtbf=100))
    assert expected == pytest.approx(first + 4 * others)


@pytest.mark.parametrize(("checkpoint", "mtbf"), [(1, 1000), (10, 1000), (100, 1000)])
def test_the_intervals_of_young_and_daly_are_near_the_least_expected_time(checkpoint: float, mtbf: float) -> None:
    def cost(interval: float) -> float:  # of a long run, per second of training
        return mtbf * math.expm1((interval + checkpoint) / mtbf) / interval

    least = min(cost(mtbf * 10 ** (power / 200)) for power in range(-600, 200))
    assert cost(daly(checkpoint, mtbf)) == pytest.approx(least, rel=1e-4)
    assert cost(young(checkpoint, mtbf)) == pytest.approx(least, rel=2e-2)
    assert daly(3 * mtbf, mtbf) == mtbf


@given(given=st.lists(runs, min_size=1, max_size=5), cluster=clusters, every=intervals, seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_the_time_of_attempts_is_what_was_useful_lost_or_overhead(
    given: list[RunCost], cluster: Cluster, every: float, seed: int
) -> None:
    assume(all(expected_failures(run, every, cluster.mtbf) <= 200 for run in given))
    found = course(given, cluster, every, seed)
    useful = sum(run.useful for run in given)
    assert found.busy == pytest.approx(useful + found.lost + found.checkpoints + found.starts)
    assert min(astuple(found)) >= 0
    assert found.attempts >= len(given)
    places = cluster.nodes * cluster.runs_per_node
    assert found.makespan >= max(run.start + run.useful for run in given) - 1e-6
    assert found.makespan * min(places, len(given)) >= found.busy - 1e-6 * found.busy
    assert found == course(given, cluster, every, seed)


@given(given=st.lists(runs, min_size=1, max_size=5), cluster=clusters, seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_a_run_alone_on_nodes_that_do_not_recover_slower_never_gains_from_failures(
    given: list[RunCost], cluster: Cluster, seed: int
) -> None:
    """For one run; with several a failure can put a better order in the place of a worse one."""
    alone, calm = given[:1], Cluster(nodes=1, mtbf=math.inf)
    assume(expected_failures(alone[0], 0, cluster.mtbf) <= 200)
    assert course(alone, cluster, 0, seed).makespan >= course(alone, calm, 0).makespan - 1e-6


def test_a_seed_gives_the_same_failures_whatever_the_nodes_do() -> None:
    cluster = Cluster(nodes=3, mtbf=100, recovery=5)
    one, other = Outages(cluster, [4, 2]), Outages(cluster, [4, 2])
    late = one.instant(2, 20)
    assert [other.instant(2, number) for number in range(21)][20] == late
    assert one.instant(0, 3) == other.instant(0, 3)
    assert Outages(cluster, [4, 3]).instant(0, 3) != one.instant(0, 3)
    gaps = [other.instant(1, number + 1) - other.instant(1, number) for number in range(40)]
    assert min(gaps) > 5


def test_failures_of_a_node_have_the_mean_and_the_deviation_of_an_exponential_distribution() -> None:
    outages = Outages(Cluster(nodes=1, mtbf=100, recovery=5), [0])
    instants = [0.0, *(outages.instant(0, number) for number in range(20_000))]
    gaps = [later - earlier - 5 for earlier, later in pairwise(instants[1:])]
    assert abs(fmean(gaps) - 100) < 4 * 100 / math.sqrt(len(gaps))
    assert stdev(gaps) == pytest.approx(100, rel=0.04)


def test_a_run_without_time_and_a_cluster_without_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="an epoch that takes time"):
        RunCost(epochs=3, epoch=0)
    with pytest.raises(ValueError, match="must be a node"):
        Cluster(nodes=0, mtbf=1)
