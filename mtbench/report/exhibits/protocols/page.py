"""The difference of training protocols whose runs one report shows, with the conventions that go with them."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from mtbench.contract import PeerConvention, TrainingProtocol
from mtbench.contract.options import render_value
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.conventions.fit import conventions_of
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import slug

__all__ = ["preset_pages"]


def preset_pages(comparisons: Iterable[Comparison]) -> list[tuple[str, Page]]:
    """Return the folder and a page for each dataset with conventions whose runs are of several named protocols."""
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(comparison.dataset, []).append(comparison)
    return [
        (group[0].folder, _page(group))
        for group in groups.values()
        if len({each.protocol.name for each in group}) > 1 and conventions_of(group[0])
    ]


def _page(group: Sequence[Comparison]) -> Page:
    settings = [
        (field.name, [render_value(getattr(each.protocol, field.name)) for each in group])
        for field in dataclasses.fields(TrainingProtocol)
        if field.name not in ("name", "seeds")
    ]
    rules = [_rules(_convention(each)) for each in group]
    settings += [
        (name, [each.get(name, DASH) for each in rules])
        for name in dict.fromkeys(key for each in rules for key in each)
    ]
    lines = tuple(plain((name, *values)) for name, values in settings if len(set(values)) > 1)
    return Page(
        title=f"{group[0].dataset_title}: difference of its protocols",
        label=f"{group[0].folder}-{slug('protocols')}",
        quick=any(each.quick for each in group),
        layout=Layout(header=("setting", *(each.title for each in group)), lines=lines, tasks=len(group), costs=0),
        caption=(
            f"Training protocols of the runs on {group[0].dataset_title}: the settings in which they differ, and the "
            "rules of the published code that a protocol belongs to.",
        ),
        details=(
            "The rules are those of `mtbench report --convention`.",
            "Runs of two protocols are in two tables, and are not ranked together.",
        ),
        footnotes=tuple(_clipping(group)),
    )


def _clipping(group: Sequence[Comparison]) -> Iterator[str]:
    """Sentences on what the code clips that a protocol goes with; too long for cells."""
    for each in group:
        if (convention := _convention(each)) and convention.clip:
            yield f"Clipping in the code that {each.title} belongs to: {convention.clip}"


def _convention(comparison: Comparison) -> PeerConvention | None:
    name = comparison.protocol.name
    return next((each for each in conventions_of(comparison).values() if name in each.protocols), None)


def _rules(convention: PeerConvention | None) -> dict[str, str]:
    """Return the rules of a convention by name, in few words."""
    if convention is None:
        return {}
    batches, constants = convention.batches, convention.constants
    base = "mean of single" if convention.base == "constants" else convention.base
    return {
        "epoch reported": convention.epoch,
        "metrics over": f"batches of {batches.size}" if batches else "the test split",
        "Δm": f"{convention.average}, {convention.sign}",
        "Δm relative to": f"constants on {constants.backbone}" if constants else base,
    }
