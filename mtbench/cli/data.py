"""``mtbench data``: fetch, check, find and look at datasets."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.shared import DataRoot, data_root
from mtbench.errors import PluginError, UsageError, did_you_mean

if TYPE_CHECKING:
    from mtbench.contract import Dataset

__all__ = ["app", "link", "prepare", "show", "verify", "where"]

app = typer.Typer(help="Fetch, check, find and look at datasets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A dataset, perhaps with options, e.g. mmnist4:offset=8.")]
Names = Annotated[list[str], typer.Argument(help="Datasets, perhaps with options.", metavar="NAME")]


@app.command()
def prepare(names: Names, data_root_: DataRoot = None) -> None:
    """Fetch or make the files of datasets, mend what is damaged, and print how frequent classes and places are."""
    from mtbench.cli.balance import class_balance, point_balance, triplet_balance
    from mtbench.contract.targets import check_targets

    for name, dataset in _open(names, data_root_):
        dataset.prepare(typer.echo)
        for split in ("train", "test"):
            check_targets(dataset.tasks, dataset.labels(split, validation=False), split)
        typer.echo(f"{name} is ready in {dataset.root}")
        for line in (*class_balance(dataset), *point_balance(dataset), *triplet_balance(dataset)):
            typer.echo(f"  {line}")


@app.command()
def verify(names: Names, data_root_: DataRoot = None) -> None:
    """Check every file of datasets against its sum."""
    for name, dataset in _open(names, data_root_):
        for path, checksum in dataset.verify():
            typer.echo(f"{path}  {checksum}")
        typer.echo(f"{name} is all well")


@app.command()
def where(
    name: Annotated[str | None, typer.Argument(help="A dataset, to tell whether it is there.")] = None,
    data_root_: DataRoot = None,
) -> None:
    """Tell where data files live, and whether a dataset is there."""
    typer.echo(data_root(data_root_))
    if name is not None:
        from mtbench.contract.links import linked_folder

        for _, dataset in _open([name], data_root_):
            there = dataset.fingerprint()
            typer.echo(f"{name} is there" if there else f"{name} is not there yet: `mtbench data prepare {name}`")
            if dataset.source and (folder := linked_folder(dataset.root, dataset.source)):
                typer.echo(f"{dataset.source} is linked to {folder}")


@app.command()
def link(
    name: Annotated[
        str, typer.Argument(help="The name of the original files, e.g. clevr, or of a dataset that is made of them.")
    ],
    folder: Annotated[
        Path | None, typer.Argument(help="The folder that they lie in; without it the link is printed.")
    ] = None,
    data_root_: DataRoot = None,
) -> None:
    """Tell where the original files of datasets lie, or print it."""
    from mtbench.contract.links import linked_folder, set_link

    root = data_root(data_root_)
    name, datasets = _source_of(name)
    if folder is not None:
        folder = folder.expanduser().absolute()
        if not os.path.isdir(folder):  # Path.is_dir raises where the folder above must not be looked into
            raise UsageError(f"{folder} is no folder.", mend=f"Give the folder that the files of {name} lie in.")
        for dataset in datasets:
            dataset.check_folder(folder)
        set_link(root, name, folder)
    linked = linked_folder(root, name)
    typer.echo(
        f"{name} is linked to {linked}" if linked else f"{name} is not linked; it is looked for in {root / name}"
    )


@app.command()
def show(
    name: Name,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The file to write; by default NAME.png. Labels are printed by default.", metavar="FILE"
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", help="How many images; by default 24, or 6 with maps.", min=1, max=400)
    ] = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels",
            help="The labels alone, as CSV, which needs no images, and of maps has numbers; how frequent classes are "
            "goes to stderr.",
        ),
    ] = False,
    data_root_: DataRoot = None,
) -> None:
    """Write a page of test images with their labels or maps, or print the labels alone."""
    [(_, dataset)] = _open([name], data_root_)
    if labels:
        from mtbench.cli.balance import class_balance, triplet_balance
        from mtbench.report.drawing.label_table import label_table
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
    from mtbench.report.drawing.samples import sample_page

    path = out or Path(f"{name.replace(':', ',').replace('/', '_')}.png")
    sample_page(dataset, path, count=count)
    typer.echo(path)


def _open(names: list[str], root: Path | None) -> list[tuple[str, "Dataset"]]:
    """The datasets of these names; a misspelt one is found before anything is done to the others."""
    from mtbench.plan.parse import parse_dataset

    return [(name, parse_dataset(name).open(data_root(root))) for name in names]


def _source_of(name: str) -> tuple[str, list[type["Dataset"]]]:
    """The name of the files that is given, or of which a dataset of that name is made, and the installed datasets that
    are made of them.

    Raises:
        UsageError: there are none.
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
            f"no dataset is made of files called '{name}'.",
            mend=did_you_mean(name, sources),
            allowed=f"Names: {', '.join(sorted(sources)) or 'none'}.",
        )
    return source, sources[source]
