import shlex
from pathlib import Path

from mtbench.cli.training.execution import settings
from mtbench.plan.grid import Request, parse_seeds, plan
from mtbench.report.data.comparison import compare
from mtbench.report.provenance.runs import run_list
from mtbench.store.status import RunStatus


def planned(request: Request) -> list[RunStatus]:
    return [
        RunStatus(folder=Path(spec.folder), spec=spec, state="missing", why="", record=None) for spec in plan(request)
    ]


def test_the_command_of_a_method_plans_its_runs_again() -> None:
    changed = {"lr": "0.002", "clip": "shared:1", "weight_decay": "0.01", "curve": "5", "epochs": "4"}
    runs = planned(Request(methods=["td:channels=6", "single"], datasets=["toy-all"], settings=changed, seeds=[3]))
    runs += planned(Request(methods=["td:channels=6"], datasets=["toy-all"], settings=changed, seeds=[0, 5]))
    (comparison,) = compare(runs)
    titles = tuple(method.title for method in comparison.methods)
    found = run_list(comparison, titles, {})
    for method in comparison.methods:
        words = shlex.split(found.methods[method.title].command)
        given = {name: words[words.index(name) + 1] for name in ("--methods", "--dataset", "--protocol", "--seeds")}
        sets = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
        again = Request(
            methods=[given["--methods"]],
            datasets=[given["--dataset"]],
            protocol=given["--protocol"],
            settings=settings(sets),
            seeds=parse_seeds(given["--seeds"]),
        )
        assert {spec.id for spec in plan(again)} == {run.spec.id for run in method.runs}
    assert {line.seed for line in found.methods["td:channels=6"].lines} == {0, 3, 5}
