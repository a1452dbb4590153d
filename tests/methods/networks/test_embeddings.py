"""Methods of retrieval on its network: sizes of the paper, formulas, phases."""

import copy
import dataclasses
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from mtbench.contract import Network, Retrieval, Setup, Task
from mtbench.errors import UsageError
from mtbench.plan.counting import outline
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_backbone, parse_dataset, parse_method
from mtbench.train.assemble import assemble, build
from mtbench.train.cost.ledger import parts
from mtbench.train.loop import fit
from mtbench.train.phases import phases
from mtbench_methods.networks.chmod import ChannelModulation
from mtbench_methods.networks.csn import ConditionalSimilarity, sections
from mtbench_methods.networks.single import Single
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, spec_of

SMALL = "@retrieval:width=.125:embedding=8:decay=.9"


def setup_of(
    backbone: str = "retrieval", tasks: int = 20, size: int = 256, side: int = 150, channels: int = 3
) -> Setup:
    chosen = parse_backbone(backbone)
    return Setup(
        tasks=tuple(Task(name=str(index), kind=Retrieval(size=size)) for index in range(tasks)),
        backbone_class=chosen.backbone_class,
        backbone_options=chosen.options,
        input_shape=(channels, side, side),
        seed=0,
    )


def small(method: str, tasks: int = 3) -> Network:
    return build(parse_method(method), setup_of("retrieval:width=.125:embedding=8", tasks, 8, 28, 1)).eval()


def counts(method: str) -> dict[str, int]:
    return {part.name: part.weights for part in parts(outline(parse_method(method), setup_of())) if part.weights}


def test_the_counts_are_the_papers_for_twenty_tasks() -> None:
    network = 2_952_032
    assert counts("fsn") == {"backbone": network}
    assert counts("single") == {"backbones": 20 * network}
    assert counts("branches") == counts("ib:size=256") == {"backbone": network, "branches": 1_310_720}
    assert counts("ib:size=25") == {"backbone": network, "branches": 128_000}
    assert counts("csn") == {"backbone": network}
    assert counts("csn:masks=learned") == {"backbone": network, "masks": 5_120}
    only = counts("only-mask:first=4")
    assert only == {"backbone": network, "branches": 1_310_720, "modulation": 10_240}


@pytest.mark.parametrize(("first", "per_task"), [(5, 384), (4, 512), (3, 640), (2, 704)])
def test_a_task_has_as_many_factors_as_the_paper_says_from_each_block_on(first: int, per_task: int) -> None:
    assert counts(f"chmod:first={first}") == {"backbone": 2_952_032, "modulation": 20 * per_task}


def test_a_tasks_projections_from_block_4_have_as_many_numbers_as_the_paper_says() -> None:
    assert counts("chmod:first=4:variant=projection")["modulation"] == 20 * 98_304


def test_itn_is_single_and_keeps_its_name() -> None:
    itn, single = (spec_of(name, "toy-retrieval") for name in ("itn", "single"))
    assert itn == single
    assert itn.titles.method == spec_of("single", "toy-all").titles.method == "single"


def test_a_separate_network_sees_the_triplets_of_its_own_task_alone() -> None:
    made = assemble(spec_of(f"single{SMALL}", "toy-retrieval"), root=Path(), device=CPU)
    network = cast(Single, made.network.train())
    batch = made.splits["train"].batch(torch.arange(12))
    alone = copy.deepcopy(network)
    losses = network.losses(batch)
    for task, indices in enumerate(batch.used_inputs()):
        assert len(indices) == 18  # six triplets
        output = alone.branches[task](alone.backbones[task](batch.inputs_at(indices)))
        expected = network.tasks[task].kind.losses(output.view(6, 3, -1), torch.zeros(6, 3, 2)).mean()
        assert float(losses.means[task].detach()) == pytest.approx(float(expected.detach()), rel=1e-6)
    for (name, found), other in zip(network.named_buffers(), alone.buffers(), strict=True):
        assert torch.equal(found, other), name
    assert network.passes(batch) == 1


def test_the_top_down_network_modulates_the_blocks_and_ends_in_the_embedding() -> None:
    assert counts("td")["backbone"] == 2_952_032
    assert "branch" not in counts("td")
    assert small("td").all_outputs(torch.rand(2, 1, 28, 28))[0].shape == (2, 8)


def test_channel_modulation_scales_the_sums_of_the_last_blocks_and_the_rectified_embedding() -> None:
    network = cast(ChannelModulation, small("chmod:first=4"))
    with torch.no_grad():
        for factors in network.modulation.values():
            factors.uniform_(0.5, 2)
    images = torch.rand(2, 1, 28, 28)
    stages = list(network.backbone.levels())
    x = images
    for stage in stages[:3]:
        x = stage(x)
    for name, stage in (("block4", stages[3]), ("block5", stages[4])):
        x = stage(x) * network.modulation[name][1][:, None, None]
    expected = network.backbone.neck(x) * network.modulation["fc"][1]
    torch.testing.assert_close(network.task_output(images, 1), expected)


def test_the_regularizer_is_equation_8_over_all_vectors_of_a_task() -> None:
    network = cast(ChannelModulation, small("chmod:first=4:regularizer=.1:beta=.2:triple=0/1/2"))
    widths = [16, 16, 8]
    with torch.no_grad():
        for factors in network.modulation.values():
            factors[0], factors[1], factors[2] = 1.0, 1.5, 1.25
    assert [factors.shape[1] for factors in network.modulation.values()] == widths
    near, far = 0.5**2 * sum(widths), 0.25**2 * sum(widths)
    assert float(cast(Tensor, network.penalty()).detach()) == pytest.approx(0.1 * (near + 0.2 - far))


def test_the_fully_shared_network_answers_every_task_alike() -> None:
    outputs = small("fsn").all_outputs(torch.rand(2, 1, 28, 28))
    assert len(outputs) == 3
    assert all(torch.equal(output, outputs[0]) for output in outputs)


def test_independent_branches_have_embeddings_of_their_own_size() -> None:
    network = small("ib:size=5")
    assert [output.shape for output in network.all_outputs(torch.rand(2, 1, 28, 28))] == [(2, 5)] * 3
    assert [task.kind.output_size for task in network.tasks] == [5] * 3


def test_sections_are_disjoint_and_as_long_as_their_number_divides_the_size() -> None:
    masks = sections(20, 256)
    assert masks.sum(1).tolist() == [12] * 20
    assert masks.sum(0).max() == 1
    assert masks[1].nonzero().flatten().tolist() == list(range(12, 24))


def test_masks_are_fixed_learned_or_prepared() -> None:
    fixed, prepared = (small(f"csn:masks={masks}") for masks in ("fixed", "prepared"))
    assert torch.equal(cast(Tensor, fixed.masks), sections(3, 8))
    assert "masks" in fixed.state_dict()
    assert sorted(set(cast(Tensor, prepared.masks).flatten().tolist())) == pytest.approx([0.1, 1])
    assert torch.equal(cast(Tensor, prepared.masks) == 1, sections(3, 8) == 1)
    many = build(parse_method("csn:masks=learned"), setup_of("retrieval:width=.125", 100, 256, 28, 1))
    values = cast(Tensor, many.masks).detach()
    assert (float(values.mean()), float(values.std())) == pytest.approx((0.9, 0.7), abs=0.02)


@pytest.mark.parametrize("masks", ["fixed", "learned"])
def test_the_losses_of_a_conditional_similarity_network_are_those_of_its_formulas(masks: str) -> None:
    made = assemble(spec_of(f"csn:masks={masks}{SMALL}", "toy-retrieval"), root=Path(), device=CPU)
    network = cast(ConditionalSimilarity, made.network.eval())
    batch = made.splits["train"].batch(torch.arange(12))
    owner = batch.use.int().argmax(0)
    used = cast(Tensor, network.masks)
    used = used.clamp(min=0) if masks == "learned" else used
    embeddings = network.embed(batch.inputs).view(12, 3, 8)
    masked = embeddings * used[owner][:, None]
    near, far = ((masked[:, 0] - masked[:, index]).norm(dim=1) for index in (1, 2))
    each = (near - far + 0.2).clamp(min=0)
    losses = network.losses(batch)
    for task in range(2):
        assert float(losses.means[task].detach()) == pytest.approx(float(each[owner == task].mean().detach()), rel=1e-5)
    norms = sum(embeddings[:, index].norm() for index in range(3)) / 3
    expected = 5e-3 * norms / 12**0.5
    if masks == "learned":
        expected = expected + 5e-4 * used[owner].abs().sum() / 12
    assert float(cast(Tensor, losses.penalty).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    kind = network.tasks[0].kind
    torch.testing.assert_close(kind.stored(kind.predict(masked)), torch.stack([near, far], dim=1))


def test_only_masks_trains_branches_first_and_then_nothing_but_the_vectors() -> None:
    spec = spec_of(f"only-mask:first=4{SMALL}", "toy-retrieval", epochs="2")
    made = assemble(spec, root=Path(), device=CPU)
    plan_ = phases(made, spec.protocol)
    assert [(phase.name, phase.start, phase.epochs) for phase in plan_] == [("branches", 0, 2), ("masks", 2, 2)]
    infos = [phase.info(made.network) for phase in plan_]
    assert infos[1].parameters == 2 * (16 + 16 + 8)
    assert infos[0].weights == sum(part.weights for part in parts(made.network) if part.name != "modulation")
    first = {name: value.clone() for name, value in made.network.state_dict().items()}
    stopped = Memory(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        fit(made, spec.protocol, keeper=stopped)
    middle = {name: value.clone() for name, value in made.network.state_dict().items()}
    assert changed(first, middle) == {"backbone", "branches", "is_modulated"}
    stopped.stop_after = None
    fit(made, spec.protocol, keeper=stopped)
    last = made.network.state_dict()
    assert changed(middle, last) == {"modulation", "is_modulated"}
    assert bool(last["is_modulated"])


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name.partition(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}


def test_after_its_first_phase_it_is_the_network_with_branches() -> None:
    trained = []
    for method in ("only-mask", "branches"):
        spec = spec_of(method + SMALL, "toy-retrieval", epochs="1", optimizer="sgd", lr=".01")
        made, memory = assemble(spec, root=Path(), device=CPU), Memory(stop_after=1)
        with pytest.raises(KeyboardInterrupt):
            fit(made, spec.protocol, keeper=memory)
        trained.append(made)
    images = trained[0].splits["test"].batch(torch.arange(4)).inputs
    first, second = (made.network.eval().all_outputs(images) for made in trained)
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_a_run_of_two_phases_is_resumed_and_recorded() -> None:
    spec = spec_of(f"only-mask{SMALL}", "toy-retrieval", epochs="1")
    whole = run(spec)
    assert [phase.name for phase in whole.phases] == ["branches", "masks"]
    assert [point.epoch for point in whole.curve] == [1, 2]
    memory = Memory(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(spec, memory)
    memory.stop_after = None
    again = run(spec, memory)
    assert all(torch.equal(whole.model[name], again.model[name]) for name in whole.model)


@pytest.mark.parametrize(
    ("method", "dataset", "settings", "says"),
    [
        ("fsn", "toy-all", {}, "method 'fsn' is for tasks of kind Retrieval, and task 'upper' of dataset 'toy-all' is"),
        ("csn", "toy-triplets", {}, "is of kind Triplet"),
        ("moo", "toy-retrieval", {}, "each example of dataset 'toy-retrieval' belongs to one task"),
        ("chmod", "toy-retrieval", {"tasks-per-image": "all"}, "'tasks_per_image' is 'all', and each example of"),
        ("only-mask", "toy-retrieval", {"adds": "own"}, "'only-mask' has phases of its own"),
        ("only-mask", "toy-retrieval", {"select": "best-val", "validation": "true"}, "epochs cannot be compared"),
        ("only-mask:first=7", "toy-retrieval", {}, "option 'first'"),
        ("csn:mask-norm=1", "toy-retrieval", {}, "does nothing with masks=fixed"),
    ],
)
def test_what_has_no_meaning_is_refused_in_a_sentence(
    method: str, dataset: str, settings: dict[str, str], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        plan(Request(methods=[method], datasets=[dataset], settings=settings, seeds=[0]))


def test_more_tasks_than_dimensions_have_no_sections() -> None:
    tasks = parse_dataset("toy-retrieval").tasks()
    small_kinds = [dataclasses.replace(task, kind=Retrieval(size=1)) for task in tasks]
    with pytest.raises(UsageError, match=r"^method 'csn' parts one embedding among 2 tasks, and theirs have sizes 1\."):
        ConditionalSimilarity.check(ConditionalSimilarity.Options(), small_kinds)


def test_all_methods_leave_out_what_has_no_meaning_and_say_so() -> None:
    said: list[str] = []
    specs = plan(Request(methods=["all"], datasets=["toy-retrieval"], settings={}, seeds=[0]), left_out=said.append)
    names = {spec.network.name for spec in specs}
    assert {"fsn", "ib", "csn", "only-mask", "chmod", "td", "single", "branches", "mtan"} <= names
    assert {"pcgrad", "uncertainty", "mgda"} <= {spec.balancer.name for spec in specs}
    assert not {spec.balancer.name for spec in specs} & {"mgda-ub", "imtl-ub", "aligned-mtl-ub"}
    assert any(line.startswith("'moo' is left out on toy-retrieval: balancer 'mgda-ub' compares") for line in said)
