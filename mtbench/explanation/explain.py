"""Pages of figures on a finished run: attention maps of answers, the nearest images of queries, or predicted maps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from mtbench.errors import UsageError
from mtbench.explanation.answers import Answers, answers
from mtbench.explanation.dense.material import dense_material
from mtbench.explanation.examples import RULE_OF_IMAGES, Case, cases
from mtbench.explanation.figures import Album
from mtbench.explanation.maps import maps_of
from mtbench.explanation.material import Material
from mtbench.explanation.page import (
    Shown,
    frame_of,
    images_title,
    page_of,
    render_page_latex,
    render_page_markdown,
    short_stem_of,
    stem_of,
    title_of,
)
from mtbench.explanation.retrieval.material import retrieval_material
from mtbench.explanation.trained import CLASSES, EMBEDDINGS, MAPS, TrainedRun, find_run, open_run
from mtbench.report.figure.sheet import Sheet, draw
from mtbench.report.figure.style import save
from mtbench.report.page.layout import Page
from mtbench.report.place import DEFAULT_REPORTS
from mtbench.report.text import slug
from mtbench.store.files.atomic import make_folder, write_bytes
from mtbench.train.machine.device import choose_device, deterministic

__all__ = ["Explanation", "explain_run"]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Result of `explain_run`: a page and the files that were written.

    Attributes:
        page: the table.
        files: the files in the order in which they were written; the page comes last.
    """

    page: Page
    files: tuple[Path, ...]


def explain_run(
    given: Path, *, root: Path, images: int = 6, out: Path | None = None, device: str = "auto"
) -> Explanation:
    """Write pages of figures about a finished run; the same run makes the same bytes on one machine.

    For each task a figure shows good and bad cases: images, the attention map over each, the true point and the map's
    peak if true points are known, prediction and truth. Two more figures show whole images with their tasks. They are
    chosen by score, see `mtbench.explanation.examples`. For retrieval, figures show queries with their nearest images,
    and triplets, see `mtbench.explanation.retrieval.cases`. For maps they show truth, prediction and error, see
    `mtbench.explanation.dense.cases`.

    Args:
        given: the folder of the run, a file in it, or a folder above it that has no other run below.
        root: the folder of the data files.
        images: images per case; for maps all those of a task.
        out: the folder to write to; by default one of the run's own below `DEFAULT_REPORTS`.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UsageError: there is no such run, it is not finished, or there are no pages for its kind of tasks or network.
        StoreError: its weights are missing or damaged, or a file cannot be written.
        DataError: a data file is missing or damaged.
    """
    if images < 1:
        raise UsageError(f"--images is {images}.", allowed="Allowed: at least 1.")
    chosen = choose_device(device)
    folder = find_run(given)
    deterministic(chosen, "float32")
    run = open_run(folder, root, chosen)
    material = MATERIAL[run.kinds](run, images)
    directory = out or DEFAULT_REPORTS / slug(run.record.spec.titles.dataset) / f"explain-{short_stem_of(run)}"
    make_folder(directory)
    files, shown = [], []
    for figure, sheet in material.sheets:
        shown.append(figure)
        for kind, data in save(draw(sheet)).items():
            files.append(directory / f"{figure.name}.{kind}")
            write_bytes(files[-1], data)
    texts = {
        "csv": str(material.table.to_csv(index=False, lineterminator="\n")),
        "tex": render_page_latex(material.page, shown),
        "md": render_page_markdown(material.page, shown),
    }
    for kind, text in texts.items():
        files.append(directory / f"{stem_of(run)}-explain.{kind}")
        write_bytes(files[-1], text.encode())
    return Explanation(page=material.page, files=tuple(files))


def _material(run: TrainedRun, images: int) -> Material:
    """Return the material of a page on a network that answers with classes."""
    first = run.test.batch(torch.zeros(1, dtype=torch.long, device=run.test.defined.device)).inputs
    assert isinstance(first, torch.Tensor)
    maps = maps_of(run.network, run.backbone, first)
    found = answers(run.network, run.test, run.indices, maps)
    of_tasks = [cases(each) for each in found]
    page = page_of(run, found, of_tasks, maps)
    album = Album(tasks=run.tasks, split=run.test, maps=maps, title=title_of(run), count=images, quick=page.quick)
    table = frame_of(run.tasks, found, of_tasks, images)
    return Material(page=page, table=table, sheets=_sheets(album, found, of_tasks, stem_of(run)))


def _sheets(
    album: Album, found: Sequence[Answers], of_tasks: Sequence[Sequence[Case]], stem: str
) -> Iterator[tuple[Shown, Sheet]]:
    """Yield the sheets of whole images, if there is more than one task, then one of each task."""
    for right in (True, False) if len(found) > 1 else ():
        sheet = album.of_images(found, right=right)
        if sheet.lines:
            name = f"{stem}-images-{'right' if right else 'wrong'}"
            yield Shown(name=name, title=images_title(right), caption=RULE_OF_IMAGES), sheet
    for each, of_task in zip(found, of_tasks, strict=True):
        sheet = album.of_task(each, of_task)
        if sheet.lines:
            name = album.tasks[each.index].name
            yield Shown(name=f"{stem}-task-{each.index + 1}-{slug(name)}", title=f"Task {name}"), sheet


MATERIAL = {CLASSES: _material, EMBEDDINGS: retrieval_material, MAPS: dense_material}
"""The functions that make pages, by the kinds of tasks that are explained."""
