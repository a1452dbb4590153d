import math

import pytest
import torch
from torch import Tensor

from mtbench.train.diagnostics.probes import Labels, probe
from mtbench.train.machine.device import deterministic


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    deterministic(torch.device("cpu"), "float32")


def numbers(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def probed(
    features: Tensor, labels: Tensor, classes: tuple[int, ...], *, purpose: str = "some"
) -> dict[str, list[float]]:
    """Half of the examples are trained on, the other half is measured."""
    half = len(features) // 2
    train, truth = (Labels(values=part, classes=classes) for part in (labels[:, :half], labels[:, half:]))
    found = probe(features[:half], train, features[half:], truth, hidden=16, batch=64, seed=0, purpose=purpose)
    assert set(found) == {"linear", "mlp"}
    return found


def test_what_features_say_is_found_up_to_their_noise_and_what_they_do_not_say_stays_at_chance() -> None:
    count = 6000
    label = torch.randint(0, 4, (count,), generator=numbers(0))
    other = torch.randint(0, 4, (count,), generator=numbers(1))
    wrong = torch.rand(count, generator=numbers(2)) < 0.2  # said one class too high for a fifth of the examples
    features = torch.nn.functional.one_hot((label + wrong.long()) % 4, 4).float()
    for accuracy in probed(features, torch.stack([label, other]), (4, 4)).values():
        assert accuracy == pytest.approx([80, 25], abs=2)


def test_only_the_probe_with_a_hidden_layer_finds_what_is_not_linear() -> None:
    features = torch.randn(6000, 2, generator=numbers(0))
    label = (features.prod(1) > 0).long()  # in which quadrant: a half plane through 0 holds as many of both
    found = probed(features, label[None], (2,))
    assert found["mlp"][0] > 95
    assert found["linear"][0] < 60


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_features_and_constant_ones_change_nothing(scale: float) -> None:
    label = torch.randint(0, 4, (2000,), generator=numbers(0))
    features = torch.cat(
        [torch.nn.functional.one_hot(label, 4).float() * scale + 5 * scale, torch.full((2000, 1), 7.0)], 1
    )
    assert probed(features, label[None], (4,)) == {"mlp": [100], "linear": [100]}


def test_undefined_labels_are_neither_learned_nor_counted_and_classes_that_a_task_lacks_never_said() -> None:
    count = 2000
    wide = torch.randint(0, 6, (count,), generator=numbers(0))
    narrow = (wide % 2).where(torch.rand(count, generator=numbers(1)) < 0.5, -1)
    nothing = torch.full((count,), -1)
    found = probed(torch.nn.functional.one_hot(wide, 6).float(), torch.stack([wide, narrow, nothing]), (6, 2, 2))
    for accuracy in found.values():
        assert accuracy[:2] == [100, 100]
        assert math.isnan(accuracy[2])


def test_probes_of_one_task_do_not_depend_on_which_other_tasks_are_probed() -> None:
    features = torch.randn(2000, 5, generator=numbers(0))
    labels = (features[:, :2] + torch.randn(2000, 2, generator=numbers(1)) > 0).long().T
    both, alone = probed(features, labels, (2, 2)), probed(features, labels[:1], (2,))
    for kind in both:
        assert both[kind][0] == pytest.approx(alone[kind][0], abs=0.2)  # but for the rounding of another product


def test_the_same_purpose_gives_the_same_probes_and_leaves_the_random_state() -> None:
    features = torch.randn(400, 5, generator=numbers(0))
    labels = (features[:, :1] + torch.randn(400, 1, generator=numbers(1)) > 0).long().T
    state = torch.get_rng_state()
    assert probed(features, labels, (2,)) == probed(features, labels, (2,))
    assert torch.equal(torch.get_rng_state(), state)
