"""Records, studies and specs of earlier formats, converted to the present one before they are read.

Format 1 had one metric per task, and part of the numerics in the environment. Specs have other names for a few
settings; identities do not change, since they are computed with the first names (`mtbench.plan.spec`).
"""

from collections.abc import Mapping
from typing import Any

from mtbench.plan.spec import with_present_names
from mtbench.store.record.numerics import UNKNOWN

__all__ = ["record_from_1", "study_from_1"]


def study_from_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study of format 1 in the present format."""
    tasks = [_task(task) for task in body["tasks"]]
    return {**with_present_names(body), "format": 2, "tasks": tasks}


def record_from_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of format 1 in the present format, with `UNKNOWN` for instruction sets that it lacks."""
    before = body["environment"]
    numerics = {
        "libraries": {"torch": before["torch"]},
        "torch_instructions": UNKNOWN,
        "onednn_instructions": UNKNOWN,
        "threads": before["threads"],
        "processor": before["processor"],
        "device": before["device"].partition(":")[0],
        "deterministic": before["deterministic"],
    }
    return {
        **body,
        "format": 2,
        "spec": with_present_names(body["spec"]),
        "tasks": [_task(task) for task in body["tasks"]],
        "environment": {name: before[name] for name in ("mtbench", "python", "platform")},
        "numerics": numerics,
        "selected_epoch": body["curve"][-1]["epoch"],
    }


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task with its only metric in a list."""
    if "metrics" in task:
        return dict(task)
    metric = {"name": task["metric"], "unit": task["unit"], "higher_is_better": task["higher_is_better"]}
    return {"name": task["name"], "metrics": [metric]}
