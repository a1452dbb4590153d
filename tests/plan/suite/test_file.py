from collections.abc import Callable
from pathlib import Path

import pytest

from mtbench.errors import UsageError
from mtbench.plan.suite import AcrossClaim, Counted, SettingsClaim, Suite
from mtbench.plan.suite.file import Fault, find_suite, read_suite
from mtbench.plan.suite.planned import plan_suite

GOOD = """\
title = "Two digits"

[protocol]
base = "paper"
lr = 1e-3

[[grid]]
datasets = ["mmnist2"]
methods = [
    "td",
    "uniform",
]
vary = { fraction = [0.1, 1.0] }

[[paper]]
dataset = "mmnist2"
columns = ["LU", "mean"]
set = { fraction = 0.1 }
[paper.rows]
td = [97.16, [96.19, 0.14]]

[[claim]]
dataset = "mmnist2"
contrast = ["td", "uniform"]
set = { fraction = 1.0 }
"""

Read = Callable[[str], tuple[Suite | None, list[Fault]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_text(text: str) -> tuple[Suite | None, list[Fault]]:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return read_suite(path)

    return from_text


def test_a_file_is_read_as_it_says(read: Read) -> None:
    suite, faults = read(GOOD)
    assert faults == []
    assert suite is not None
    assert (suite.name, suite.title, suite.base) == ("mine", "Two digits", "paper")
    assert suite.settings == {"lr": 1e-3}
    assert suite.grid[0].variations() == [{"fraction": 0.1}, {"fraction": 1.0}]
    (table,) = suite.paper
    assert table.number("td", "LU") == (97.16, None)
    assert table.number("td", "mean") == (96.19, 0.14)
    assert table.number("td", "RL") is None
    assert table.number("uniform", "LU") is None


def test_the_comparison_of_ranks_is_paired_or_not(read: Read) -> None:
    for text, ranks in (("", "paired"), ('ranks = "unpaired"\n', "unpaired")):
        suite, faults = read(text + GOOD)
        assert (suite and suite.ranks, faults) == (ranks, [])
    suite, (fault,) = read('ranks = "both"\n' + GOOD)
    assert (suite, fault.line) == (None, 1)
    assert fault.text == "'ranks' is 'both': input should be 'paired' or 'unpaired'."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_of_any_editor_is_read(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace("digits", "Zöglinge ∆ 数"), encoding=encoding, newline=newline)
    suite, faults = read_suite(path)
    assert (suite and suite.title, faults) == ("Two Zöglinge ∆ 数", [])


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (f"title = {'9' * 5000}", "the file is not TOML: Exceeds the limit"),
        (f"figures = {'[' * 3000}{']' * 3000}", "the file is not TOML: lists or tables are nested too deeply."),
    ],
    ids=["a number of 5,000 digits", "3,000 lists"],
)
def test_what_a_reader_of_toml_cannot_hold_is_a_fault(read: Read, line: str, text: str) -> None:
    suite, (fault,) = read(line + "\n")
    assert suite is None
    assert fault.line == 1
    assert fault.text.startswith(text)
    assert len(fault.text) < 300


def test_a_file_that_is_no_suite_by_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("#" * 1_000_001)
    with pytest.raises(UsageError, match=r"has 1,000,001 bytes\. A suite has at most 1,000,000\."):
        read_suite(path)


def test_two_methods_of_one_label_cannot_be_told_apart(read: Read) -> None:
    _, faults = read(GOOD + '\n[labels]\ntd = "ours"\nuniform = "ours"\n')
    text = "'uniform' has the label 'ours', like 'td'. Give each its own label."
    assert faults == [Fault(line=len(GOOD.splitlines()) + 4, text=text)]


def test_a_papers_table_says_the_convention_of_its_gain(read: Read) -> None:
    suite, faults = read(GOOD.replace("[paper.rows]", 'delta = "metric/drop"\n[paper.rows]'))
    assert (suite and suite.paper[0].delta, faults) == ("metric/drop", [])


MARGIN = 'contrast = ["td", "uniform"]\nmargin = '
FAULTS = {
    "a negative margin": ('contrast = ["td", "uniform"]', MARGIN + "-1", "margin' is -1: a number of at least 0"),
    "a margin that is none": ('contrast = ["td", "uniform"]', MARGIN + "nan", "margin' is nan: a finite number"),
    "an infinite margin": ('contrast = ["td", "uniform"]', MARGIN + "inf", "margin' is inf: a finite number"),
    "more seeds of a claim than can be": (
        'contrast = ["td", "uniform"]',
        'contrast = ["td", "uniform"]\nn = 1000000000000000000000000000000',
        "a number of at most 10,000 is expected",
    ),
    "more seeds than can be": ("lr = 1e-3", f"seeds = {10**30}", "Allowed: 1 to 10,000."),
    "more epochs than can be": ("lr = 1e-3", "epochs = 1000001", "Allowed: 1 to 1,000,000."),
    "a batch that is too large": ("lr = 1e-3", "batch = 1000001", "Allowed: 1 to 1,000,000."),
    "a published number that is none": ("td = [97.16", "td = [nan", "a finite number is expected"),
    "a convention that there is not": ("[paper.rows]", 'delta = "drop"\n[paper.rows]', "e.g. 'metric/drop'"),
    "an unknown method": ('    "uniform",', '    "unifrom",', "Did you mean 'uniform'?"),
    "an unknown option": ('    "uniform",', '    "uniform", "td:chanels=2",', "Did you mean 'channels'?"),
    "a group with a task that there is not": (
        "set = { fraction = 1.0 }",
        'set = { fraction = 1.0 }\ntasks = ["LU", "RU"]',
        "'tasks' has 'RU'",
    ),
    "a group and a metric": (
        "set = { fraction = 1.0 }",
        'set = { fraction = 1.0 }\nmetric = "LU"\ntasks = ["LU", "RL"]',
        "Leave one of the two out.",
    ),
    "a value that does not fit": ('    "td",', '    "td", "td:bu2=times",', "Allowed: add, mul, gated."),
    "a method that does not fit": ('    "uniform",', '    "uniform", "single+pcgrad",', "is no valid combination"),
    "weights for other tasks": ('    "uniform",', '    "uniform", "branches+fixed:weights=1/2/3",', "3 weights for 2"),
    "an unknown dataset": ('datasets = ["mmnist2"]', 'datasets = ["mmnits2"]', "Did you mean 'mmnist2'?"),
    "a typo at the top": ('title = "Two digits"', 'title = "T"\nfigurs = []', "Did you mean 'figures'?"),
    "a typo in the protocol": ("lr = 1e-3", "learning_rat = 3", "[protocol] has no key 'learning_rat'"),
    "a typo in a grid": ("vary = {", "sett = { clip = 1.0 }\nvary = {", "Did you mean 'set'?"),
    "a typo in a claim": ('contrast = ["td", "uniform"]', 'contrast = ["td", "uniform"]\nmargn = 1', "'margin'?"),
    "a wrong text in the protocol": ("lr = 1e-3", 'lr = "fast"', "Allowed: a number."),
    "a value out of range": ("lr = 1e-3", "lr = -1.0", "Allowed: at least 1e-12."),
    "a value with a hyphen": ("lr = 1e-3", 'gradient-scale = "big"', "Allowed: native, sum, matched."),
    "an unknown protocol": ('base = "paper"', 'base = "papr"', "Did you mean 'paper'?"),
    "a wrong value that is varied": (
        "fraction = [0.1, 1.0] }",
        "fraction = [0.1, 1.0, 7.0] }",
        "Allowed: 0.0001 to 1.",
    ),
    "an unknown setting that is varied": ("vary = { fraction", "vary = { shar", "no setting 'shar'"),
    "a size that is varied": ("vary = { fraction = [0.1, 1.0] }", "vary = { epochs = [1] }", "cannot be varied"),
    "two that are varied": ("fraction = [0.1, 1.0] }", "fraction = [0.1, 1.0], lr = [1.0] }", "Vary one"),
    "an unknown column": ('columns = ["LU", "mean"]', 'columns = ["LU", "LR"]', "There: LU, RL, mean."),
    "an unknown row": ("td = [97.16", "tdd = [97.16", "Did you mean 'td'?"),
    "too few values": ("td = [97.16, [96.19, 0.14]]", "td = [97.16]", "1 value for 2 columns"),
    "too many values": ("td = [97.16, ", "td = [97.16, 1, ", "3 values for 2 columns"),
    "three numbers for one": ("[96.19, 0.14]]", "[96.19, 0.14, 5]]", "a mean, or [mean, standard deviation]"),
    "a text for a number": ("td = [97.16,", 'td = ["97.16 ± 0.05",', "a mean, or [mean, standard deviation]"),
    "a table of another variation": (
        "set = { fraction = 0.1 }",
        "set = { fraction = 0.3 }",
        "There: fraction=0.1; fraction=1.",
    ),
    "a claim on a missing method": ('["td", "uniform"]\n', '["td", "moo"]\n', "There: td, uniform."),
    "a claim on one method": ('["td", "uniform"]\n', '["td", "td"]\n', "Name two."),
    "a claim with one method": ('["td", "uniform"]\n', '["td"]\n', "Write two methods"),
    "a claim in no direction": ('["td", "uniform"]\n', '["td", "uniform"]\ndirection = "up"\n', "'better', 'worse' or"),
    "a claim without a margin": (
        '["td", "uniform"]\n',
        '["td", "uniform"]\ndirection = "equivalent"\n',
        "Give 'margin'",
    ),
    "a claim on another metric": (
        '["td", "uniform"]\n',
        '["td", "uniform"]\nmetric = "LR"\n',
        "There: LU, RL, mean, d",
    ),
    "a text for a list": ('datasets = ["mmnist2"]', 'datasets = "mmnist2"', "Write a list of texts"),
    "a number for a text": ('title = "Two digits"', "title = 2", "'title' is 2"),
    "a label for nothing": ("[[grid]]", '[labels]\nmoo = "MOO"\n[[grid]]', "'labels' has 'moo'"),
}


ACROSS = """\
title = "A task alone and beside others"

[[grid]]
datasets = ["mmnist9", "mmnist9:tasks=1/9"]
methods = ["td", "uniform"]

[[grid]]
datasets = ["mmnist9:tasks=1/9", "mmnist3"]
methods = ["single"]

[[claim]]
datasets = ["mmnist9", "mmnist9:tasks=1/9"]
task = "9"
method = "td"
against = "uniform"
direction = "equivalent"
margin = 0.5
"""
CLAIMED = 'claim]]\ndatasets = ["mmnist9", "mmnist9:tasks=1/9"]'
ACROSS_FAULTS = {
    "a dataset of no grid": (CLAIMED, CLAIMED.replace("9", "8", 1), "datasets", "Did you mean 'mmnist9'?"),
    "one dataset": (CLAIMED, 'claim]]\ndatasets = ["mmnist9"]', "datasets", "Write a list of texts"),
    "a dataset twice": (CLAIMED, CLAIMED.replace(":tasks=1/9", ""), "datasets", "one dataset twice. Name two."),
    "datasets that share no task": (CLAIMED, CLAIMED.replace("9", "3", 1), "task", "They have no task in common"),
    "a task of one of the two": ('task = "9"', 'task = "5"', "task", "Both have: 1, 9."),
    "a mean over unlike tasks": ('task = "9"', 'task = "mean"', "task", "Both have: 1, 9."),
    "a method of no grid": ('method = "td"', 'method = "tdd"', "method", "Did you mean 'td'?"),
    "a method of one of the two": ('method = "td"', 'method = "single"', "method", "runs on dataset 'mmnist9'"),
    "another method of no grid": ('against = "uniform"', 'against = "unifrom"', "against", "Did you mean 'uniform'?"),
    "a method against itself": ('against = "uniform"', 'against = "td"', "against", "or leave it out."),
    "no margin": ("margin = 0.5", "margin = 0", "direction", "Give 'margin'"),
    "a key of other claims": ("margin = 0.5", 'contrast = ["td", "uniform"]', "contrast", "has no key 'contrast'"),
    "a number for a text": ('task = "9"', "task = 9", "task", "'claim.task' is 9"),
    "a variation of no grid": ("margin = 0.5", "margin = 1\nset = { lr = 1e-2 }", "set", "of dataset 'mmnist9' has"),
}


SETTINGS = """\
title = "Momentum"

[[grid]]
datasets = ["mmnist2"]
methods = ["td", "uniform"]
vary = { beta1 = [0.0, 0.9] }

[[grid]]
datasets = ["mmnist2"]
methods = ["uniform"]
set = { fraction = 0.5 }

[[claim]]
dataset = "mmnist2"
settings = [{ beta1 = 0.0 }, { beta1 = 0.9 }]
method = "td"
against = "uniform"
metric = "LU"
direction = "equivalent"
margin = 0.5
"""
BOTH = "settings = [{ beta1 = 0.0 }, { beta1 = 0.9 }]"
SETTINGS_FAULTS = {
    "a dataset of no grid": ('set = "mmnist2"', 'set = "mmnist3"', "dataset", "There: mmnist2."),
    "one table": (BOTH, "settings = [{ beta1 = 0.0 }]", "settings", "has too few values"),
    "a text for tables": (BOTH, 'settings = "beta1"', "settings", "Write two tables: [{ name = ... }, { ... }]."),
    "a variation twice": (BOTH, BOTH.replace("0.9", "0.0"), "settings", "one variation twice. Name two."),
    "a variation of no grid": (BOTH, BOTH.replace("0.9", "0.5"), "settings", "There: beta1=0; beta1=0.9; fraction"),
    "no settings, which no grid has": (BOTH, "settings = [{}, { beta1 = 0.9 }]", "settings", "'settings' is none, w"),
    "a method of no grid": ('method = "td"', 'method = "tdd"', "method", "Did you mean 'td'?"),
    "a method of one of the two": (
        BOTH,
        "settings = [{ fraction = 0.5 }, { beta1 = 0.9 }]",
        "method",
        "'method' is 'td', which no [[grid]] runs on dataset 'mmnist2' with the settings fraction=0.5. Add it to one.",
    ),
    "other examples": (
        BOTH,
        "settings = [{ fraction = 0.5 }, { beta1 = 0.9 }]",
        "settings",
        "where 'fraction' diff",
    ),
    "a method against itself": ('against = "uniform"', 'against = "td"', "against", "or leave it out."),
    "a metric of no task": ('metric = "LU"', 'metric = "LR"', "metric", "There: LU, RL, mean, delta_m."),
    "no margin": ("margin = 0.5", "margin = 0", "direction", "Give 'margin'"),
    "a key of other claims": ("margin = 0.5", 'margin = 1\ntask = "LU"', "task", "has no key 'task'"),
}


RELATION = """
[[relation]]
dataset = "mmnist2"
quantity = "compliance"
pairs = ["LU/RL"]
set = { fraction = 0.1 }
[relation.rows]
td = [[51.5, 52.5]]
"""


def test_published_numbers_of_pairs_are_read_as_they_say(read: Read) -> None:
    suite, faults = read(GOOD + RELATION)
    assert faults == []
    assert suite is not None
    (relation,) = suite.relation
    assert relation.values("td", "LU/RL") == (51.5, 52.5)
    assert relation.values("uniform", "LU/RL") == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ('"LU/RL"', '"LU/RU"', 30, "'pairs' has 'RU'"),
        ('"LU/RL"', '"LU"', 30, "Write two tasks and a slash between them."),
        ('"LU/RL"', '"LU/LU"', 30, "Write two tasks and a slash between them."),
        ("td = [[51.5, 52.5]]", "dt = [51.5]", 33, "'rows' has 'dt'"),
        ("td = [[51.5, 52.5]]", "td = [51.5, 52.5]", 33, "'td' has 2 values for 1 pairs (LU/RL)."),
        ('"compliance"', '"conflict"', 29, "'relation.quantity' is 'conflict'"),
        ("fraction = 0.1", "fraction = 0.2", 31, "which no [[grid]] of dataset 'mmnist2' has"),
    ],
)
def test_a_fault_of_numbers_of_pairs_is_told_on_its_line(read: Read, old: str, new: str, line: int, text: str) -> None:
    _, faults = read(GOOD + RELATION.replace(old, new))
    assert [(fault.line, text in fault.text) for fault in faults] == [(line, True)], faults


def test_a_metric_that_no_task_has_is_told(read: Read) -> None:
    assert read(GOOD.replace("[paper.rows]", 'metric = "macro-f1"\n[paper.rows]'))[1] == []
    _, faults = read(GOOD.replace("[paper.rows]", 'metric = "f1"\n[paper.rows]'))
    assert ["'metric' has 'f1'" in fault.text for fault in faults] == [True]  # which is of two classes


def test_a_claim_across_datasets_is_read_as_it_says(read: Read) -> None:
    suite, faults = read(ACROSS)
    assert faults == []
    assert suite is not None
    assert suite.claim == (
        AcrossClaim(
            datasets=("mmnist9", "mmnist9:tasks=1/9"),
            task="9",
            method="td",
            against="uniform",
            direction="equivalent",
            margin=0.5,
        ),
    )


@pytest.mark.parametrize(("old", "new", "key", "text"), ACROSS_FAULTS.values(), ids=ACROSS_FAULTS)
def test_a_fault_of_a_claim_across_datasets_is_told_on_its_line(
    read: Read, old: str, new: str, key: str, text: str
) -> None:
    assert ACROSS.count(old) == 1
    lines = ACROSS.replace(old, new).splitlines()
    _, faults = read("\n".join(lines))
    told = [fault for fault in faults if text in fault.text]
    assert len(told) == 1, faults
    assert lines[told[0].line - 1].startswith(f"{key} = ")
    assert told[0].line > lines.index("[[claim]]")


def test_a_claim_across_settings_is_read_as_it_says(read: Read) -> None:
    suite, faults = read(SETTINGS)
    assert faults == []
    assert suite is not None
    (claim,) = suite.claim
    assert isinstance(claim, SettingsClaim)
    assert claim.where == (("mmnist2", {"beta1": 0.0}), ("mmnist2", {"beta1": 0.9}))
    assert (claim.methods, claim.columns, claim.margin) == (("td", "uniform"), ("LU",), 0.5)


@pytest.mark.parametrize(("old", "new", "key", "text"), SETTINGS_FAULTS.values(), ids=SETTINGS_FAULTS)
def test_a_fault_of_a_claim_across_settings_is_told_on_its_line(
    read: Read, old: str, new: str, key: str, text: str
) -> None:
    assert SETTINGS.count(old) == 1
    lines = SETTINGS.replace(old, new).splitlines()
    _, faults = read("\n".join(lines))
    told = [fault for fault in faults if text in fault.text]
    assert len(told) == 1, faults
    assert lines[told[0].line - 1].startswith(f"{key} = ")
    assert told[0].line > lines.index("[[claim]]")


COUNTED = """\
title = "Counted"
figures = ["tasks"]
[[grid]]
datasets = ["mmnist2"]
methods = ["td"]
[[counted]]
datasets = ["mmnist9"]
methods = ["uniform"]
[labels]
uniform = "ours"
"""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "taks",
            "'figures' names 'taks', which is no exhibit that a suite can ask for. Did you mean 'tasks'? Allowed: ",
        ),
        ("summary", "'figures' names 'summary', which is no exhibit that a suite can ask for. Allowed: adding, "),
    ],
)
def test_figures_name_installed_exhibits_that_are_shown_on_request(read: Read, given: str, said: str) -> None:
    _, faults = read(COUNTED.replace('figures = ["tasks"]', f'figures = ["tasks",\n    "{given}"]'))
    assert [(fault.line, fault.text.startswith(said)) for fault in faults] == [(3, True)], faults


def test_what_is_counted_is_read_and_may_have_a_label(read: Read) -> None:
    suite, faults = read(COUNTED)
    assert faults == []
    assert suite is not None
    assert suite.counted == (Counted(datasets=("mmnist9",), methods=("uniform",)),)
    assert [spec.titles.method for spec in plan_suite(suite, seeds=[0])] == ["td"]


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ('figures = ["tasks"]\n', "", 5, 'Write figures = ["tasks"] at the top.'),
        ('["uniform"]', '["unifrom"]', 8, "Did you mean 'uniform'?"),
        ('["mmnist9"]', '["mmnits9"]', 7, "Did you mean 'mmnist9'?"),
        ('["uniform"]', '["branches+fixed:weights=1/2", "uniform"]', 8, "2 weights for 9"),
        ('methods = ["uniform"]', 'metods = ["uniform"]', 8, "Did you mean 'methods'?"),
        ("[labels]", '[[claim]]\ndataset = "mmnist2"\ncontrast = ["td", "uniform"]\n[labels]', 11, "There: td."),
    ],
)
def test_a_fault_of_what_is_counted_is_told_on_its_line(read: Read, old: str, new: str, line: int, text: str) -> None:
    assert COUNTED.count(old) == 1
    _, faults = read(COUNTED.replace(old, new))
    assert [(fault.line, text in fault.text) for fault in faults if text in fault.text] == [(line, True)], faults


def test_what_is_missing_of_a_claim_across_datasets_is_told_where_it_begins(read: Read) -> None:
    _, faults = read(ACROSS.replace('task = "9"\n', ""))
    assert [(fault.line, fault.text) for fault in faults] == [(11, "'claim.task' is missing. Write it.")]


def test_runs_on_datasets_with_unlike_backbones_are_not_to_be_paired(read: Read) -> None:
    grid = 'title = "T"\n[[grid]]\ndatasets = ["toy-all"]\nmethods = ["film"]\n'
    claim = '[[claim]]\ndatasets = ["toy-all", "toy-maps"]\ntask = "upper"\nmethod = "film"\n'
    _, faults = read(grid + claim)
    unlike = 'they have backbones lenet and toy-conv. Write test = "welch".'
    assert [(fault.line, fault.text.endswith(unlike)) for fault in faults] == [(6, False), (6, True)]
    _, faults = read(grid + claim + 'test = "welch"\n')
    assert ["datasets' has 'toy-maps'" in fault.text for fault in faults] == [True]


@pytest.mark.parametrize(("old", "new", "text"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_on_its_line_with_a_mend_and_nothing_else_is(read: Read, old: str, new: str, text: str) -> None:
    """The fault is on the line that differs: the last one of what was put in."""
    assert GOOD.count(old) == 1
    broken = GOOD.replace(old, new)
    shown = [number for number, line in enumerate(broken.splitlines(), 1) if line not in GOOD.splitlines()]
    if "[labels]" in new:
        shown = [shown[-1]]
    _, faults = read(broken)
    assert [text in fault.text for fault in faults] == [True], faults
    assert faults[0].line in shown
    assert faults[0].text.endswith((".", "}"))


def test_what_is_missing_is_told_where_its_table_begins(read: Read) -> None:
    suite, faults = read(GOOD.replace('datasets = ["mmnist2"]\n', ""))
    assert suite is None
    assert [(fault.line, fault.text) for fault in faults] == [(7, "'grid.datasets' is missing. Write it.")]


def test_several_faults_of_all_kinds_are_all_found_in_the_order_of_lines(read: Read) -> None:
    broken = """\
title = "T"
figurs = []
figures = ["scater"]
[protocol]
lr = "fast"
[[grid]]
datasets = ["mmnist2"]
methods = ["td",
    "unifrom"]
[[paper]]
dataset = "mmnist2"
columns = ["LU", "RR"]
[paper.rows]
td = [1.0]
uniform = ["a", 2.0]
[[paper]]
dataset = "mmnist2"
columns = ["LU"]
[paper.rows]
moo = [1.0, 2.0]
[[claim]]
dataset = "mmnist3"
contrast = ["td", "uniform"]
direction = "up"
[[claim]]
dataset = "mmnist2"
contrast = ["td", "chmod"]
"""
    suite, faults = read(broken)
    assert suite is None
    found = [(fault.line, fault.text.split(" ")[0]) for fault in faults]
    assert found == [
        (2, "a"),
        (3, "'figures'"),
        (5, "protocol"),
        (9, "method"),
        (15, "'paper.rows.uniform'"),
        (20, "'rows'"),
        (20, "'moo'"),
        (24, "'claim.direction'"),
        (27, "'contrast'"),
    ]


def test_what_the_grid_misspells_is_no_fault_of_those_that_spell_it_rightly(read: Read) -> None:
    _, faults = read(GOOD.replace('"uniform",', '"unifrom",'))
    assert [fault.line for fault in faults] == [11]  # and not the claim on uniform
    _, faults = read(GOOD.replace('datasets = ["mmnist2"]', 'datasets = ["mmnits2"]'))
    assert [fault.line for fault in faults] == [8]  # and not the tables of mmnist2


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('title = "T"\nfigures = [\n', 2, "the file is not TOML"),
        ('title = "T"\n\nfigures = "a\n', 3, "the file is not TOML"),
        ('title = "T"\ntitle = "U"\n', 2, "the file is not TOML"),
        ('title = "T"\n', 1, "it names no runs"),
        ('title = "T"\n[grid]\ndatasets = []\n', 2, "Write its heading as [[grid]]."),
        ('title = "T"\nprotocol = "paper"\n', 2, "Write its heading as [protocol]."),
    ],
)
def test_what_is_no_suite_is_told(read: Read, text: str, line: int, said: str) -> None:
    suite, faults = read(text)
    assert any(fault.line == line and said in fault.text for fault in faults), faults
    assert "the file is not TOML" not in said or suite is None


def test_a_suite_is_found_by_name_or_by_file(tmp_path: Path) -> None:
    assert find_suite("levi2020-table1").name == "levi2020-table1"
    (tmp_path / "mine.toml").write_text(GOOD)
    assert find_suite(str(tmp_path / "mine.toml")).name == "mine"
    with pytest.raises(UsageError, match=r"Did you mean 'levi2020-table1'\?"):
        find_suite("levi2020-tabel1")


def test_a_suite_with_faults_is_refused_with_the_first_and_a_way_to_see_the_others(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace('"td",', '"tdd",').replace('"uniform",', '"unifrom",'))
    with pytest.raises(UsageError, match=r"line 10: method 'tdd' .* 1 more: mtbench suite validate "):
        find_suite(str(path))


def test_a_file_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_suite(tmp_path / "mine.toml")
