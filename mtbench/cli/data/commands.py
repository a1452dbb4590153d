"""``mtbench data``: datasets fetched, checked, linked and shown."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.command import App
from mtbench.cli.base.shared import DataRoot, console, data_root, whole_number
from mtbench.errors import PluginError, UsageError, did_you_mean

if TYPE_CHECKING:
    from mtbench.contract import Dataset

__all__ = ["app", "link", "prepare", "show", "verify", "where"]

app = App(help="Fetch, check, link and show datasets.", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(
        help="A dataset, with options if wanted, e.g. mmnist4:offset=8.",
        metavar="NAME",
        autocompletion=completion.datasets,
    ),
]
Names = Annotated[
    list[str],
    typer.Argument(
        help="Datasets, with options if wanted, e.g. mmnist3 mmnist4:offset=8.",
        metavar="NAME...",
        autocompletion=completion.datasets,
    ),
]


@app.command()
def prepare(names: Names, data_root_: DataRoot = None) -> None:
    """Fetch or make the files of datasets, replace damaged ones, and print the frequencies of classes and places."""
    from mtbench.cli.data.balance import class_balance, point_balance, triplet_balance
    from mtbench.contract.data.targets import check_targets
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.screen.say import say
    from mtbench.store.preparation import preparing

    outlive_output()
    out = console()
    for name, dataset in _open(names, data_root_):
        with preparing(dataset.root):
            dataset.prepare(lambda line: say(out, line, markup=False))
        for split in ("train", "test"):
            check_targets(dataset.tasks, dataset.labels(split, validation=False), split)
        typer.echo(f"{name} is ready in {dataset.root}")
        for line in (*class_balance(dataset), *point_balance(dataset), *triplet_balance(dataset)):
            say(out, f"  {line}", markup=False)


@app.command()
def verify(names: Names, data_root_: DataRoot = None) -> None:
    """Check every file of datasets against its checksum.

    The checksum of a file that mtbench makes is the known one of its recipe. For other options than the usual ones no
    checksum is known, and the file is compared with the one that was written beside it.
    """
    from mtbench.cli.data.known import check_known, known_sums

    for name, dataset in _open(names, data_root_):
        known = known_sums(name.partition(":")[0])
        for path, checksum in dataset.verify():
            remark = check_known(path, checksum, dataset.root, known, name)
            typer.echo(f"{path}  {checksum}" + (f"  ({remark})" if remark else ""))
        typer.echo(f"{name}: every file is as it should be")


@app.command()
def where(
    name: Annotated[
        str | None,
        typer.Argument(help="A dataset, to print its state too.", metavar="NAME", autocompletion=completion.datasets),
    ] = None,
    data_root_: DataRoot = None,
) -> None:
    """Print the folder of the data files, and whether a dataset is ready."""
    typer.echo(data_root(data_root_))
    if name is not None:
        from mtbench.contract.data.links import linked_folder

        for _, dataset in _open([name], data_root_):
            there = dataset.fingerprint()
            typer.echo(f"{name} is ready" if there else f"{name} is not ready yet: mtbench data prepare {name}")
            if dataset.source and (folder := linked_folder(dataset.root, dataset.source)):
                typer.echo(f"{dataset.source} is linked to {folder}")


@app.command()
def link(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of the original files, e.g. clevr, or of a dataset that is made from them.", metavar="NAME"
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of the original files; without it the present link is printed.", metavar="DIR"),
    ] = None,
    data_root_: DataRoot = None,
) -> None:
    """Link a name to the folder of original files, which some datasets are made from; or print the link."""
    from mtbench.contract.data.links import linked_folder, set_link

    root = data_root(data_root_)
    name, datasets = _source_of(name)
    if folder is not None:
        folder = folder.expanduser().absolute()
        if not os.path.isdir(folder):  # Path.is_dir raises if the folder above cannot be read
            raise UsageError(f"{folder} is not a folder.", mend=f"Give the folder of the files of {name}.")
        for dataset in datasets:
            dataset.check_folder(folder)
        set_link(root, name, folder)
    linked = linked_folder(root, name)
    typer.echo(
        f"{name} is linked to {linked}" if linked else f"{name} is not linked; its files are expected in {root / name}"
    )


@app.command()
def show(
    name: Name,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="File to write; by default NAME.png, and with --labels standard output.",
            metavar="FILE",
        ),
    ] = None,
    count: Annotated[
        int | None, whole_number("--count", "Number of images; by default 24, or 6 with maps.", limit="page")
    ] = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels",
            help="Print the labels alone, as CSV; of maps a summary. Needs no images. Frequencies of classes go to "
            "standard error.",
        ),
    ] = False,
    data_root_: DataRoot = None,
) -> None:
    """Write a page of test images with their labels or maps, or print the labels alone."""
    [(_, dataset)] = _open([name], data_root_)
    if labels:
        from mtbench.cli.data.balance import class_balance, triplet_balance
        from mtbench.cli.data.samples.label_table import label_table
        from mtbench.report.figure.examples import writing

        table = label_table(dataset, count)
        if out is None:
            typer.echo(table, nl=False)
        else:
            with writing(out):
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(table, encoding="utf-8")
            typer.echo(out)
        for line in (*class_balance(dataset), *triplet_balance(dataset)):
            typer.echo(line, err=True)
        return
    from mtbench.cli.data.samples.page import sample_page

    path = out or Path(f"{name.replace(':', ',').replace('/', '_')}.png")
    sample_page(dataset, path, count=count)
    typer.echo(path)


def _open(names: list[str], root: Path | None) -> list[tuple[str, "Dataset"]]:
    """Return the datasets of these names; a misspelt one is refused before any of the others is touched."""
    from mtbench.plan.parse import parse_dataset

    return [(name, parse_dataset(name).open(data_root(root))) for name in names]


def _source_of(name: str) -> tuple[str, list[type["Dataset"]]]:
    """Return the name of some original files, and the installed datasets that are made from them.

    Args:
        name: the name of the files, or of a dataset that is made from them.

    Raises:
        UsageError: no dataset is made from such files.
    """
    from mtbench import registry

    sources: dict[str, list[type[Dataset]]] = {}
    names = {}
    for each in registry.entries("dataset"):
        with suppress(PluginError):  # of a dataset that cannot be loaded nothing is known
            dataset = registry.load("dataset", each)
            names[each] = source = getattr(dataset, "source", "")
            sources.setdefault(source, []).append(dataset)
    sources.pop("", None)
    source = names.get(name) or name
    if source not in sources:
        raise UsageError(
            f"no dataset is made from files called '{name}'.",
            mend=did_you_mean(name, sources),
            allowed=f"Names: {', '.join(sorted(sources)) or 'none'}.",
        )
    return source, sources[source]
