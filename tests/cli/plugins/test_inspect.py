import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from mtbench import __version__, registry
from mtbench.cli.app import app
from mtbench.cli.plugins.inspect import KINDS
from mtbench.errors import UsageError
from mtbench.train.machine.numerics import onednn_instructions

RUNNER = CliRunner()


def shown(*arguments: str, width: int = 200) -> str:
    result = RUNNER.invoke(app, arguments, env={"COLUMNS": str(width), "TERM": "dumb"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("methods", {"td": "Top-down modulation network", "moo": "Multi-objective", "single": "One whole network"}),
        ("datasets", {"mmnist2": "Multi-MNIST", "mmnist9-ref": "Multi-MNIST", "toy-all": "Two classification tasks"}),
        ("balancers", {"mgda-ub": "MGDA-UB", "fixed": "Fixed weights"}),
        ("backbones", {"lenet": "LeNet of Sener & Koltun"}),
    ],
)
def test_a_list_has_a_line_for_each_with_its_summary_and_origin(kind: str, rows: dict[str, str]) -> None:
    lines = shown("list", kind).splitlines()
    for name, summary in rows.items():
        line = next(line for line in lines if line.split()[:1] == [name])
        assert summary in line
        assert line.rstrip().endswith(__version__ if name[:4] != "toy-" else "mtbench-toys 0.1")


@pytest.mark.parametrize(("name", "options"), [("resnet18", ["weights"]), ("mmnist2", ["pairs", "pairs_val"])])
def test_an_option_that_is_a_file_is_shown_as_one(name: str, options: list[str]) -> None:
    lines = shown("info", name).splitlines()
    for option in options:
        line = next(line for line in lines if line.split()[:1] == [option])
        assert line.split()[1:4] == ["none", "a", "file"]


@pytest.mark.parametrize("arguments", [["list"], ["list", "methods"]])
def test_a_list_fits_eighty_columns(arguments: list[str]) -> None:
    assert max(len(line) for line in shown(*arguments, width=80).splitlines()) <= 80


def test_a_list_of_nothing_in_particular_is_one_of_everything_under_a_heading_each() -> None:
    lines = [line.split() for line in shown("list").splitlines()]
    headings = [index for index, line in enumerate(lines) if len(line) == 1 and line[0] in KINDS]
    assert [lines[index][0] for index in headings] == [
        "methods",
        "balancers",
        "datasets",
        "backbones",
        "exhibits",
        "engines",
        "trackers",
    ]
    for start, end in zip(headings, [*headings[1:], len(lines)], strict=True):
        kind = lines[start][0].removesuffix("s")
        names = [line[0] for line in lines[start + 1 : end] if line]
        assert names == list(registry.entries(kind))


def test_a_list_in_a_file_is_at_most_a_hundred_columns_wide_and_keeps_every_word(tmp_path: Path) -> None:
    summary = "A balancer " + "of many words " * 30 + "at last."
    offer(tmp_path, "wordy", "balancers", f'class Plugin:\n    """{summary}"""')
    text = mtbench("list", "balancers", path=tmp_path, columns=None).stdout
    assert max(map(len, text.splitlines())) <= 100
    start = text.index("wordy")
    assert text[start : text.index("at last.")].split().count("many") == 30


NEEDY = """
import no_such_solver

class Plugin:
    "Weights [in brackets] from a solver."
    extra = "others[solver]"
    extra_modules = ("no_such_solver",)
"""


def test_a_list_says_what_must_be_installed_besides(tmp_path: Path) -> None:
    offer(tmp_path, "needy", "balancers", NEEDY)
    for arguments in (["list"], ["list", "balancers"]):
        text = mtbench(*arguments, path=tmp_path).stdout
        (line,) = [line for line in text.splitlines() if "needy" in line.split()[:1]]
        assert "Weights [in brackets] from a solver. not installed: pip install 'others[solver]'" in line
        assert text.count("not installed") == 1, "all that comes with mtbench has its extras in these tests"


def test_on_a_narrow_screen_the_command_that_installs_is_not_broken_up(tmp_path: Path) -> None:
    offer(tmp_path, "needy", "balancers", NEEDY)
    text = mtbench("list", "balancers", path=tmp_path, columns=80, FORCE_COLOR="1", TERM="xterm").stdout
    assert any("not installed: pip install 'others[solver]'" in line for line in text.splitlines())


def test_what_lacks_an_extra_is_not_broken(tmp_path: Path) -> None:
    offer(tmp_path, "needy", "balancers", NEEDY)
    done = mtbench("doctor", path=tmp_path)
    row = next(line for line in done.stdout.splitlines() if "needy" in line)
    assert row.rstrip().endswith("needs pip install 'others[solver]'")
    assert (done.returncode, "every plug-in works" in done.stdout) == (0, True), done.stdout


def test_info_counts_the_parameters_of_table_5a() -> None:
    rows = [line.split() for line in shown("info", "td", "--dataset", "mmnist4").splitlines()]
    assert ["backbone", "21,250", "21,330"] in rows
    assert ["branch", "3,000", "3,060"] in rows
    assert ["top_down", "6,651", "6,743"] in rows
    assert ["embedding", "1,280", "1,600", "320", "weights"] in rows
    assert ["whole", "32,181", "32,733"] in rows


def test_info_counts_with_the_options_asked_for() -> None:
    assert "163" not in shown("info", "td", "--dataset", "mmnist2")
    rows = [line.split() for line in shown("info", "td:channels=1", "--dataset", "mmnist2").splitlines()]
    assert ["top_down", "131", "167"] in rows
    assert ["embedding", "32", "48", "16", "weights"] in rows


def test_info_shows_the_paper_the_options_and_the_presets() -> None:
    text = shown("info", "td")
    assert "Levi & Ullman" in text
    assert "preset=levi2021: upsample=nearest, bu2=mul, and last_relu=false of a backbone that has it" in text
    assert ["gate", "sigmoid", "sigmoid", "tanh", "sigma"] in [line.split()[:5] for line in text.splitlines()]


def test_info_of_a_dataset_shows_tasks_and_protocols() -> None:
    text = shown("info", "mmnist3")
    assert "Tasks: LU, RL, LL" in text
    assert ["epochs", "100", "4"] in [line.split()[:3] for line in text.splitlines()]


def test_info_of_a_dataset_shows_what_published_code_reports_of_it() -> None:
    text = " ".join(shown("info", "toy-surfaces").split())
    assert "Conventions of published code, for mtbench report --convention NAME:" in text
    assert "convention last-ten own-start best-test" in text
    assert "Conventions of published code" not in shown("info", "toy-all")


def test_info_of_a_dataset_with_a_thousand_tasks_names_a_few() -> None:
    text = " ".join(shown("info", "clevr-questions").split())
    assert "Tasks: cyan-material, cyan-shape, " in text
    assert ", and 1,585 more Backbone: vgg11 " in text


def test_info_of_a_name_that_is_two_things_shows_both() -> None:
    text = shown("info", "uniform")
    assert "uniform, a method of mtbench" in text
    assert "uniform, a balancer of mtbench" in text
    assert "Stands for branches+uniform" in text


def test_info_of_an_alias_or_a_composition_shows_the_options_of_its_parts() -> None:
    for name in ("moo", "branches+mgda-ub"):
        rows = [line.split()[:3] for line in shown("info", name).splitlines()]
        assert ["normalize", "none", "none"] in rows
    assert "mgda, a balancer of mtbench" in shown("info", "td+mgda@lenet:width=2")
    assert "lenet, a backbone of mtbench" in shown("info", "td+mgda@lenet:width=2")


def test_info_refuses_what_it_cannot_show() -> None:
    with pytest.raises(UsageError, match="method 'td' has no option 'bogus'"):
        shown("info", "td:bogus=1")
    for option in (["--dataset", "mmnist2"], ["--backbone", "vgg11"], ["--input", "3x224x224"]):
        with pytest.raises(UsageError, match=r"'lenet' is a backbone, and --dataset, --backbone and --input count"):
            shown("info", "lenet", *option)
    with pytest.raises(UsageError, match=r"backbone 'foo' is not installed"):
        shown("info", "td", "--backbone", "foo")
    with pytest.raises(UsageError, match=r"--input is '224'\. Allowed: channels x height x width"):
        shown("info", "td@lenet", "--input", "224")
    with pytest.raises(UsageError, match=r"--input needs a backbone\. Name one, as in --backbone lenet\."):
        shown("info", "td", "--input", "1x28x28")
    with pytest.raises(UsageError, match=r"--dataset and --input were both given\."):
        shown("info", "td@lenet", "--input", "1x28x28", "--dataset", "mmnist2")
    with pytest.raises(UsageError, match=r"'branches' cannot be built on backbone 'lenet' for images 1x9x28: "):
        shown("info", "branches@lenet", "--input", "1x9x28")


def test_info_counts_for_images_of_any_shape_and_gives_table_5b() -> None:
    shape = ("--backbone", "vgg11", "--input", "3x224x224", "--tasks", "4", "--classes", "2")
    rows = [line.split() for line in shown("info", "td", *shape).splitlines()]
    weights = {row[0]: row[1] for row in rows if len(row) > 2 and row[1].replace(",", "").isdecimal()}
    assert weights["backbone"] == "7,448,256"
    assert weights["branch"] == "7,473,152"
    assert weights["top_down"] == "8,306,688"
    assert ["embedding", "6,272", "7,840", "1,568", "weights"] in rows


def test_info_of_a_dataset_tells_of_the_options_that_all_datasets_take() -> None:
    names = {line.split()[0] for line in shown("info", "mmnist2").splitlines() if line.strip()}
    assert names >= {"offset", "tasks", "scale", "noise", "labels", "gradient_scale", "clip"}


def test_info_of_an_unknown_name_suggests_one() -> None:
    with pytest.raises(UsageError) as error:
        shown("info", "chmode")
    assert str(error.value).startswith("nothing called 'chmode' is installed. Did you mean 'chmod'?")


def test_the_doctor_loads_everything() -> None:
    text = shown("doctor")
    assert "every plug-in works" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["dataset", "toy-maps", "mtbench-toys", "0.1", "ok"] in lines
    used = f"torch {torch.backends.cpu.get_cpu_capability()}, oneDNN {onednn_instructions()}"
    assert ["instruction", "sets", *used.split()] in lines


def test_the_doctor_names_a_role_that_there_is_not(tmp_path: Path) -> None:
    offer(tmp_path, "lonely", "methods", "class Plugin:\n    role = 'single task baseline'\n")
    done = mtbench("doctor", path=tmp_path)
    assert done.returncode == 1
    assert "declares the role 'single task baseline'. Did you mean 'single-task baseline'?" in done.stdout


def test_the_doctor_names_what_is_broken_and_why(tmp_path: Path) -> None:
    offer(tmp_path, "clevr-x", "datasets", "import h5py_is_not_here\n")
    done = mtbench("doctor", path=tmp_path)
    assert done.returncode == 1
    row = next(line for line in done.stdout.splitlines() if "clevr-x" in line)
    assert "broken: ModuleNotFoundError: No module named 'h5py_is_not_here'" in row
    assert mtbench("list", "datasets", path=tmp_path).returncode == 0


def offer(site: Path, name: str, group: str, source: str) -> None:
    """A distribution as pip leaves it, whose one module offers a class Plugin under that name."""
    info = site / "others-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(f"[mtbench.{group}]\n{name} = others:Plugin\n")
    (site / "others.py").write_text(source)


def mtbench(*arguments: str, path: Path, columns: int | None = 200, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(path), "HOME": str(path), **more}
    if columns is not None:
        environment["COLUMNS"] = str(columns)
    return subprocess.run(
        [sys.executable, "-m", "mtbench", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["list", "methods"], ["new", "--help"], ["run", "--help"], ["data", "--help"]]
)
def test_help_and_lists_import_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from mtbench.cli.app import main; sys.argv = ['mtbench', *sys.argv[1:]]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'pandas', 'scipy', 'matplotlib', 'torchjd', 'jinja2', 'mtbench.backbones',\n"
        "         'mtbench_methods', 'mtbench_datasets'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_what_a_person_got_wrong_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = mtbench("info", "nothing-like-it", path=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: nothing called 'nothing-like-it' is installed.")
    assert "Traceback" not in done.stderr


def test_an_exhibit_is_shown_with_the_reports_that_have_it() -> None:
    assert "Shown in: every report" in shown("info", "summary")
    asked = shown("info", "matched")
    assert "Results of methods over their weights and multiply-accumulates." in asked
    assert 'Shown in: suites with figures = ["matched"]' in asked


@pytest.mark.parametrize(
    ("kind", "noun"), [("exhibit", "an exhibit"), ("engine", "an engine"), ("tracker", "a tracker")]
)
def test_info_describes_plugins_of_every_kind(kind: str, noun: str) -> None:
    assert registry.entries(kind)
    for name in registry.entries(kind):
        assert f"{name}, {noun} of " in shown("info", name)
