from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from mtbench import registry
from mtbench.contract import option
from mtbench.errors import PluginError, UsageError
from mtbench.plan import facts
from mtbench.plan.grid import Request, parse_seeds, plan
from mtbench.plan.spec import RunSpec
from mtbench_methods.networks.td.network import TopDown, TopDownOptions


def specs(
    *methods: str, dataset: str = "mmnist3", seeds: Sequence[int] | None = (0,), **settings: str
) -> list[RunSpec]:
    return plan(Request(methods=methods, datasets=[dataset], settings=settings, seeds=seeds))


def test_a_grid_is_every_method_for_every_seed_each_once() -> None:
    grid = specs("td", "moo", "branches+mgda-ub", "td+uniform", seeds=[0, 3])
    assert [(spec.titles.method, spec.seed) for spec in grid] == [("td", 0), ("moo", 0), ("td", 3), ("moo", 3)]


def test_the_protocol_says_how_many_seeds_when_none_are_asked_for() -> None:
    assert [spec.seed for spec in specs("td", seeds=None)] == [0, 1, 2, 3, 4]


def test_the_identity_of_a_run_never_moves() -> None:
    """If this fails, the records of every user have lost their place: an id is a promise."""
    assert specs("td")[0].id == "3195a2ff9bab"
    assert specs("moo:normalize=loss+", epochs="15")[0].id == "bbdedfcd1c52"


def test_an_option_added_to_a_method_leaves_the_ids_of_old_runs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [spec.id for spec in specs("td", "td:channels=6")]

    @dataclass(frozen=True, kw_only=True)
    class Options(TopDownOptions):
        attention: float = option(0.5, "an option of a later version")

    monkeypatch.setattr(TopDown, "Options", Options)
    after = specs("td", "td:channels=6", "td:attention=0.5", "td:attention=1")
    assert [spec.id for spec in after[:2]] == before
    assert len(after) == 3


def test_everything_asked_for_is_in_the_identity_and_the_number_of_seeds_is_not() -> None:
    base = specs("td")[0].id
    others = [specs("td", lr="5e-4"), specs("td", images="100"), specs("td", dataset="mmnist4"), specs("td", seeds=[1])]
    assert len({base, *(spec[0].id for spec in others)}) == 5
    more = plan(Request(methods=["td"], datasets=["mmnist3"], settings={"seeds": "9"}, seeds=[0]))
    assert more[0].id == base


def test_a_spec_is_read_back_as_it_was_written() -> None:
    spec = specs("moo:normalize=loss+@lenet:width=.5", epochs="15")[0]
    assert RunSpec.from_json(spec.to_json()) == spec
    assert RunSpec.from_json(spec.to_json()).id == spec.id


def test_folders_have_no_characters_that_a_file_system_minds() -> None:
    spec = specs("branches+fixed:weights=.2/.3/.5", dataset="mmnist3:offset=8")[0]
    assert spec.folder == f"mmnist3,offset=8/branches+fixed,weights=0.2_0.3_0.5/seed-0-{spec.id}"


def test_the_default_backbone_is_not_part_of_the_name() -> None:
    assert specs("td@lenet")[0] == specs("td")[0]
    assert specs("td@lenet:width=2")[0].titles.method == "td@lenet:width=2"


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("3", [0, 1, 2]),
        ("0,3,7", [0, 3, 7]),
        ("7,", [7]),
        ("2,2,1", [1, 2]),
        ("0-5", [0, 1, 2, 3, 4, 5]),
        ("4-4", [4]),
        ("0,3-5", [0, 3, 4, 5]),
    ],
)
def test_seeds_are_a_count_a_range_or_a_list(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "-1", "a", "", "1,-2", ",", "5-3", "0-a"])
def test_other_seeds_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_seeds(text)
    assert str(error.value) == (
        f"--seeds is '{text}'. Allowed: a count such as 10, a range such as 0-5 (both ends included), or a list such "
        "as 0,3,7-9 ('7,' is seed 7 alone); at most 10,000 seeds, none above 9223372036854775807."
    )


@pytest.mark.parametrize(
    "text", ["10001", str(10**30), f"0-{10**30}", "0-9999,10000", "9223372036854775808,", f"{2**64 - 1},", "9" * 5000]
)
def test_too_many_and_too_large_seeds_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="at most 10,000 seeds, none above 9223372036854775807"):
        parse_seeds(text)


def test_the_most_and_the_largest_seeds_are_taken() -> None:
    assert (len(parse_seeds("10000")), parse_seeds("9223372036854775807,")) == (10_000, [2**63 - 1])


def test_weights_that_do_not_fit_the_tasks_are_refused_at_planning() -> None:
    with pytest.raises(UsageError) as error:
        specs("branches+fixed:weights=.3/.7")
    assert str(error.value) == (
        "option 'weights' of balancer 'fixed' is '0.3/0.7', 2 weights for 3 tasks. "
        "Give a weight for each, not all 0, such as 0.33/0.33/0.33. The tasks: LU, RL, LL."
    )


@pytest.mark.parametrize(
    ("method", "dataset", "text"),
    [
        ("td:td_loss=1", "toy-all",
         "option 'td_loss' of method 'td' needs foreground maps, and this dataset has none."),
        ("td:image=false:td=mul", "mmnist3",
         "option 'td' of method 'td' is 'mul', which does nothing with image=false."),
        ("td:spatial=false:upsample=nearest", "mmnist3",
         "option 'upsample' of method 'td' is 'nearest', which does nothing with spatial=false."),
        ("td:bu2=mul:gate=tanh", "mmnist3",
         "option 'gate' of method 'td' is 'tanh', which does nothing with no gated connection."),
        ("chmod:first=3", "mmnist3", "option 'first' of method 'chmod' is 3. This backbone has conv maps 1 to 2."),
        ("chmod:first=2:stages=fc", "mmnist3",
         "option 'first' of method 'chmod' is for conv stages, and stages=fc modulates none."),
        ("chmod:beta=1", "mmnist3", "options 'triple' and 'beta' of method 'chmod' do nothing without 'regularizer'."),
        ("chmod:relu_mask=true:variant=projection", "mmnist3", "option 'relu_mask' of method 'chmod' is for vectors: "),
    ],
)  # fmt: skip
def test_options_that_do_nothing_or_cannot_work_are_refused_at_planning(method: str, dataset: str, text: str) -> None:
    with pytest.raises(UsageError) as error:
        specs(method, dataset=dataset)
    assert str(error.value).startswith(text)


def test_statistics_of_batches_are_refused_where_nothing_is_normalized_by_them() -> None:
    with pytest.raises(UsageError) as error:
        plan(Request(methods=["uniform"], datasets=["mmnist2"], settings={"norm-eval": "batch"}))
    assert str(error.value) == (
        "protocol setting 'norm_eval' is 'batch', and method 'branches' on backbone 'lenet' has no batch "
        "normalization. Use --set norm-eval=running."
    )


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        plan(Request(methods=["td"], datasets=["mmnist3"], protocol="quik", settings={}))
    assert str(error.value) == (
        "dataset 'mmnist3' has no training protocol 'quik'. Did you mean 'quick'? Its training protocols: paper, quick."
    )


def test_all_methods_are_every_installed_network_and_alias_once() -> None:
    names = [spec.titles.method for spec in specs("all")]
    assert {"single", "uniform", "moo", "chmod", "td"} <= set(names)
    assert "branches" not in names
    assert len(names) == len(set(names))


def test_nothing_asked_for_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing to run"):
        specs()


def test_all_is_every_method_and_the_plain_network_with_every_balancer() -> None:
    said: list[str] = []
    specs = plan(Request(methods=["all"], datasets=["toy-all"], settings={}, seeds=[0]), left_out=said.append)
    asked = {f"{spec.network.name}+{spec.balancer.name}" for spec in specs}
    for name in registry.entries("balancer"):
        assert f"branches+{name}" in asked or any(f"'branches+{name}' is left out" in line for line in said)
    assert {spec.network.name for spec in specs} >= {"td", "chmod", "single", "branches"}
    assert len({spec.id for spec in specs}) == len(specs)
    assert any("'branches+fixed' is left out on toy-all: option 'weights'" in line for line in said)


def test_a_backbone_is_that_of_the_methods_that_name_none() -> None:
    request = Request(
        methods=["branches", "branches@lenet:width=2"],
        datasets=["toy-all"],
        settings={},
        seeds=[0],
        backbone="vgg11:width=.125",
    )
    assert [str(spec.backbone) for spec in plan(request)] == ["vgg11:width=0.125", "lenet:width=2"]
    assert [spec.titles.method for spec in plan(request)] == ["uniform@vgg11:width=0.125", "uniform@lenet:width=2"]


def test_a_method_that_needs_feature_maps_is_refused_where_there_are_none() -> None:
    with pytest.raises(UsageError) as error:
        plan(Request(methods=["td"], datasets=["toy2"], settings={}, seeds=[0]))
    assert str(error.value) == "method 'td' needs the feature maps of its backbone, and 'point' has none."


def test_a_backbone_that_cannot_take_the_inputs_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError) as error:
        plan(Request(methods=["uniform@lenet"], datasets=["toy2"], settings={}, seeds=[0]))
    text = str(error.value)
    assert text.startswith(
        "method 'branches' cannot be built on backbone 'lenet' for the inputs of dataset 'toy2', which are 1x1x1: "
    )
    assert text.endswith("The dataset's own backbone is 'point'.")


def test_a_part_that_fails_as_it_is_built_is_named_and_left_out_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TypeError("one argument too many.")

    monkeypatch.setattr(registry.load("balancer", "mgda"), "__init__", fail)
    monkeypatch.setattr(facts, "_build", facts._build.__wrapped__)  # else an earlier success is remembered
    with pytest.raises(PluginError) as error:
        specs("branches+mgda")
    reason = "method 'branches+mgda' on backbone 'lenet' cannot be built: TypeError: one argument too many."
    assert str(error.value) == reason
    said: list[str] = []
    plan(Request(methods=["all"], datasets=["mmnist3"], settings={}, seeds=[0]), left_out=said.append)
    assert f"'branches+mgda' is left out on mmnist3: {reason}" in said
