"""The tables of a certificate in words, and their numbers."""

import math
from statistics import fmean

import pandas as pd

from mtbench.report import text
from mtbench.report.certificate.facts import Facts, counted_words, machines, not_shown, shown
from mtbench.report.certificate.judged import Judged, Ran, RanPart
from mtbench.report.data.cost.spent import training_macs
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain

__all__ = ["budgets_frame", "certificate_pages", "verdicts_frame"]

_EQUAL = (
    "Equal: the budgets of a row that are those of the method. Epochs: the same epochs over the same examples. Labels: "
    "besides, as many labels of each example in a step. MACs: the fewest epochs in which the row spends at least 99 "
    "% of the method's multiply-accumulates in forward passes."
)


def certificate_pages(facts: Facts) -> dict[str, Page]:
    """Return the tables of a certificate by the names of their files, the summary first."""
    pages = {"summary": _summary(facts)}
    for part in facts.parts:
        pages[f"verdicts-{part.name}"] = _verdicts(facts, part)
    for part in facts.parts:
        pages[f"budgets-{part.name}"] = _budgets(facts, part)
    if facts.tuned:
        pages["tuned-weights"] = _tuned(facts)
    return {**pages, "conformance": _conformance(facts)}


def verdicts_frame(facts: Facts) -> pd.DataFrame:
    """Return a line per comparison at full precision."""
    return pd.DataFrame([_numbers(each) for each in facts.judged])


def budgets_frame(facts: Facts) -> pd.DataFrame:
    """Return a line per row at full precision: means over its runs."""
    lines = []
    for part in facts.parts:
        for ran in (part.own, *part.rows):
            lines.append(
                {
                    "dataset": part.title,
                    "method": ran.row.title,
                    "equal": "/".join(ran.row.equal),
                    **{name: value for name, value in _spent(ran).items() if not math.isnan(value)},
                    "n": len(ran.runs.records),
                }
            )
    return pd.DataFrame(lines)


def _page(title: str, label: str, header: tuple[str, ...], lines: list[list[str]], **more: object) -> Page:
    layout = Layout(header=header, lines=tuple(map(plain, lines)), tasks=0, costs=0)
    fields = {"quick": False, "caption": (), **more}
    return Page(title=title, label=f"certificate-{label}", layout=layout, **fields)  # type: ignore[arg-type]


def _summary(facts: Facts) -> Page:
    passed = sum(not check.fault for check in facts.checks)
    lines = [["checks of conformance", f"{passed} of {len(facts.checks)} passed"]]
    caption = [f"Certificate of {facts.method}, size {facts.size.name}: {facts.size.about}."]
    notes = [f"Command: {facts.command}"]
    if facts.parts:
        for title in dict.fromkeys(each.against.row.title for each in facts.judged):
            of = [each for each in facts.judged if each.against.row.title == title]
            lines.append([f"{facts.method} against {title}", counted_words(of)])
        machine, unlike = machines(facts)
        caption += [shown(facts), *not_shown(facts)]
        notes += [f"Machine: {machine or 'none'}.", f"Declared {facts.declared}.", *unlike]
    else:
        caption.append("The method does not conform to the contract, and nothing was trained: mend the checks first.")
    notes += [f"Records: {facts.pack[0]}, SHA-256 {facts.pack[1]}."] if facts.pack[0] else []
    notes += [facts.changed] if facts.changed else []
    notes += [f"Left out, {name}: {why}" for name, why in facts.left_out.items()]
    if facts.missing:
        notes.insert(0, f"Incomplete: {facts.missing} runs have no record. The same command resumes them.")
    return _page(
        f"Certificate of {facts.method}, size {facts.size.name}",
        "summary",
        ("what", "result"),
        lines,
        quick=facts.quick,
        caption=tuple(caption),
        footnotes=tuple(notes),
    )


def _verdicts(facts: Facts, part: RanPart) -> Page:
    lines, notes, unit, margin = [], [], _unit(part), part.part.sample.margin
    own = _mean(part, part.own)
    for each in facts.judged:
        if each.ran is not part:
            continue
        other = _mean(part, each.against)
        digits = text.decimals([value for value in (own, other) if not math.isnan(value)], unit)
        interval = each.contrast.interval()
        lines.append(
            [
                _called(each.against),
                each.verdict.word,
                DASH if math.isnan(each.contrast.difference) else text.signed(each.contrast.difference, digits),
                text.span(interval, digits) if interval else DASH,
                _said(own, digits),
                _said(other, digits),
                DASH if math.isnan(each.p) else text.p_value(each.p),
                str(each.contrast.n),
            ]
        )
        notes.append(f"{_called(each.against)}: {each.verdict.sentence.replace(': ', ', ', 1)}.")
    return _page(
        f"{facts.method} on {part.name}, {_measured(part)}",
        f"verdicts-{part.name}",
        ("against", "verdict", "difference", "95 %", facts.method, "reference", "p", "n"),
        lines,
        quick=facts.quick,
        caption=(
            f"{part.title}.",
            f"Difference: {facts.method} minus the reference, mean over n pairs of runs with the same seed, with its "
            "95 % confidence interval; p: paired t-test after Holm's correction over all comparisons of the "
            f"certificate. {f'Margin: {margin:g}.' if margin else 'No margin, so that nothing is called equivalent.'}",
        ),
        details=(
            _EQUAL,
            "Better or worse if p < 0.05 and the interval excludes 0; equivalent if the 90 % interval lies within the "
            "margin and two one-sided tests have p < 0.05 after the correction; else undecided. A comparison in which "
            "neither side is above the best constant prediction is undecided.",
            "Δm: mean relative gain in % over the single-task run of the same seed with the same epochs, by tasks "
            "first. Metrics are those of the test split after the last epoch; nothing is chosen on it.",
            *notes,
        ),
    )


def _budgets(facts: Facts, part: RanPart) -> Page:
    own = _spent(part.own)
    lines = [
        [
            _called(ran),
            *(_ratio(_spent(ran), own, name, is_own=ran is part.own) for name in own),
            str(len(ran.runs.records)),
        ]
        for ran in (part.own, *part.rows)
    ]
    return _page(
        f"Budgets on {part.name}",
        f"budgets-{part.name}",
        ("method", "epochs", "labels", "MACs", "seconds", "n"),
        lines,
        quick=facts.quick,
        caption=(
            "Training of one run, mean over n seeds, and in brackets its ratio to the method. Labels: those that "
            "entered a loss. MACs: multiply-accumulates of forward passes. Seconds: CPU seconds of training on a CPU, "
            "wall-clock seconds on a GPU, evaluations left out.",
            "Trials of searches are not among them: the table of tuned weights has their cost.",
        ),
        details=(_EQUAL, "A balancer of gradients makes a backward pass for each task, which MACs do not count."),
    )


def _called(ran: Ran) -> str:
    """Return a row with the budgets that it has of the method."""
    return f"{ran.row.title}, equal {text.listed(ran.row.equal)}" if ran.row.equal else ran.row.title


def _tuned(facts: Facts) -> Page:
    lines = []
    for each in facts.tuned:
        study, chosen = each.study, each.chosen
        lines.append(
            [
                each.title,
                str(study.spent.trials),
                f"{study.spent.epochs:,}",
                f"{study.spent.seconds:.0f}",
                "/".join(f"{float(w):.2g}" for w in next(iter(chosen.asked.values())).split("/")) if chosen else DASH,
                "the default" if chosen and chosen.number == 0 else f"trial {chosen.number}" if chosen else "none done",
            ]
        )
    return _page(
        "Tuned weights",
        "tuned-weights",
        ("dataset", "trials", "epochs", "elapsed s", "weights", "chosen"),
        lines,
        quick=facts.quick,
        caption=(
            "Task weights of a weighted sum of losses, chosen on a validation split that is held out of the training "
            "examples. Trials, the first with equal weights, were trained for the epochs of the method on all labels; "
            "the chosen weights were then trained with each budget on all training examples, with other seeds. Epochs, "
            "and elapsed seconds of training: those of all trials.",
        ),
    )


def _conformance(facts: Facts) -> Page:
    lines = [[check.says, "failed" if check.fault else "passed"] for check in facts.checks]
    return _page(
        "Conformance",
        "conformance",
        ("check", "result"),
        lines,
        caption=("The checks of mtbench check, on small examples; docs/checks.md explains each.",),
        footnotes=tuple(f"{check.says}: {check.fault}" for check in facts.checks if check.fault),
    )


def _unit(part: RanPart) -> str:
    return "%" if part.part.measure == "delta_m" else part.tasks[0].unit


def _measured(part: RanPart) -> str:
    if part.part.measure == "delta_m":
        return "Δm in %"
    task = part.tasks[0]
    direction = "" if task.higher_is_better else ", lower is better"
    return f"{task.metric}{f' in {task.unit}' if task.unit else ''}{direction}"


def _mean(part: RanPart, ran: Ran) -> float:
    known = [float(value) for value in part.values(ran) if not math.isnan(value)]
    return fmean(known) if known else math.nan


def _said(value: float, digits: int) -> str:
    return DASH if math.isnan(value) else text.fixed(value, digits)


def _spent(ran: Ran) -> dict[str, float]:
    """Return the training of a row by name, means over its runs; NaN before one has finished."""
    records = list(ran.runs.records.values())
    if not records:
        return dict.fromkeys(("epochs", "labels", "macs", "seconds"), math.nan)
    seconds = [
        each.cost.training_cpu_seconds if each.numerics.device == "cpu" else each.cost.training_wall_seconds
        for each in records
    ]
    macs = [known for each in records if (known := training_macs(each)) is not None]
    return {
        "epochs": fmean(each.epochs for each in records),
        "labels": fmean(each.cost.label_uses for each in records),
        "macs": fmean(macs) if macs else math.nan,
        "seconds": fmean(seconds),
    }


def _ratio(spent: dict[str, float], own: dict[str, float], name: str, *, is_own: bool) -> str:
    value, base = spent[name], own[name]
    if math.isnan(value):
        return DASH
    said = f"{value:.0f}" if name == "epochs" else text.duration(value) if name == "seconds" else text.counted(value)
    return said if not base or math.isnan(base) or is_own else f"{said} ({text.ratio(round(value / base, 2))})"


def _numbers(each: Judged) -> dict[str, object]:
    low, high = each.contrast.interval() or (None, None)
    return {
        "dataset": each.ran.title,
        "measure": each.ran.part.measure,
        "against": each.against.row.title,
        "equal": "/".join(each.against.row.equal),
        "verdict": each.verdict.word,
        "n": each.contrast.n,
        "mean": _mean(each.ran, each.ran.own),
        "reference": _mean(each.ran, each.against),
        "difference": each.contrast.difference,
        "t95_low": low,
        "t95_high": high,
        "p_holm": each.p,
        "margin": each.ran.part.sample.margin or None,
        "sentence": each.verdict.sentence,
    }
