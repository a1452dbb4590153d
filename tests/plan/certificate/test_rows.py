"""The rows of a certificate: which budgets a reference has of a method, and how it is trained for that."""

from pathlib import Path

import pytest

from mtbench.door.training.certify import search_plans
from mtbench.errors import UsageError
from mtbench.plan.certificate.budgets import pass_of
from mtbench.plan.certificate.rows import Plan, plan_certificate
from mtbench.plan.certificate.sizes import Sample, Size, find_size, sizes
from mtbench.plan.grid import Request, choose_protocol, plan
from mtbench.plan.parse import parse_dataset
from mtbench.plan.suite.settings import rendered

FACES = "faces-mini-labels:train=1000:val=200:test=400:tasks=eyeglasses/wearing-hat/smiling"


def size(*on: Sample) -> Size:
    return Size(name="made-up", about="for a test", seeds=2, trials=2, on=on)


def ways(found: Plan) -> dict[tuple[str, tuple[str, ...]], dict[str, str]]:
    (part,) = found.parts
    return {(row.title, row.equal): dict(row.settings) for row in part.rows}


def test_a_method_of_one_label_has_references_with_one_label_and_with_its_operations() -> None:
    found = plan_certificate("td", size(Sample(dataset=FACES, set={"epochs": 4, "images": 0})))
    # One pass of td takes 38,191,744 multiply-accumulates, of uniform 11,059,968, of the three networks 33,178,368:
    # 4 x 3.45 and 4 x 1.15 epochs, rounded up.
    assert ways(found) == {
        ("single", ("epochs",)): {},
        ("single", ("labels",)): {"tasks_per_image": "one"},
        ("single", ("MACs",)): {"epochs": "5"},
        ("uniform", ("epochs",)): {},
        ("uniform", ("labels",)): {"tasks_per_image": "one"},
        ("uniform", ("MACs",)): {"epochs": "14"},
    }


def test_a_balancer_has_every_budget_of_uniform_in_one_row() -> None:
    found = plan_certificate("branches+pcgrad", size(Sample(dataset=FACES, set={"epochs": 4, "images": 0})))
    assert ways(found) == {
        ("single", ("epochs", "labels")): {},
        ("single", ("MACs",)): {"epochs": "2"},  # three networks take 4 / 3 epochs
        ("uniform", ("epochs", "labels", "MACs")): {},
    }


def test_operations_within_one_percent_are_equal() -> None:
    found = plan_certificate("cross-stitch", size(Sample(dataset=FACES, set={"epochs": 4, "images": 0})))
    # One pass of cross-stitch takes 33,285,504 multiply-accumulates, of the three networks .3 % fewer, 33,178,368.
    assert ways(found)["single", ("epochs", "labels", "MACs")] == {}


def test_the_operations_of_a_pass_are_those_of_one_answer_where_a_network_answers_one() -> None:
    (one,) = plan(Request(methods=["td"], datasets=[FACES], protocol="quick", settings={}, seeds=[0]))
    (all_of_them,) = plan(
        Request(methods=["td"], datasets=[FACES], protocol="quick", settings={"tasks_per_image": "all"}, seeds=[0])
    )
    drawn, used = pass_of(one), pass_of(all_of_them)
    assert (drawn.draws_one, used.draws_one) == (True, False)
    # As records of td have them for one answer and for all three, which share their first pass.
    assert (drawn.per_example, used.per_example) == (38_191_744, 92_456_832)


def test_networks_that_share_nothing_take_a_pass_for_each_task() -> None:
    (one,) = plan(Request(methods=["single"], datasets=[FACES], protocol="quick", settings={}, seeds=[0]))
    found = pass_of(one)
    assert found.per_example == 33_178_368


def test_the_rows_have_the_seeds_of_the_size_and_one_protocol_but_for_what_differs() -> None:
    found = plan_certificate("moo", size(Sample(dataset="toy2", measure="mean", set={"epochs": 1})))
    assert {spec.seed for spec in found.specs} == {0, 1}
    assert len({spec.id for spec in found.specs}) == 2 * 3
    assert len({spec.protocol for spec in found.specs}) == 1


def test_a_dataset_that_the_method_does_not_fit_is_left_out_with_the_reason() -> None:
    found = plan_certificate("td", size(Sample(dataset="toy2"), Sample(dataset="toy-regression")))
    assert [part.sample.dataset for part in found.parts] == ["toy-regression"]
    assert found.left_out == {"toy2": "method 'td' needs the feature maps of its backbone, and 'point' has none."}


def test_a_method_that_fits_no_dataset_is_refused_with_every_reason() -> None:
    with pytest.raises(UsageError, match=r"'fsn' fits no dataset of size 'tiny'.*toy2: .*Retrieval.*toy-regression: "):
        plan_certificate("fsn", find_size("tiny"))


@pytest.mark.parametrize("name", ["single", "uniform", "branches+uniform"])
def test_a_reference_has_no_certificate(name: str) -> None:
    with pytest.raises(UsageError, match="is a reference that certificates compare with"):
        plan_certificate(name, find_size("tiny"))


def test_references_are_on_the_backbone_of_the_method() -> None:
    found = plan_certificate("td@mlp:width=20", size(Sample(dataset="toy-regression")))
    assert {str(spec.backbone) for spec in found.specs} == {"mlp:width=20"}


def test_all_rows_know_the_place_of_a_file_among_the_options_of_the_methods_backbone(tmp_path: Path) -> None:
    (tmp_path / "shift.txt").write_text("0.5")
    backbone = f"toy-shifted:shift={tmp_path / 'shift.txt'}"
    found = plan_certificate(f"td@{backbone}", size(Sample(dataset="toy-all", protocol="paper", set={"epochs": 1})))
    (search,) = search_plans(found)
    rows = [*found.specs, *search.specs(search.default, [0], validation=True)]
    (named,) = plan(
        Request(methods=[f"uniform@{backbone}"], datasets=["toy-all"], protocol="paper", settings={}, seeds=[0])
    )
    assert {spec.network.name for spec in rows} == {"td", "single", "branches"}
    for spec in rows:
        assert spec.backbone == named.backbone
        assert spec.files == named.files != {}


def test_every_size_names_datasets_that_need_no_download() -> None:
    for each in sizes().values():
        names = [sample.dataset.partition(":")[0] for sample in each.on]
        assert len(set(names)) == len(names)  # files of a certificate are named by them
        for sample in each.on:
            dataset = parse_dataset(sample.dataset).dataset_class
            assert not dataset.source
            choose_protocol(dataset, sample.dataset, sample.protocol).changed(**rendered(sample.set))


def test_an_unknown_size_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        UsageError, match=r"--size is 'smal'. Did you mean 'small'\? Allowed: tiny, small, medium, world"
    ):
        find_size("smal")
