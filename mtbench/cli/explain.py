"""``mtbench explain``: pages of figures on a trained network: attention maps, the images it finds near, or its maps."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.shared import DataRoot, Device, data_root

__all__ = ["explain"]


def explain(
    run: Annotated[
        Path,
        typer.Argument(
            help="The folder of a finished run with its weights (model.safetensors), e.g. "
            "results/local/mmnist3/td/seed-0-1a2b3c4d5e6f.",
            metavar="RUN",
        ),
    ],
    images: Annotated[
        int,
        typer.Option(
            "--images", help="Images per case, such as right answers; of maps, images per task.", min=1, max=60
        ),
    ] = 6,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder for the pages; by default one of the run's own in reports/local/DATASET.",
            metavar="FOLDER",
        ),
    ] = None,
    root: DataRoot = None,
    device: Device = "auto",
) -> None:
    """Show where a trained network looks: attention maps over test images, good and bad cases chosen by score.
    Networks without maps of their own get gradient-based ones, which take the extra 'explain'.
    Networks of embeddings: the nearest test images of queries, right and wrong marked, and triplets.
    Networks of maps (segmentation, depth, normals): truth, prediction and error of the best, median and worst images.
    """
    from rich.console import Console

    from mtbench.explanation.explain import explain_run
    from mtbench.report.page.terminal import print_page

    console = Console()
    found = explain_run(run, root=data_root(root), images=images, out=out, device=device)
    print_page(found.page, console)
    console.print()
    console.print(f"Written to {found.files[0].parent}:", soft_wrap=True, highlight=False, markup=False)
    figures = [file for file in found.files if file.suffix in (".pdf", ".png")]
    for file in found.files:
        if file not in figures:
            console.print(f"  {file.name}", soft_wrap=True, highlight=False, markup=False)
    console.print(f"  {len(figures) // 2} figures, each as .pdf and .png", highlight=False)
