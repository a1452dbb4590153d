import pytest
import torch

from mtbench.contract import Batch, Classification, Losses, Network
from tests.builders.networks import network_of

WIDTHS = {"a": 4, "b": 7, "c": 2}


def network(method: str, seed: int = 0) -> Network:
    kinds = {name: Classification(classes=width) for name, width in WIDTHS.items()}
    return network_of(Network, method, "lenet:width=.3", kinds, seed)  # type: ignore[type-abstract]


def batch(drawn: torch.Tensor | None, labels: torch.Tensor) -> Batch:
    use = (labels >= 0).T
    if drawn is not None:
        use = use & (drawn == torch.arange(labels.shape[1])[:, None])
    images = torch.rand(len(labels), 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return Batch(
        inputs=images,
        targets=tuple(labels.unbind(1)),
        use=use,
        drawn=drawn,
        inputs_per_example=1,
        rows=torch.arange(len(labels)),
        foreground=None,
    )


LABELS = torch.tensor([[0, 6, -1], [3, -1, 1], [-1, 2, 0], [1, 1, -1], [2, 5, 1]])
DRAWN = torch.tensor([0, 2, 1, 1, 0])


def by_hand(network: Network, batch: Batch) -> Losses:
    """Cross-entropy of each used label, image by image."""
    means, counts = [], []
    for index, (task, labels) in enumerate(zip(network.tasks, LABELS.T, strict=True)):
        rows = batch.use[index].nonzero().squeeze(1).tolist()
        inputs = batch.inputs
        assert isinstance(inputs, torch.Tensor)
        values = [
            -network.all_outputs(inputs[row : row + 1])[index][:, : WIDTHS[task.name]].log_softmax(1)[0, labels[row]]
            for row in rows
        ]
        means.append(torch.stack(values).mean() if values else torch.zeros(()))
        counts.append(len(rows))
    return Losses(means=torch.stack(means), counts=torch.tensor(counts), base_weights=torch.zeros(3))


@pytest.mark.parametrize("method", ["single", "branches", "chmod", "td"])
@pytest.mark.parametrize("drawn", [None, DRAWN], ids=["every task", "one task drawn"])
def test_losses_are_means_over_exactly_the_labels_used(method: str, drawn: torch.Tensor | None) -> None:
    net = network(method)
    given = batch(drawn, LABELS)
    losses, expected = net.losses(given), by_hand(net, given)
    assert losses.counts.tolist() == expected.counts.tolist()
    assert torch.allclose(losses.means, expected.means, atol=1e-6)


@pytest.mark.parametrize("method", ["chmod", "td"])
def test_the_plain_loss_of_a_one_task_network_is_the_mean_over_the_labels_used(method: str) -> None:
    losses = network(method).losses(batch(DRAWN, LABELS))
    assert losses.counts.tolist() == [2, 2, 1]
    assert torch.allclose(losses.base_weights, torch.tensor([0.4, 0.4, 0.2]))


def test_the_plain_loss_of_an_all_tasks_network_is_the_mean_over_the_tasks_present() -> None:
    labels = LABELS.clone()
    labels[:, 1] = -1
    losses = network("branches").losses(batch(None, labels))
    assert losses.present_mask.tolist() == [True, False, True]
    assert losses.base_weights.tolist() == [0.5, 0, 0.5]
    assert losses.means[1] == 0


@pytest.mark.parametrize("method", ["single", "branches", "chmod", "td"])
def test_a_task_is_answered_alike_alone_and_among_all(method: str) -> None:
    net = network(method)
    images = torch.rand(3, 1, 28, 28)
    for index, (width, output) in enumerate(zip(WIDTHS.values(), net.all_outputs(images), strict=True)):
        assert output.shape == (3, width)
        assert torch.allclose(net.task_output(images, index), output, atol=1e-6)


def test_every_method_starts_from_the_backbone_of_the_seed() -> None:
    def backbones(method: str) -> list[torch.Tensor]:
        return [value for name, value in network(method).named_parameters() if name.endswith("stages.conv1.pre.weight")]

    first, *others = [weight for method in ("branches", "chmod", "td", "single") for weight in backbones(method)]
    assert len(others) == 5
    assert all(torch.equal(first, other) for other in others)
    other_seed = next(iter(network("branches", seed=1).parameters()))
    assert not torch.equal(first, other_seed)
