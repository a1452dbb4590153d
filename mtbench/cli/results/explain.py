"""``mtbench explain``: pages of figures on a trained network: attention maps, nearest images, or predicted maps."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.base.shared import WHERE, DataRoot, Device, whole_number
from mtbench.cli.base.shared import console as open_console

__all__ = ["explain"]


def explain(
    run: Annotated[
        Path,
        typer.Argument(
            help="Folder of a finished run that has its weights (model.safetensors), e.g. "
            "results/local/mmnist3/td/seed-0-1a2b3c4d5e6f.",
            metavar="RUN",
        ),
    ],
    images: Annotated[
        int,
        whole_number("--images", "Images per case, such as right answers; of maps, images per task.", limit="shown"),
    ] = 6,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the pages; by default one in reports/local/DATASET that is named after the run.",
            metavar="DIR",
            rich_help_panel=WHERE,
        ),
    ] = None,
    root: DataRoot = None,
    device: Device = "auto",
) -> None:
    """Draw attention maps, nearest images or predicted maps of a trained network.

    Classification: attention maps over test images, the best and worst cases chosen by score. A network without
    attention maps gets gradient-based ones, which need the extra 'explain'.

    Embeddings: the nearest test images of queries, right and wrong ones marked, and triplets.

    Segmentation, depth, normals: truth, prediction and error of the best, median and worst images.
    """
    from mtbench.door.explain import explain as write
    from mtbench.engines.screen.say import say
    from mtbench.report.page.terminal import print_page

    console = open_console()
    found = write(run, images=images, out=out, data_root=root, device=device)
    print_page(found.page, console)
    console.print()
    say(console, f"Written to {found.files[0].parent}:", markup=False)
    figures = [file for file in found.files if file.suffix in (".pdf", ".png")]
    for file in found.files:
        if file not in figures:
            say(console, f"  {file.name}", markup=False)
    say(console, f"  {len(figures) // 2} figures, each as .pdf and .png")
