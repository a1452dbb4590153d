"""Places in an author's file that messages name."""

import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mtbench.contract import Losses, LossWeighting, NoOptions
from mtbench.contract.authors import author_of, place_of, place_of_error
from mtbench.errors import PluginError
from mtbench_methods.balancers.loss_weights.uniform import Uniform
from mtbench_methods.networks.branches import Branches

HERE = f"In {Path(__file__).relative_to(Path.cwd()) if Path.cwd() in Path(__file__).parents else __file__}"


class Half(LossWeighting):
    """Weighs all by a half."""

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights / 2


class Third(Half):
    """Inherits all that it does."""


def line(text: str) -> int:
    """Return the number of the first line of this file that begins with a text."""
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, found in enumerate(lines, 1) if found.startswith(text))


def test_a_method_is_placed_where_it_is_defined() -> None:
    expected = f"{HERE}:{line('    def weigh')}."
    assert place_of(Half, "weigh") == place_of(Half(NoOptions(), []), "weigh") == place_of(Third, "weigh") == expected


def test_what_a_class_has_from_the_harness_is_placed_at_the_class() -> None:
    assert place_of(Half, "scalar") == f"{HERE}:{line('class Half')}."
    first = inspect.getsourcelines(LossWeighting.scalar)[1]
    assert place_of(LossWeighting, "scalar").endswith(f"scalarization.py:{first}.")


def test_a_class_without_a_file_has_no_place() -> None:
    namespace: dict[str, type] = {}
    exec("class Typed(base): pass", {"base": LossWeighting}, namespace)
    assert place_of(namespace["Typed"], "scalar") == ""


def test_the_author_of_a_result_is_the_first_method_that_is_not_of_the_contract() -> None:
    assert author_of(Branches, ("training_outputs", "decode", "forward")) == "decode"
    assert author_of(Uniform, ("combine", "scalar", "weigh")) == "weigh"
    assert author_of(LossWeighting, ("combine", "scalar")) == "scalar"


def test_losses_of_another_shape_name_the_line_that_made_them() -> None:
    two = torch.ones(2)
    with pytest.raises(PluginError) as error:
        Losses(means=two, counts=two.long(), base_weights=two, auxiliary=two.sum())
    expected = line("        Losses(means=two, counts=two.long(), base_weights=two, auxiliary=two.sum())")
    assert str(error.value) == (
        f"`Losses` have `auxiliary` of shape (), and should have shape (2,), a number for each task. {HERE}:{expected}."
    )


def test_an_error_in_a_library_is_placed_at_the_last_line_before_it() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.nn.functional.linear(torch.ones(2), torch.ones(3, 3))
    expected = line("        torch.nn.functional.linear(torch.ones(2), torch.ones(3, 3))")
    assert place_of_error(error.value) == f"{HERE}:{expected}."
