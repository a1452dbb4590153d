"""Schedules against torch's own schedulers; one text for each."""

from collections.abc import Callable

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LRScheduler, MultiStepLR, StepLR

from mtbench.contract.protocol.schedule import parse_schedule
from mtbench.errors import UsageError

EPOCHS = 12


@pytest.mark.parametrize(
    ("text", "scheduler"),
    [
        ("halving", lambda optimizer: MultiStepLR(optimizer, milestones=[4, 7, 11], gamma=0.5)),
        ("exponential", lambda optimizer: ExponentialLR(optimizer, gamma=0.95)),
        ("exponential:factor=.7", lambda optimizer: ExponentialLR(optimizer, gamma=0.7)),
        ("step:every=5", lambda optimizer: StepLR(optimizer, step_size=5, gamma=0.1)),
        ("step:every=2:factor=.3", lambda optimizer: StepLR(optimizer, step_size=2, gamma=0.3)),
        ("cosine", lambda optimizer: CosineAnnealingLR(optimizer, T_max=EPOCHS)),
        ("constant", lambda optimizer: StepLR(optimizer, step_size=EPOCHS)),
    ],
)
def test_a_schedule_is_that_of_torch(text: str, scheduler: Callable[[torch.optim.Optimizer], LRScheduler]) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs, rates = scheduler(optimizer), []
    for _ in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert [parse_schedule(text).at(epoch, EPOCHS) for epoch in range(EPOCHS)] == pytest.approx(rates, rel=1e-12)


def test_a_cosine_is_half_way_down_in_the_middle_and_would_reach_zero_after_the_last_epoch() -> None:
    cosine = parse_schedule("cosine")
    assert [cosine.at(epoch, 10) for epoch in (0, 5)] == pytest.approx([1, 0.5])
    assert cosine.at(9, 10) > 0.02
    assert cosine.at(10, 10) == pytest.approx(0)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("exponential:factor=.95", "exponential"),
        ("exponential:factor=0.90", "exponential:factor=0.9"),
        ("step:factor=.1:every=040", "step:every=40"),
        ("step:factor=.5:every=40", "step:every=40:factor=0.5"),
        ("cosine", "cosine"),
    ],
)
def test_one_schedule_has_one_text(text: str, canonical: str) -> None:
    assert parse_schedule(text).text == canonical
    assert parse_schedule(canonical) == parse_schedule(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin", "protocol setting 'schedule' is 'cosin'. Did you mean 'cosine'? Allowed: constant, halving,"),
        ("step", "protocol setting 'schedule' is 'step', which does not say after how many epochs the rate changes."),
        ("step:every=0", "option 'every' of schedule 'step' is 0. Allowed: 1 to 1,000,000."),
        ("step:every=2.5", "option 'every' of schedule 'step' is '2.5'. Allowed: a whole number."),
        ("exponential:factor=1", "option 'factor' of schedule 'exponential' is 1. Allowed: 1e-06 to 0.9999."),
        ("exponential:gamma=.9", "schedule 'exponential' has no option 'gamma'. Its options: factor."),
        ("cosine:every=3", "schedule 'cosine' has no option 'every'. It has no options."),
        ("step:40", "protocol setting 'schedule' is 'step:40'. Options follow the name as option=value, each once:"),
        ("step:every=4:every=5", "protocol setting 'schedule' is 'step:every=4:every=5'. Options follow the name"),
    ],
)
def test_another_schedule_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_schedule(text)
    assert str(error.value).startswith(message)
