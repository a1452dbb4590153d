"""The check of the papers to cite."""

from mtbench.conformance.candidate import Candidate
from mtbench.conformance.fault import Fault
from mtbench.plan.bibtex import bibtex_entries

__all__ = ["is_cited"]


def is_cited(candidate: Candidate) -> None:
    """Raise Fault if the references of the network or the balancer are not entries of BibTeX."""
    method = candidate.method
    for plugin in (method.network_class, method.balancer_class):
        try:
            bibtex_entries(plugin.bibtex)
        except ValueError as cause:
            raise Fault(f"`bibtex` of {plugin.__name__}: {cause}.") from None
