"""The exhibit of protocols: settings in which those of one dataset differ."""

from collections.abc import Iterator

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.exhibits.protocols.page import preset_pages

__all__ = ["Protocols"]


class Protocols(Exhibit):
    """Settings in which the training protocols of one dataset differ, with the rules of published code."""

    order = 95
    by_convention = True

    def show(self, results: Results) -> Iterator[Shown]:
        if results.suite:
            return  # a suite has one protocol, and says what it varies
        for folder, page in preset_pages(results.comparisons):
            stem = f"{folder}-{results.convention}-protocols" if results.convention else page.label
            yield Shown(pages={stem: page}, folder=folder)
