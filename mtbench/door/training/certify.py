"""Certificates: the searches, the rows and the verdicts of a method beside its references."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtbench.door.training.work import Work
from mtbench.plan.certificate.rows import Part, Plan, Row, reference_rows
from mtbench.plan.certificate.sizes import tuned_network
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite.settings import rendered
from mtbench.report.certificate.facts import Check, Facts, Tuned
from mtbench.report.certificate.judged import Ran, RanPart, judge_all
from mtbench.report.certificate.write import write_certificate
from mtbench.report.text import slug
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.request import SearchRequest
from mtbench.search.rounds import run_search
from mtbench.stats.relative import delta_m
from mtbench.store.pack.contents import collect, part_of
from mtbench.store.pack.write import write_pack
from mtbench.store.status import RunStatus
from mtbench.store.study import Study, Trial
from mtbench.store.suites.declaration import Declaration, declare_content, differences

__all__ = ["PACK", "Certified", "certify", "name_of", "planned_runs", "search_plans", "write_refused"]

PACK = "certificate.zip"
"""The name of the pack in the folder of a certificate."""


@dataclass(frozen=True, kw_only=True)
class Certified:
    """A certificate that was written.

    Attributes:
        facts: its content.
        files: its files, the two pages first.
    """

    facts: Facts
    files: Sequence[Path]


def name_of(plan: Plan) -> str:
    """Return the name of a certificate's declaration and folder."""
    return f"certificate-{slug(plan.method)}-{plan.size.name}"


def search_plans(plan: Plan) -> list[StudyPlan]:
    """Return the search for task weights of each dataset.

    Trials use all labels and the epochs of the method, and nothing is retrained by the search itself: the chosen
    weights are trained with each budget.

    Raises:
        UsageError: a dataset has no validation split, or the network does not fit it.
    """
    return [
        plan_search(
            SearchRequest(
                datasets=[part.sample.dataset],
                methods=[tuned_network()],
                on=plan.backbone,
                protocol=part.sample.protocol,
                settings=rendered(part.sample.set),
                objective="mean" if part.measure == "mean" else "tasks",
                space={"weights": "simplex"},
                trials=plan.size.trials,
                retrain=0,
            )
        )[0]
        for part in plan.parts
    ]


def planned_runs(plan: Plan, searches: Sequence[StudyPlan]) -> list[RunSpec]:
    """Return the runs of all rows; those of tuned weights, which are not known yet, with equal ones."""
    tuned = [
        spec
        for part, search in zip(plan.parts, searches, strict=True)
        for row in _tuned_rows(part, search, search.default)
        for spec in row.specs
    ]
    return list({spec.id: spec for spec in [*plan.specs, *tuned]}.values())


def write_refused(plan: Plan, checks: Sequence[Check], out: Path, *, command: str) -> Certified:
    """Write the certificate of a method that does not conform, for which nothing is trained.

    Raises:
        StoreError: a file cannot be written.
    """
    facts = Facts(method=plan.title, command=command, size=plan.size, checks=checks, left_out=plan.left_out)
    return Certified(facts=facts, files=write_certificate(facts, out))


def certify(plan: Plan, checks: Sequence[Check], work: Work, out: Path, *, command: str) -> Certified:
    """Declare, train and judge the rows of a certificate, and write its pages and its pack.

    Runs and trials that are finished are left as they are, so that the same call resumes a certificate.

    Args:
        plan: the plan.
        checks: the checks of conformance, all passed.
        work: the place and manner of training.
        out: the folder of the certificate.
        command: the command that makes it, for its page.

    Raises:
        UsageError: something does not fit.
        DataError: the data cannot be had.
        StoreError: something cannot be read or written.
        Busy: another process works on one of the searches.
        Stopped: Ctrl-C or SIGTERM was received.
    """
    searches = search_plans(plan)
    work.check(plan.specs)
    now = _content(plan, searches)
    done = sum(
        run.record is not None for run in work.statuses([spec for part in plan.parts for spec in part.own.specs])
    )
    declared = declare_content(work.results, name_of(plan), now, done)
    work.prepare(plan.specs)
    states = {run.spec.id: run for run in work(plan.specs, "the method and its references")}
    studies = run_search(searches, results=work.results, perform=work)
    chosen = [_chosen(part, study) for part, study in zip(plan.parts, studies, strict=True)]
    tuned = [
        _tuned_rows(part, search, trial.asked) if trial else ()
        for part, search, trial in zip(plan.parts, searches, chosen, strict=True)
    ]
    again = list({spec.id: spec for rows in tuned for row in rows for spec in row.specs}.values())
    states |= {run.spec.id: run for run in (work(again, "tuned weights") if again else ())}
    parts = [_ran(part, rows, states) for part, rows in zip(plan.parts, tuned, strict=True)]
    pack = _pack(out / PACK, work.results, plan, states, studies)
    facts = Facts(
        method=plan.title,
        command=command,
        size=plan.size,
        checks=checks,
        parts=parts,
        judged=judge_all(parts),
        tuned=[
            Tuned(title=study.titles.dataset, study=study, chosen=trial)
            for study, trial in zip(studies, chosen, strict=True)
        ],
        left_out=plan.left_out,
        declared=_declared(declared),
        changed=_changed(declared, now),
        pack=(PACK, pack),
    )
    return Certified(facts=facts, files=[*write_certificate(facts, out), out / PACK])


def _tuned_rows(part: Part, search: StudyPlan, asked: Mapping[str, str]) -> tuple[Row, ...]:
    """Return the rows of a weighted sum of losses with these weights."""
    seeds = [spec.seed for spec in part.own.specs]

    def plan(settings: Mapping[str, str]) -> list[RunSpec]:
        return search.with_settings(settings).specs(asked, seeds, validation=False)

    return reference_rows(part.own, part.sample, f"tuned {search.title.partition('@')[0]}", plan)


def _chosen(part: Part, study: Study) -> Trial | None:
    """Return the best trial on the validation split: by the mean over tasks, or by Δm over the trial of equal weights.

    None if no trial was done, or if that of equal weights was not.
    """
    done = [trial for trial in study.trials if trial.values is not None]
    if not done or done[0].number:
        return None
    tasks = [task.name for task in study.tasks]
    higher = [task.higher_is_better for task in study.tasks]
    values = [[trial.values[task] for task in tasks] for trial in done if trial.values is not None]
    if part.measure == "mean":
        scores = [(1 if higher[0] else -1) * sum(each) for each in values]
    else:
        scores = delta_m(values, values[0], higher).tolist()
    return done[max(range(len(done)), key=lambda at: (scores[at], -at))]


def _ran(part: Part, tuned: Sequence[Row], states: Mapping[str, RunStatus]) -> RanPart:
    def ran(row: Row) -> Ran:
        return Ran.of(row, [states[spec.id] for spec in row.specs])

    return RanPart(part=part, own=ran(part.own), single=ran(part.single), rows=tuple(map(ran, (*part.rows, *tuned))))


def _content(plan: Plan, searches: Sequence[StudyPlan]) -> dict[str, Any]:
    """Return runs and comparisons as plain values, by the parts of a declaration."""
    grid, claims = [], []
    for part, search in zip(plan.parts, searches, strict=True):
        rows = (*part.rows, *_tuned_rows(part, search, search.default))
        grid.append(
            {
                "dataset": part.sample.dataset,
                "protocol": part.sample.protocol,
                "set": rendered(part.sample.set),
                "seeds": plan.size.seeds,
                "rows": [{"method": row.title, "set": dict(row.settings)} for row in (part.own, *rows)],
            }
        )
        claims += [
            {
                "dataset": part.sample.dataset,
                "contrast": [part.own.title, row.title],
                "equal": list(row.equal),
                "metric": part.measure,
                "margin": part.sample.margin,
                "test": "paired",
            }
            for row in rows
        ]
    return {
        "protocol": {"certificate": plan.method, "size": plan.size.name},
        "grid": grid,
        "search": [{"dataset": each.study.dataset, "method": each.title, "trials": each.trials} for each in searches],
        "claim": claims,
    }


def _declared(declared: Declaration) -> str:
    count = declared.runs
    when = f"when {count} of its runs had a record" if count else "before the first run of the method"
    return f"on {declared.at.partition('T')[0]}, {when} (SHA-256 {declared.hash[:12]})"


def _changed(declared: Declaration, now: Mapping[str, Any]) -> str:
    found = differences(declared, now)
    return f"The certificate was changed after it was declared: {'; '.join(found)}." if found else ""


def _pack(file: Path, results: Path, plan: Plan, states: Mapping[str, RunStatus], studies: Sequence[Study]) -> str:
    """Write the runs, searches and the declaration of a certificate into a pack; return its SHA-256."""
    trials = {run.rpartition("/")[2] for study in studies for run in study.trial_runs}
    found = part_of(
        collect(results, weights=False),
        runs={run.folder.name for run in states.values()} | trials,
        searches={study.id for study in studies},
        suites={name_of(plan)},
    )
    write_pack(file, found.members, found.left_out)
    return hashlib.sha256(file.read_bytes()).hexdigest()
