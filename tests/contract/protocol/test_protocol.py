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
        ({"epochs": "0"}, "protocol setting 'epochs' is 0. Allowed: 1 to 1,000,000."),
        (
            {"optimizer": "adamx"},
            "protocol setting 'optimizer' is 'adamx'. Did you mean 'adam'? Allowed: adam, adamw, ",
        ),
        ({"momentum": "1"}, "protocol setting 'momentum' is 1. Allowed: 0 to 0.9999."),
        ({"schedule": "steps:every=3"}, "protocol setting 'schedule' is 'steps:every=3'. Did you mean 'step'?"),
    ],
)
def test_an_unknown_setting_or_value_is_refused(given: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError) as error:
        TrainingProtocol().changed(**given)
    assert str(error.value).startswith(text)


def test_a_warm_up_rises_evenly_to_the_whole_rate_and_stays_there() -> None:
    """Four steps an epoch, a warm-up of one and a half: sixths."""
    protocol = TrainingProtocol(warmup=1.5)
    factors = [protocol.warm_up(epoch + (step + 1) / 4) for epoch in range(2) for step in range(4)]
    assert factors == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1])
    assert TrainingProtocol().warm_up(0.25) == 1


def test_another_optimizer_brings_defaults_of_its_own_and_resets_what_was_the_old_ones() -> None:
    muon = TrainingProtocol().changed(optimizer="muon")
    assert muon.momentum == 0.95
    assert TrainingProtocol().changed(optimizer="muon", momentum=".9").momentum == 0.9
    declared = TrainingProtocol(optimizer="sgd", momentum=0.8, weight_decay=1e-4)
    assert declared.changed(optimizer="adam") == TrainingProtocol()
    assert declared.changed(lr="0.5").momentum == 0.8
    assert muon.label(TrainingProtocol()) == "paper, optimizer=muon"
    assert muon.changed(momentum=".9").label(TrainingProtocol()) == "paper, optimizer=muon, momentum=0.9"


def test_a_schedule_in_other_words_is_the_same_protocol() -> None:
    assert TrainingProtocol().changed(schedule="exponential:factor=0.950") == TrainingProtocol(schedule="exponential")


SENSIBLE: list[dict[str, str]] = [
    {"weight-decay": ".1"},
    {"optimizer": "adamw", "weight-decay": ".01", "beta1": ".8"},
    {"optimizer": "sgd", "momentum": "0"},
    {"optimizer": "adagrad", "initial-accumulator": ".1"},
    {"optimizer": "muon", "beta1": ".8", "momentum": ".9", "flatten-kernels": "true", "weight-decay": ".1"},
    {"select": "best-val", "validation": "true"},
]


@pytest.mark.parametrize("given", SENSIBLE)
def test_settings_that_do_something_are_taken(given: dict[str, str]) -> None:
    TrainingProtocol().changed(**given).check()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"momentum": ".8"},
            "protocol setting 'momentum' is 0.8, and optimizer 'adam' does not use it. Leave it out, or choose an "
            "optimizer that does: sgd, muon. Settings of adam: weight_decay, beta1.",
        ),
        ({"optimizer": "sgd", "beta1": ".8"}, "protocol setting 'beta1' is 0.8, and optimizer 'sgd' does not use it."),
        ({"optimizer": "sgd", "initial-accumulator": "1"}, "protocol setting 'initial_accumulator' is 1, and"),
        ({"flatten-kernels": "true"}, "protocol setting 'flatten_kernels' is true, and optimizer 'adam' does not"),
        (
            {"optimizer": "adamw"},
            "protocol setting 'optimizer' is 'adamw', which without weight decay is adam. Give it, as in --set "
            "weight-decay=.01, or use --set optimizer=adam.",
        ),
        (
            {"select": "best-val"},
            "protocol setting 'select' is 'best-val', and no validation split is held out to choose an epoch on. "
            "Add --set validation=true.",
        ),
        (
            {"select": "best-val", "validation": "true", "adds": "own"},
            "protocol setting 'select' is 'best-val', and 'adds' is 'own': epochs before and after a task is added",
        ),
    ],
)
def test_settings_that_would_do_nothing_or_do_not_fit_are_refused(given: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError) as error:
        TrainingProtocol().changed(**given).check()
    assert str(error.value).startswith(text)


def test_the_order_of_diagnostics_makes_no_new_protocol() -> None:
    one, other = (
        TrainingProtocol().changed(diagnostics=text) for text in ("conflict/selectivity", "selectivity/conflict")
    )
    assert one == other
    assert one.diagnostics == ("conflict", "selectivity")
