"""Does a plug-in keep what the contract promises? ``mtbench check NAME``, and the same for the tests of its package.

from mtbench.conformance import assert_conforms


def test_mine_conforms() -> None:
    assert_conforms("mine")
"""

from mtbench.conformance.subject import CheckResult, assert_conforms, examine

__all__ = ["CheckResult", "assert_conforms", "examine"]
