"""The runs of suites and of parts of the list of evidence, at a size."""

from results.evidence import Part
from results.sized import of_part, of_suite


def test_a_part_has_its_suite_at_the_size_of_the_command_and_the_trials_of_its_searches() -> None:
    sized = of_part(Part(results="2026-11-30-td-controls", command="run --suite td-controls --epochs 8 --seeds 3"))
    assert sized.name == "td-controls"
    assert len(sized.grid) == len(sized.chosen) == 10 * 3
    assert len(sized.trials) == 10 * 4  # four learning rates each, on one tuning seed
    assert {spec.protocol.epochs for spec in sized.runs} == {8}
    assert {spec.seed for spec in sized.grid} == {0, 1, 2}
    assert all(spec.protocol.validation for spec in sized.trials)
    assert not any(spec.protocol.validation for spec in sized.grid)
    assert {spec.protocol.seeds for spec in sized.places.values()} == {3}


def test_rows_with_the_weights_of_others_are_runs_too() -> None:
    sized = of_suite("gama2025-fixed-weights")
    assert sized.suite is not None
    rows = sum(len(part.methods) * len(part.datasets) * len(part.variations()) for part in sized.suite.grid)
    assert len(sized.places) == rows
    assert any(place.method.startswith("branches+fixed:from=") for place in sized.places)


def test_a_part_without_a_suite_has_its_grid() -> None:
    sized = of_part(
        Part(results="2026-11-30-mine", command="run --methods uniform,moo --dataset toy2 --quick --seeds 2")
    )
    assert (sized.name, sized.suite) == ("mine", None)
    assert {(spec.balancer.name, spec.seed) for spec in sized.grid} == {
        *(("uniform", 0), ("uniform", 1), ("mgda-ub", 0), ("mgda-ub", 1))
    }
    (one,) = of_part(Part(results="2026-11-30-mine", command="run --methods td --dataset mmnist2 --seeds 3,")).grid
    assert one.seed == 3


def test_a_search_has_trials_and_what_is_retrained() -> None:
    command = "search --dataset toy2 --methods uniform --trials 30 --set lr=1e-2 --quick"
    sized = of_part(Part(results="2026-11-30-mine", command=command))
    assert sized.name == "mine, search"
    assert not sized.grid
    assert len(sized.trials) == 30
    assert len(sized.chosen) == sized.chosen[0].protocol.seeds
