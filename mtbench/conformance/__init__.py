"""Checks that a plug-in keeps the promises of the contract: ``mtbench check NAME``, and for the tests of its package.

from mtbench.conformance import assert_conforms


def test_mine_conforms() -> None:
    assert_conforms("mine")
"""

from mtbench.conformance.subject import CheckResult, assert_conforms, examine

__all__ = ["CheckResult", "assert_conforms", "examine"]
