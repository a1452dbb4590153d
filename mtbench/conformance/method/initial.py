"""The check of the sources of initial weights."""

import importlib.util
import sys

from torch import Tensor

from mtbench.conformance.candidate import Candidate, parts_in
from mtbench.conformance.fault import Fault
from mtbench.conformance.method.states import same, some
from mtbench.conformance.world import plain
from mtbench.contract import Network, seeded
from mtbench.contract.authors import place_of

__all__ = ["starts_from_streams"]


def starts_from_streams(candidate: Candidate) -> None:
    """Build the network with the global generators in two states, and with its module imported again.

    Other parts of a method leave the generators in other states.

    Raises:
        Fault: a parameter or a buffer differs; the text names its module.
    """
    method, _, setup = parts_in(candidate, plain(2, 2))
    built = []
    for state in (0, 0, 1):
        with seeded(state, "check", "outside"):
            built.append(method.network_class(method.network_options, setup))
    first, again, other = built
    place = place_of(first, "__init__")
    if modules := _differing(first, again):
        raise Fault(
            f"the initial weights of {some(modules)} differ at each build: they are drawn from a generator that is "
            "not global. Draw them within `with setup.initialized(NAME):`, from torch's global generator. "
            f"{place}"
        )
    if modules := _differing(first, other):
        raise Fault(
            f"the initial weights of {some(modules)} come from outside of the setup's streams, so that each part that "
            f"is added before would change them. Make this module within `with setup.initialized('{modules[0]}'):`. "
            f"{place}"
        )
    with seeded(1, "check", "outside"):
        try:
            elsewhere = _imported_again(method.network_class)(method.network_options, setup)
        except Exception:  # a module that cannot be imported twice, or a class that is made within a function
            return
    if modules := _differing(first, elsewhere):
        raise Fault(
            f"the initial weights of {some(modules)} are drawn when module {type(first).__module__} is imported, so "
            "that they differ in each process. Draw them in `__init__`, within `with setup.initialized(NAME):`. "
            f"{place}"
        )


def _imported_again(network: type[Network]) -> type[Network]:
    """Return the class from another execution of its module, which is not added to the imported modules."""
    module = sys.modules[network.__module__]
    name = f"{network.__module__}_again"
    spec = importlib.util.spec_from_file_location(name, module.__file__)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = again = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(again)
    finally:
        del sys.modules[name]
    found: type[Network] = getattr(again, network.__qualname__)
    return found


def _differing(first: Network, second: Network) -> list[str]:
    """Return the names of the modules, or of tensors of the network itself, whose initial values differ."""
    states: list[dict[str, Tensor]] = [module.state_dict() for module in (first, second)]
    names = [name for name, value in states[0].items() if isinstance(value, Tensor)]
    found = [name for name in names if name not in states[1] or not same(states[0][name], states[1][name])]
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in found))
