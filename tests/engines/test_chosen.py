"""The engine that a command asks for."""

import importlib.util

import pytest

from mtbench.engines.chosen import choose_engine, execution_of
from mtbench.engines.local.engine import Local
from mtbench.errors import PluginError, UsageError


def test_options_of_an_engine_follow_its_name_and_may_be_given_beside_it() -> None:
    engine = choose_engine("slurm:partition=main", {"time": "4h", "gres": "gpu:1", "follow": "true"})
    options = engine.options
    assert (options.partition, options.time, options.gres, options.follow) == ("main", "4h", "gpu:1", True)
    assert engine.waits
    assert not choose_engine("slurm").waits


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("slrum", {}, r"engine 'slrum' is not installed\. Did you mean 'slurm'\?"),
        ("local", {"partition": "main"}, r"--partition was given, and engine 'local' has no such option"),
        ("slurm:partiton=main", {}, r"engine 'slurm' has no option 'partiton'\. Did you mean 'partition'\?"),
        ("slurm:array-size=0", {}, r"option 'array_size' of engine 'slurm' is 0"),
        ("slurm:time=4h", {"time": "2h"}, r"engine 'slurm' is given option 'time' twice"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(text: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_engine(text, given)


def test_an_engine_whose_package_is_missing_is_refused_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ray" else find(name))
    with pytest.raises(PluginError, match=r"engine 'ray' needs a package .* pip install 'mtbench\[ray\]'"):
        choose_engine("ray")


def test_an_execution_has_the_places_of_its_engine_and_its_own_interval_of_checkpoints() -> None:
    execution = execution_of("local", "cpu", 3, 1, 60)
    assert (execution.places, execution.checkpoint_every) == (["cpu"] * 3, 60)
    assert isinstance(execution.engine, Local)
    assert execution_of("slurm:array_size=7", "cuda", None, 1, 0).places == ["cuda"] * 7
    with pytest.raises(UsageError, match=r"--checkpoint-every is -1"):
        execution_of("local", "cpu", 1, 1, -1)
    with pytest.raises(UsageError, match="--jobs was given, and engine 'slurm'"):
        execution_of("slurm", "cpu", 3, 1, 0)
