"""Records, studies and specs of earlier formats, brought to the present one before they are read.

Format 1 had one metric per task, and kept part of the numerics with the environment. Specs name a few settings
otherwise; identities do not change, since they are computed with the first names (`mtbench.plan.spec`).
"""

from collections.abc import Mapping
from typing import Any

from mtbench.plan.spec import present_names

__all__ = ["record_from_1", "spec_from_1", "study_from_1"]

NUMERICS = ("torch", "processor", "threads", "device", "deterministic")
"""Entries of the environment in format 1 that are among the numerics now."""


def spec_from_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec with the present names of its settings."""
    return {**body, "protocol": present_names(body["protocol"])}


def study_from_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study of format 1 in the present format."""
    tasks = [_task(task) for task in body["tasks"]]
    return {**body, "format": 2, "protocol": present_names(body["protocol"]), "tasks": tasks}


def record_from_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of format 1 in the present format; a version that it did not keep is an empty text."""
    environment = dict(body["environment"])
    numerics = {name: environment.pop(name) for name in NUMERICS}
    return {
        **body,
        "format": 2,
        "spec": spec_from_1(body["spec"]),
        "tasks": [_task(task) for task in body["tasks"]],
        "environment": environment,
        "numerics": numerics,
        "selected_epoch": body["curve"][-1]["epoch"],
    }


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task with its only metric in a list."""
    if "metrics" in task:
        return dict(task)
    metric = {"name": task["metric"], "unit": task["unit"], "higher_is_better": task["higher_is_better"]}
    return {"name": task["name"], "metrics": [metric]}
