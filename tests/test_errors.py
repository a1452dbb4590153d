import re
from collections.abc import Callable

import numpy as np
import pytest
import torch

from mtbench import errors
from mtbench.errors import MtbenchError, PluginError, did_you_mean, is_out_of_memory, shortlist


def test_a_message_has_up_to_four_parts() -> None:
    error = MtbenchError("a is b.", mend="Do c.", allowed="Allowed: d.", where="In e.")
    assert str(error) == "a is b. Do c. Allowed: d. In e."
    assert str(MtbenchError("a is b.")) == "a is b."


def test_the_tree_at_the_top_of_the_file_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = [
        (len(line) - len(line.lstrip()), match[1])
        for line in errors.__doc__.splitlines()
        if (match := re.match(r" *([A-Z]\w+)(?: {2,}|$)", line))
    ]
    parents: dict[int, str] = {}
    for indent, name in drawn:
        parents[indent] = name
        base = parents.get(indent - 4, "Exception")
        assert [parent.__name__ for parent in getattr(errors, name).__bases__] == [base]
    assert {name for _, name in drawn} == {name for name in errors.__all__ if name[0].isupper()}


@pytest.mark.parametrize(
    "allocate", [lambda: bytearray(1 << 60), lambda: np.empty(1 << 45), lambda: torch.empty(1 << 45)]
)
def test_memory_that_ran_out_is_recognized_wherever_it_did(allocate: Callable[[], object]) -> None:
    with pytest.raises((MemoryError, RuntimeError)) as caught:
        allocate()
    assert is_out_of_memory(caught.value)
    wrapped = PluginError("the plug-in cannot be loaded.")
    wrapped.__cause__ = caught.value
    assert is_out_of_memory(wrapped)


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.ones(2) @ torch.ones(3)
    assert not is_out_of_memory(caught.value)


def test_a_near_miss_gets_a_suggestion_and_nonsense_none() -> None:
    assert did_you_mean("mmnist5", ["mmnist4", "clevr"]) == "Did you mean 'mmnist4'?"
    assert did_you_mean("zzz", ["mmnist4"]) == ""


def test_of_many_names_the_first_are_listed_and_the_rest_counted() -> None:
    assert shortlist([]) == ""
    assert shortlist(["a", "b", "c"], most=3) == "a, b, c"
    assert shortlist((str(number) for number in range(1645)), most=2) == "0, 1, and 1,643 more"
