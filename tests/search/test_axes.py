"""The axes that are searched: by default those that are declared, else those that are named and nothing else."""

import pytest

from mtbench.contract import Choices, File, Range, Simplex, TrainingProtocol
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_method
from mtbench.search.axes import Axis, axes_of, default_axes, describe

TASKS = ("upper", "lower")


def space_of(method: str, **space: str) -> dict[str, str]:
    named = {name.replace("__", "."): text for name, text in space.items()}
    return describe(axes_of(parse_method(method), TrainingProtocol(), TASKS, named)[0])


def axis(method: str, name: str, text: str) -> Axis:
    (found,) = axes_of(parse_method(method), TrainingProtocol(), TASKS, {name: text})[0]
    return found


def test_the_default_is_the_learning_rate_and_what_the_options_declare() -> None:
    assert describe(default_axes(parse_method("td"), TrainingProtocol(), TASKS)) == {"lr": "0.0001..0.01:log"}
    assert space_of("branches+gradnorm") == {"lr": "0.0001..0.01:log", "alpha": "0..3"}
    assert space_of("mmoe+dwa") == {"lr": "0.0001..0.01:log", "experts": "2/4/8", "temperature": "0.5..8:log"}


@pytest.mark.parametrize(
    ("optimizer", "space"),
    [
        ("adam", {"lr": "0.0001..0.01:log"}),
        ("adamw", {"lr": "0.0001..0.01:log", "weight_decay": "0.0001..0.1:log"}),
        ("sgd", {"lr": "0.001..1:log"}),
        ("adagrad", {"lr": "0.001..0.1:log"}),
        ("muon", {"lr": "0.001..0.1:log"}),
    ],
)
def test_each_optimizer_has_a_space_of_its_own(optimizer: str, space: dict[str, str]) -> None:
    protocol = TrainingProtocol().changed(optimizer=optimizer, **{"weight-decay": ".01"})
    assert describe(default_axes(parse_method("td"), protocol, TASKS)) == space


def test_settings_that_the_optimizer_does_not_use_are_not_searched() -> None:
    for optimizer, unused in (("adam", "momentum"), ("sgd", "beta1"), ("muon", "initial-accumulator")):
        protocol = TrainingProtocol().changed(optimizer=optimizer)
        assert axes_of(parse_method("td"), protocol, TASKS, {unused: ".1...5"}) == ([], set())
    sgd = TrainingProtocol().changed(optimizer="sgd")
    assert describe(axes_of(parse_method("td"), sgd, TASKS, {"momentum": "0...99"})[0]) == {"momentum": "0..0.99"}


def test_weights_of_the_tasks_are_searched_alone() -> None:
    assert space_of("branches+fixed") == {"weights": "simplex:19"}


def test_an_option_that_was_given_with_the_method_stays_as_it_is() -> None:
    assert space_of("branches+gradnorm:alpha=2") == {"lr": "0.0001..0.01:log"}
    assert space_of("branches+fixed:weights=.3/.7") == {"lr": "0.0001..0.01:log"}


def test_weights_of_a_single_task_are_nothing_to_search() -> None:
    assert describe(default_axes(parse_method("branches+fixed"), TrainingProtocol(), ("one",))) == {
        "lr": "0.0001..0.01:log"
    }


def test_naming_a_space_leaves_everything_else_as_it_is() -> None:
    assert space_of("branches+gradnorm", alpha="1..2") == {"alpha": "1..2"}
    assert space_of("branches+gradnorm", alpha="1..2", lr="none") == {"alpha": "1..2"}


def test_leaving_out_leaves_the_rest_of_the_default() -> None:
    assert space_of("branches+gradnorm", lr="none") == {"alpha": "0..3"}
    assert space_of("branches+gradnorm", alpha="") == {"lr": "0.0001..0.01:log"}


def test_a_bare_name_is_the_protocols_and_a_balancers_is_named_with_it() -> None:
    assert axis("branches+famo", "lr", "1e-4..1e-3").part == "protocol"
    mine = axis("branches+famo", "famo.lr", "1e-3..1e-1:log")
    assert (mine.part, mine.name, mine.space) == ("balancer", "famo.lr", Range(low=1e-3, high=1e-1, log=True))
    assert axis("branches+famo", "weight-decay", "0..1").part == "protocol"
    assert axis("branches+famo", "famo.weight-decay", "0..1").part == "balancer"
    assert axis("moo", "mgda-ub.normalize", "none/l2").part == "balancer"


@pytest.mark.parametrize(
    ("name", "text", "space"),
    [
        ("lr", "1e-4..1e-2:log", Range(low=1e-4, high=1e-2, log=True)),
        ("lr", ".1...9", Range(low=0.1, high=0.9)),
        ("batch", "16..64", Range(low=16, high=64)),
        ("channels", "1/2/6", Choices(values=("1", "2", "6"))),
        ("lr", "1e-3/.5", Choices(values=("0.001", "0.5"))),
        ("gate", "choices", Choices(values=("sigmoid", "tanh"))),
        ("image", "choices", Choices(values=("false", "true"))),
        ("image", "on/off", Choices(values=("true", "false"))),
        ("optimizer", "adam/sgd", Choices(values=("adam", "sgd"))),
        ("schedule", "halving/step:factor=.1:every=9", Choices(values=("halving", "step:every=9"))),
    ],
)
def test_spaces_are_read_as_they_are_typed(name: str, text: str, space: object) -> None:
    assert axis("td", name, text).space == space


def test_weights_are_typed_as_a_simplex() -> None:
    assert axis("branches+fixed", "weights", "simplex").space == Simplex()
    assert axis("branches+fixed", "weights", "simplex:9").space == Simplex(ratio=9)


@pytest.mark.parametrize(
    ("method", "name", "text", "message"),
    [
        ("td", "lr", "1..x", "--space lr is 'x'. Allowed: a number."),
        ("td", "lr", "1e-2..1e-4", "--space lr is '1e-2..1e-4': a range goes from a number to a greater one"),
        ("td", "channels", "0..4:log", "--space channels is '0..4:log': a range of logarithms begins above 0"),
        ("td", "lr", "1e-4..1e-2:ln", "--space lr is '1e-4..1e-2:ln'. A range is low..high, or low..high:log."),
        ("td", "schedule", "halving/cosin", "protocol setting 'schedule' is 'cosin'. Did you mean 'cosine'?"),
        ("td", "lr", "0..1", "--space lr is 0. Allowed: at least 1e-12."),
        ("td", "lr", "choices", "--space lr is 'choices', and any value is allowed there. Allowed: low..high,"),
        ("td", "lr", "simplex", "--space lr is 'simplex'. Allowed: low..high, low..high:log, or values with slashes"),
        ("td", "lr", "1/1.0", "--space lr is '1/1.0': a value stands twice in 1/1."),
        ("td", "channels", "1/2.5", "--space channels is '2.5'. Allowed: a whole number."),
        ("td", "gate", "tanh/sigmoidal", "--space gate is 'sigmoidal'. Did you mean 'sigmoid'?"),
        ("td", "gate", "0..1", "--space gate is '0..1'. Allowed: values with slashes, such as a/b/c;"),
        ("branches+fixed", "weights", ".3/.7", "--space weights is '.3/.7'. Weights of the tasks are searched as"),
        ("branches+fixed", "weights", "simplex:1", "--space weights is 'simplex:1': a simplex has a greatest ratio"),
        ("branches+fixed", "weights", "simplex:x", "--space weights is 'x'. Allowed: a number."),
    ],
)
def test_what_is_no_space_is_refused_in_words(method: str, name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        axis(method, name, text)
    assert str(caught.value).startswith(message)


def test_values_are_written_as_they_are_typed() -> None:
    assert axis("td", "lr", "1e-4..1").text({"lr": 0.00123456789}) == "0.00123457"
    assert axis("td", "batch", "16..64").text({"batch": 32}) == "32"
    assert axis("td", "gate", "choices").text({"gate": "tanh"}) == "tanh"
    assert axis("branches+fixed", "weights", "simplex").text({"weights.upper": 0.0}) == "0.5/0.5"


def test_a_default_has_a_place_in_the_space_or_none() -> None:
    assert axis("td", "lr", "1e-4..1e-2").default_point() == {"lr": 1e-3}
    assert axis("td", "lr", "1e-2..1e-1").default_point() is None
    assert axis("td", "gate", "choices").default_point() == {"gate": "sigmoid"}
    assert axis("mmoe", "experts", "2/4").default_point() is None
    assert axis("branches+fixed", "weights", "simplex").default_point() == {"weights.upper": 0.0}


def test_what_gives_trials_other_budgets_or_data_is_not_searched() -> None:
    for name in ("epochs", "images", "fraction", "validation", "seeds", "select", "curve"):
        assert axes_of(parse_method("td"), TrainingProtocol(), TASKS, {name: "1..2"}) == ([], set())


@pytest.mark.parametrize("text", ["a.pth/b.pth", "choices", "1..2"])
def test_an_option_that_is_a_file_is_not_searched(text: str) -> None:
    bounds = {"choices": (), "low": None, "high": None}
    weights = Axis(
        name="weights", part="network", option="weights", kind=File | None, default=None, space=None, tasks=TASKS,
        bounds=bounds,
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"^--space weights is '.*', and an option that is a file is not searched\."):
        weights.parse(text)


def test_declared_options_are_added_to_the_settings_that_are_named() -> None:
    rates = {"lr": "1e-4..1e-2:log", "weight_decay": "0/1e-4", "options": "declared"}
    shared = {"lr": "0.0001..0.01:log", "weight_decay": "0/0.0001"}
    assert space_of("td", **rates) == shared
    assert space_of("branches+gradnorm", **rates) == {**shared, "alpha": "0..3"}
    assert space_of("branches+fixed", **rates) == {**shared, "weights": "simplex:19"}
    assert space_of("branches+gradnorm", options="declared") == {"alpha": "0..3"}


def test_a_declared_option_that_is_named_itself_keeps_that_space_or_is_left_out() -> None:
    assert space_of("branches+gradnorm", alpha="1..2", options="declared") == {"alpha": "1..2"}
    assert space_of("mmoe+gradnorm", alpha="none", options="declared") == {"experts": "2/4/8"}
    assert space_of("branches+gradnorm:alpha=2", lr="1e-4..1e-2", options="declared") == {"lr": "0.0001..0.01"}


def test_another_word_for_declared_options_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--space options is 'all'.*Allowed: declared"):
        space_of("td", options="all")
