import pytest

from mtbench.contract import TrainingProtocol
from mtbench.errors import UsageError


def test_the_rate_halves_after_thirty_sixty_and_ninety_of_a_hundred_epochs() -> None:
    rates = [TrainingProtocol(epochs=100, lr=1.0).learning_rate(epoch) for epoch in range(100)]
    assert [rates.index(rate) for rate in (0.5, 0.25, 0.125)] == [30, 60, 90]
    assert rates[29] == 1.0
    assert rates[99] == 0.125


def test_the_first_epoch_has_the_whole_rate_however_few_there_are() -> None:
    assert [
        TrainingProtocol(epochs=1, lr=8.0).learning_rate(0),
        TrainingProtocol(epochs=2, lr=8.0).learning_rate(0),
    ] == [8, 8]


def test_few_epochs_halve_too() -> None:
    assert [TrainingProtocol(epochs=4, lr=8.0).learning_rate(epoch) for epoch in range(4)] == [8, 4, 2, 2]


def test_a_constant_schedule_keeps_the_rate() -> None:
    assert TrainingProtocol(schedule="constant", lr=0.5).learning_rate(99) == 0.5


def test_an_exponential_schedule_takes_a_twentieth_off_after_each_epoch() -> None:
    rates = [TrainingProtocol(schedule="exponential", lr=1e-2).learning_rate(epoch) for epoch in (0, 1, 99)]
    assert rates == pytest.approx([1e-2, 9.5e-3, 1e-2 * 0.95**99])


def test_settings_are_read_from_texts_with_dashes_or_underscores() -> None:
    changed = TrainingProtocol().changed(**{"tasks-per-image": "all", "epochs": "30", "validation": "true"})
    assert changed == TrainingProtocol(tasks_per_image="all", epochs=30, validation=True)


def test_the_label_names_every_number_that_differs() -> None:
    named = TrainingProtocol(name="paper")
    assert named.changed(lr="5e-4", epochs="30").label(named) == "paper, epochs=30, lr=0.0005"
    assert named.changed(seeds="9").label(named) == "paper"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"epoch": "3"}, "a protocol has no setting 'epoch'. Did you mean 'epochs'?"),
        ({"epochs": "0"}, "protocol setting 'epochs' is 0. Allowed: at least 1."),
        ({"optimizer": "adamw"}, "protocol setting 'optimizer' is 'adamw'. Did you mean 'adam'? Allowed: adam, sgd."),
    ],
)
def test_an_unknown_setting_or_value_is_refused(given: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError) as error:
        TrainingProtocol().changed(**given)
    assert str(error.value).startswith(text)
