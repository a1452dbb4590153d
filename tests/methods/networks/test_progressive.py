from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, NoOptions
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import count_macs, parts
from mtbench.train.trained import Trained, train
from mtbench_methods.networks.progressive import Progressive
from mtbench_methods.networks.single import Single
from tests.builders.keepers import Forgetful
from tests.builders.networks import setup_of


def build(tasks: int = 3) -> Progressive:
    return Progressive(NoOptions(), setup_of(tasks))


def silence(network: Progressive) -> None:
    """Make every lateral say nothing."""
    for weight in network.laterals.parameters():
        nn.init.zeros_(weight)


@pytest.mark.parametrize(("tasks", "pairs"), [(1, 0), (2, 1), (4, 6), (9, 36)])
def test_a_pair_of_columns_costs_a_matrix_at_each_stage(tasks: int, pairs: int) -> None:
    counted = {part.name: (part.weights, part.total) for part in parts(build(tasks))}
    laterals = pairs * (10 * 10 + 20 * 20)
    assert counted == {
        "columns": (21_250 * tasks, 21_330 * tasks),
        **({"laterals": (laterals, laterals)} if pairs else {}),
        "branches": (3_000 * tasks, 3_060 * tasks),
    }


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_laterals_that_say_nothing_leave_the_single_task_networks(tasks: int) -> None:
    network, single = build(tasks), Single(NoOptions(), setup_of(tasks))
    silence(network)
    images = torch.rand(4, 1, 28, 28)
    for output, expected in zip(network(images), single(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-6)
    for net in (network, single):
        torch.stack(net(images)).square().sum().backward()  # type: ignore[no-untyped-call]
    named = [(name, value) for name, value in network.named_parameters() if not name.startswith("laterals")]
    for (name, parameter), other in zip(named, single.parameters(), strict=True):
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, cast(Tensor, other.grad), atol=1e-5), name


@pytest.mark.parametrize("backbone", ["vgg11:width=.03", "resnet18:width=.06"])
def test_laterals_that_say_nothing_leave_deeper_trunks_as_they_are_too(backbone: str) -> None:
    setup = setup_of(3, backbone, shape=(3, 45, 45))
    network, single = Progressive(NoOptions(), setup), Single(NoOptions(), setup)
    silence(network)
    images = torch.randn(2, 3, 45, 45)
    for output, expected in zip(network.eval()(images), single.eval()(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-5)


def test_the_data_flow_on_lenet_is_the_one_stated() -> None:
    network = build(3)
    with torch.no_grad():
        for parameter in network.columns.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))  # columns that started alike differ
    images = torch.rand(2, 1, 28, 28)
    firsts, seconds, answers = list[Tensor](), list[Tensor](), list[Tensor]()
    for column in range(3):
        backbone = cast(Backbone, network.columns[column])
        conv1, conv2 = backbone.levels()
        firsts.append(conv1(images))
        second, top = firsts[-1], torch.zeros(())
        if column:
            into_conv2, into_neck = (
                cast(nn.Conv2d, lateral).weight[:, :, 0, 0] for lateral in cast(nn.ModuleList, network.laterals[column])
            )
            for earlier in range(column):
                matrix = into_conv2[:, 10 * earlier : 10 * (earlier + 1)]
                second = second + torch.einsum("oi,bihw->bohw", matrix, firsts[earlier])
                matrix = into_neck[:, 20 * earlier : 20 * (earlier + 1)]
                top = top + torch.einsum("oi,bihw->bohw", matrix, seconds[earlier])
        seconds.append(conv2(second))
        answers.append(network.branches[column](backbone.neck(seconds[-1] + top)))
    for output, expected in zip(network(images), answers, strict=True):
        assert torch.allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("tasks", [2, 9])
def test_no_task_trains_a_column_but_its_own(tasks: int) -> None:
    network = build(tasks)
    for index, output in enumerate(network(torch.rand(4, 1, 28, 28))):
        network.zero_grad()
        output.square().sum().backward()
        for name, parameter in network.named_parameters():
            own = name.split(".")[1] == str(index)
            assert (parameter.grad is not None and bool(parameter.grad.any())) == own, name
    assert network.shared_parameters() == []


def test_a_column_reads_those_before_it_and_not_those_after_it() -> None:
    network = build(3)
    images = torch.rand(2, 1, 28, 28)
    before = network(images)
    with torch.no_grad():
        for parameter in network.columns[1].parameters():
            parameter.add_(0.1)
    first, second, third = (not torch.allclose(old, new) for old, new in zip(before, network(images), strict=True))
    assert (first, second, third) == (False, True, True)


def test_the_first_column_is_trained_to_the_bits_of_single() -> None:
    def trained(method: str) -> Trained:
        spec = plan(Request(methods=[method], datasets=["toy-all"], settings={"epochs": "2"}, seeds=[0]))[0]
        return train(spec, root=Path(), device=torch.device("cpu"), keeper=Forgetful())

    def of_the_task(index: str, run: Trained) -> list[Tensor]:
        names = [name.split(".") for name in run.model]
        return [run.model[".".join(name)] for name in names if name[0] != "laterals" and name[1] == index]

    column, alone = trained("progressive"), trained("single")
    first, expected = of_the_task("0", column), of_the_task("0", alone)
    assert len(expected) == 6 + 4
    assert all(torch.equal(weight, other) for weight, other in zip(first, expected, strict=True))
    second, expected = of_the_task("1", column), of_the_task("1", alone)
    assert not any(torch.equal(weight, other) for weight, other in zip(second, expected, strict=True))
    assert column.cost.forward_passes == alone.cost.forward_passes


def test_a_task_is_answered_by_its_own_column_and_those_before_it() -> None:
    network, image = build(4).eval(), torch.zeros(1, 1, 28, 28)
    single = count_macs(Single(NoOptions(), setup_of(1)).eval(), image).per_task
    macs = count_macs(network, image)
    pair = 12 * 12 * 100 + 4 * 4 * 400
    assert (macs.per_task, macs.per_input) == (single, 4 * single + 6 * pair)
    outputs = network(image)
    for index in range(4):
        assert torch.allclose(network.task_output(image, index), outputs[index], atol=1e-6)


def test_there_is_nothing_to_balance() -> None:
    with pytest.raises(UsageError, match="the tasks of 'progressive' share no parameters"):
        parse_method("progressive+mgda")


def test_losses_are_added_and_an_absent_task_stays_as_it_is() -> None:
    spec = plan(Request(methods=["progressive"], datasets=["toy-partial"], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    split = run.splits["train"]
    rows = (~split.defined[:, 1] & split.defined[:, 0]).nonzero().squeeze(1)[:12]
    losses = run.balancer.backward(run.network, split.batch(rows))
    present = losses.present_mask.tolist()
    assert present[:2] == [True, False]
    assert losses.base_weights.tolist() == [float(there) for there in present]
    for name, parameter in run.network.named_parameters():
        if name.split(".")[1] == "1":
            assert parameter.grad is None or not parameter.grad.any(), name
