"""Searches that belong to a suite: those of the same methods, datasets and protocol, at any size."""

import dataclasses
from collections.abc import Iterable

from mtbench.errors import MtbenchError
from mtbench.plan.grid import choose_protocol
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.plan.spec import composition
from mtbench.plan.suite import SIZE, Search, Suite, rendered
from mtbench.plan.suite.parts import OPTIONS
from mtbench.report.data.studies import StudyRuns

__all__ = ["suite_studies"]


def suite_studies(suite: Suite, studies: Iterable[StudyRuns]) -> dict[str, list[StudyRuns]]:
    """Return the studies that belong to a suite, by size (see `mtbench.plan.suite.planned.size_of`), in the suite's
    order."""
    groups: dict[str, list[tuple[tuple[int, int], StudyRuns]]] = {}
    for found in studies:
        for place, part in enumerate(suite.search):
            size = _size(suite, part, found)
            names = [name for name in part.methods if _is_of(found, name, part)] if size is not None else []
            if size is not None and names:
                called = suite.labels.get(names[0], names[0] if found.study.objective == "mean" else "")
                order = place, part.methods.index(names[0])
                groups.setdefault(size, []).append((order, dataclasses.replace(found, label=called)))
                break
    return {
        size: [found for _, found in sorted(group, key=lambda item: (item[0], item[1].study.id))]
        for size, group in sorted(groups.items())
    }


def _size(suite: Suite, part: Search, found: StudyRuns) -> str | None:
    """Say how much a study's runs are trained beside what the suite asks for; None if it does not ask for them."""
    base = found.study.protocol.name
    for name in part.datasets:
        dataset = parse_dataset(name)
        if str(dataset.choice) != found.study.dataset or base not in dataset.dataset_class.protocols:
            continue
        settings = rendered({**suite.sized(base).settings, **part.set})
        planned = choose_protocol(dataset.dataset_class, name, base).changed(**settings)
        asked = {field: getattr(found.study.protocol, field) for field in SIZE}
        if dataclasses.replace(planned, **{**asked, "seeds": 1}) == found.protocol:
            return dataclasses.replace(planned, **asked).label(planned)
    return None


def _is_of(found: StudyRuns, name: str, part: Search) -> bool:
    """Return whether a study is of this method, what is searched left aside; a network that is named alone stands for
    itself with whatever balancer takes weights of the tasks."""
    study = found.study
    if part.objective not in ("", study.objective) or part.sampler != study.sampler:
        return False
    named = {key.rpartition(".")[2].replace("-", "_") for key, text in part.space.items() if text not in ("", "none")}
    there = {key.rpartition(".")[2].replace("-", "_") for key in study.space}
    if OPTIONS in named:
        if not named - {OPTIONS} <= there:
            return False
    elif named and named != there:
        return False
    try:
        method = parse_method(name)
        backbone = method.on(parse_dataset(study.titles.dataset).dataset_class.default_backbone)
    except MtbenchError:
        return False
    if str(backbone.choice) != study.backbone:
        return False
    if study.method == f"{method.network_choice}+{method.balancer_choice}":
        return True
    alone = len(composition(name)) == 1
    weights = any(
        text.startswith("simplex") and (not named or key.rpartition(".")[2] in named)
        for key, text in study.space.items()
    )
    return alone and weights and study.network == str(method.network_choice)
