import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import NECK, Backbone, BatchNorm, Stage


class Small(Backbone):
    """Two stages and a neck, with nothing overridden but what must be."""

    def __init__(self) -> None:
        stages = {
            "wide": Stage(nn.Sequential(nn.Conv2d(3, 6, 3), BatchNorm(6)), nn.ReLU()),
            "narrow": Stage(nn.Conv2d(6, 4, 3, stride=2), nn.Sequential(nn.ReLU(), nn.Dropout(0.5))),
        }
        super().__init__(stages, nn.Flatten(), (3, 9, 11))
        self.features = 4 * 3 * 4

    def head(self, output_size: int) -> nn.Module:
        return nn.Sequential(nn.Linear(self.features, 5), nn.Dropout(0.5), nn.Linear(5, output_size))


def test_a_backbone_that_says_nothing_of_layers_answers_with_its_stages_and_z_changed() -> None:
    backbone = Small().eval()
    head, images = backbone.head(2).eval(), torch.rand(2, 3, 9, 11)
    factors = {"wide": -2.0, "narrow": 3.0, NECK: 0.5}
    wide, narrow = backbone.levels()
    expected = head(0.5 * narrow.post(3 * narrow.pre(wide.post(-2 * wide.pre(images)))).flatten(1))
    torch.testing.assert_close(backbone.answer(images, head, lambda name, x: factors[name] * x), expected)


def test_places_are_named_in_order_with_the_shapes_of_one_input() -> None:
    backbone = Small()
    places = backbone.places(backbone.head(2))
    assert list(places.items()) == [("wide", (6, 7, 9)), ("narrow", (4, 3, 4)), (NECK, (48,))]


@pytest.mark.parametrize("training", [True, False])
def test_to_ask_for_places_changes_nothing(training: bool) -> None:
    backbone = Small().train(training)
    head = backbone.head(2).train(training)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    drawn = torch.get_rng_state()
    backbone.places(head)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
    assert {module.training for module in (*backbone.modules(), *head.modules())} == {training}


def test_a_change_sees_the_map_before_the_nonlinearity() -> None:
    backbone = Small().eval()
    seen: dict[str, Tensor] = {}

    def note(name: str, x: Tensor) -> Tensor:
        seen[name] = x
        return x

    backbone.answer(torch.rand(2, 3, 9, 11), backbone.head(2).eval(), note)
    assert (seen["wide"] < 0).any()
    assert (seen["narrow"] < 0).any()
    assert (seen[NECK] >= 0).all()
