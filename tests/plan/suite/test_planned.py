import pytest

from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import Grid, Suite
from mtbench.plan.suite.planned import Place, places, plan_suite, signature, size_of

SUITE = Suite(
    name="mine",
    title="T",
    settings={"lr": 5e-4, "epochs": 50, "seeds": 2},
    grid=(
        Grid(datasets=("mmnist2", "mmnist3"), methods=("td:preset=levi2021", "uniform")),
        Grid(datasets=("mmnist2",), methods=("uniform",), vary={"fraction": (0.1, 0.5)}, set={"clip": 1.0}),
    ),
)


def asked(method: str = "uniform", *, protocol: str = "paper", dataset: str = "mmnist2", **settings: str) -> RunSpec:
    """Return the spec as ``mtbench run`` would plan it, without a suite."""
    request = Request(methods=[method], datasets=[dataset], protocol=protocol, settings=settings, seeds=[3])
    return plan(request)[0]


def test_a_suite_is_every_method_on_every_dataset_under_each_variation_for_each_seed_once() -> None:
    specs = plan_suite(SUITE)
    assert len(specs) == len({spec.id for spec in specs}) == (2 * 2 + 2) * 2
    assert {spec.seed for spec in specs} == {0, 1}
    assert {spec.protocol.fraction for spec in specs if spec.protocol.clip} == {0.1, 0.5}
    assert {(spec.protocol.lr, spec.protocol.epochs, spec.protocol.batch) for spec in specs} == {(5e-4, 50, 512)}


def test_all_rows_have_a_seed_before_any_row_has_the_next() -> None:
    assert [spec.seed for spec in plan_suite(SUITE)] == [0] * 6 + [1] * 6
    assert [spec.seed for spec in plan_suite(SUITE, seeds=[4, 2])] == [2] * 6 + [4] * 6


def test_runs_that_two_parts_of_a_grid_share_are_planned_once() -> None:
    twice = Suite(name="twice", title="T", grid=(SUITE.grid[0], SUITE.grid[0]))
    assert len(plan_suite(twice, seeds=[0])) == 4


def test_a_suite_at_another_size_keeps_what_it_trains_and_takes_how_much_from_there() -> None:
    quick = plan_suite(SUITE, base="quick")
    own = asked(protocol="quick").protocol
    assert {spec.protocol.lr for spec in quick} == {5e-4}
    assert {spec.protocol.epochs for spec in quick} == {own.epochs}
    assert {spec.protocol.images for spec in quick} == {own.images}
    assert len(quick) == 6 * own.seeds


def test_what_is_asked_for_on_the_command_line_goes_before_the_suite() -> None:
    specs = plan_suite(SUITE, settings={"epochs": "3", "lr": "1e-2"}, seeds=[7])
    assert {(spec.protocol.epochs, spec.protocol.lr, spec.seed) for spec in specs} == {(3, 1e-2, 7)}


def test_a_protocol_that_a_dataset_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match="has no training protocol 'huge'"):
        plan_suite(SUITE, base="huge")


def test_runs_find_their_place_whatever_their_size_and_whoever_asked_for_them() -> None:
    known = places(SUITE)
    plain = Place(dataset="mmnist2", method="uniform", variation=())
    for spec in (
        asked(lr="5e-4"),
        asked(lr="5e-4", epochs="3", batch="64", images="1000"),
        asked(protocol="quick", lr="5e-4"),
        asked("branches+uniform", lr="5e-4"),
    ):
        assert known[signature(spec)] == plain
    other = known[signature(asked("td:bu2=mul:upsample=nearest", dataset="mmnist3", lr="5e-4"))]
    assert other == Place(dataset="mmnist3", method="td:preset=levi2021", variation=())
    varied = known[signature(asked(lr="5e-4", fraction=".5", clip="1"))]
    assert varied == Place(dataset="mmnist2", method="uniform", variation=(("clip", "1"), ("fraction", "0.5")))


@pytest.mark.parametrize(
    "stranger",
    [
        asked(),  # the protocol's own learning rate
        asked(lr="5e-4", fraction=".5"),
        asked(lr="5e-4", validation="true"),
        asked("moo", lr="5e-4"),
        asked("uniform@lenet:width=2", lr="5e-4"),
        asked(dataset="mmnist4", lr="5e-4"),
        asked(dataset="mmnist2:scale=1/10", lr="5e-4"),
    ],
    ids=lambda spec: f"{spec.dataset} {spec.titles.method} {spec.titles.protocol}",
)
def test_runs_of_something_else_have_no_place(stranger: RunSpec) -> None:
    assert signature(stranger) not in places(SUITE)


def test_every_run_of_a_suite_has_the_place_that_it_was_planned_for() -> None:
    known = places(SUITE)
    assert len(known) == 6
    for base in ("paper", "quick"):
        assert {known[signature(spec)] for spec in plan_suite(SUITE, base=base)} == set(known.values())


def test_a_size_is_the_name_of_its_protocol_and_what_differs_from_the_suites() -> None:
    place = Place(dataset="mmnist2", method="uniform", variation=())
    assert size_of(SUITE, place, asked(lr="5e-4", epochs="50")) == "paper"
    assert size_of(SUITE, place, asked(lr="5e-4")) == "paper, epochs=100"
    assert size_of(SUITE, place, asked(lr="5e-4", protocol="quick")) == "quick"
    assert size_of(SUITE, place, asked(lr="5e-4", protocol="quick", epochs="2")) == "quick, epochs=2"


def test_a_place_under_all_methods_has_the_methods_own_name() -> None:
    everything = Suite(name="all", title="T", grid=(Grid(datasets=("mmnist2",), methods=("all",)),))
    found = {place.method for place in places(everything).values()}
    assert {"uniform", "moo", "td", "branches+pcgrad"} <= found
    assert "all" not in found
