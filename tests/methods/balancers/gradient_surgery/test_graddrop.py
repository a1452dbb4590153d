import torch
from torchjd import aggregation

from tests.methods.balancers.rows import drawn, shared


def test_it_is_torchjds_with_the_same_signs_drawn() -> None:
    rows = drawn(4)
    torch.manual_seed(3)
    expected = aggregation.GradDrop()(rows)
    torch.manual_seed(3)
    assert torch.equal(shared("graddrop", rows), expected)


def test_each_entry_keeps_all_of_one_sign() -> None:
    rows = drawn(4, size=1000)
    update = shared("graddrop", rows)
    positive, negative = rows.clamp(min=0).sum(0), rows.clamp(max=0).sum(0)
    assert ((update == positive) | torch.isclose(update, positive) | torch.isclose(update, negative)).all()


def test_signs_are_drawn_in_proportion_to_what_pulls_their_way() -> None:
    rows = torch.tensor([[3.0], [-1.0]]).expand(2, 40_000)
    assert abs(float((shared("graddrop", rows) > 0).float().mean()) - 0.75) < 0.01
