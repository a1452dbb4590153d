"""Leading trials, against the definition."""

from hypothesis import given
from hypothesis import strategies as st

from mtbench.search.choice import choose, leading
from tests.report.searches import Tried, accuracies, rated, weighted

TASKS = st.integers(2, 4)
WORTHS = TASKS.flatmap(
    lambda tasks: st.lists(
        st.none() | st.lists(st.integers(0, 5).map(float), min_size=tasks, max_size=tasks), min_size=1, max_size=12
    )
)


@given(WORTHS)
def test_trials_lead_that_no_other_beats_in_one_task_and_equals_in_the_rest(worths: list[list[float] | None]) -> None:
    tasks = max((len(worth) for worth in worths if worth), default=2)
    names = [f"t{task}" for task in range(tasks)]
    tried = [Tried(asked="/".join("1" * tasks), worth=worth) for worth in worths]
    study = weighted(tried, tasks=accuracies(names))[0].study
    done = {number: worth for number, worth in enumerate(worths) if worth is not None}
    best = [
        number
        for number, worth in done.items()
        if not any(other != worth and all(map(float.__ge__, other, worth)) for other in done.values())
    ]
    assert leading(study) == best
    assert choose(study, "front") == (tuple(dict.fromkeys([0, *best])) if done else ())
    assert choose(study, "all") == (tuple(dict.fromkeys([0, *done])) if done else ())


def test_with_one_objective_the_first_of_the_best_leads_and_the_others_are_never_trained_again() -> None:
    tried = [Tried(asked=f"{lr}", worth=worth) for lr, worth in ((1, (80, 70)), (2, (90, 80)), (3, (80, 90)))]
    study = rated("td", tried)[0].study
    assert leading(study) == [1]
    assert choose(study, "all") == choose(study, "front") == (0, 1)
