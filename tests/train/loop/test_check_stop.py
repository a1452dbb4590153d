"""A run can be ended before each step and each batch of an evaluation, and nowhere else."""

import pytest

from mtbench.errors import Stopped
from mtbench.train.trained import Trained
from tests.builders.keepers import Memory
from tests.train.runs import run, same, spec_of


def test_a_stop_is_looked_for_before_each_step_and_each_batch_that_is_evaluated() -> None:
    """Once the data are loaded, in three epochs of six steps, on test data after each, on training data at the end."""
    calls: list[None] = []
    run(spec_of("uniform"), check_stop=lambda: calls.append(None))
    assert len(calls) == 1 + 3 * 6 + 3 + 1


@pytest.fixture(scope="module")
def undisturbed() -> Trained:
    return run(spec_of("uniform"))


@pytest.mark.parametrize(("count", "kept"), [(1, 0), (2, 0), (8, 0), (9, 1), (15, 1), (16, 2), (23, 2)])
def test_wherever_a_run_is_ended_it_is_resumed_to_the_same_bits(count: int, kept: int, undisturbed: Trained) -> None:
    left = count

    def check() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Stopped("stopped.")

    keeper = Memory()
    with pytest.raises(Stopped):
        run(spec_of("uniform"), keeper, check_stop=check)
    assert keeper.kept == kept
    assert same(run(spec_of("uniform"), keeper), undisturbed)
