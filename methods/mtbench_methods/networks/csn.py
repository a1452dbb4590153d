"""Conditional similarity network: each task uses a part of one embedding, by a mask."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Batch, Inputs, Losses, Retrieval, Setup, Task, option
from mtbench.errors import UsageError

from .embedding import with_kinds

__all__ = ["ConditionalSimilarity"]

MASKS = ("fixed", "learned", "prepared")


@dataclass(frozen=True, kw_only=True)
class ConditionalSimilarityOptions:
    masks: str = option(
        "fixed",
        "fixed (disjoint sections of 1, not trained), learned (from N(.9, .7)), or prepared (learned, from 1 in the "
        "task's section and .1 elsewhere)",
        choices=MASKS,
    )
    embedding_norm: float = option(5e-3, "weight of the norm of the unmasked embeddings", low=0)
    mask_norm: float = option(5e-4, "weight of the norm of the masks, where they are learned", low=0)


class ConditionalSimilarity(AllTasksNetwork):
    """Conditional similarity network (Veit et al. 2017): a mask for each task selects dimensions of one embedding.

    With f the embedding of an image, D its size, T tasks, and d the Euclidean distance, not squared::

        y_t = f * m_t              fixed masks
        y_t = f * relu(m_t)        learned masks

        loss = mean max(0, d(y_t a, y_t p) - d(y_t a, y_t n) + margin)
               + embedding_norm |F| / sqrt(B) + mask_norm |M|_1 / B

    F (B, D) are the embeddings of B triplets' images; their Frobenius norms are averaged over anchors, positives and
    negatives. M (B, D) has the mask of each triplet's task. Section t consists of dimensions t S ... t S + S - 1 with S
    = floor(D / T). Embeddings are not scaled to norm 1, in tests neither.

    Chosen here: the norm of fixed masks, a constant, is left out.

    Compared with: the formulas written out again, rel=1e-5
    (networks/test_embeddings.py::test_the_losses_of_a_conditional_similarity_network_are_those_of_its_formulas).
    """

    Options = ConditionalSimilarityOptions
    kinds = (Retrieval,)
    per_task = frozenset({"masks"})
    paper = "Veit et al., Conditional Similarity Networks, CVPR 2017"
    title = "CSN"
    bibtex = """@inproceedings{veit2017conditional,
      title = {Conditional Similarity Networks},
      author = {Veit, Andreas and Belongie, Serge and Karaletsos, Theofanis},
      booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
      year = {2017},
    }"""

    def __init__(self, options: ConditionalSimilarityOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.tasks = with_kinds(setup.tasks, normalized=False, squared=False)
        self.backbone = setup.build_backbone()
        size = self.tasks[0].kind.output_size
        self.branch = setup.head(self.backbone, size, "branch")
        masks = sections(len(self.tasks), size)
        if options.masks == "learned":
            with setup.initialized("masks"):
                masks = 0.9 + 0.7 * torch.randn(masks.shape)
        elif options.masks == "prepared":
            masks = masks.where(masks > 0, 0.1)
        if options.masks == "fixed":
            self.register_buffer("masks", masks)
        else:
            self.masks = nn.Parameter(masks)

    @classmethod
    def check(cls, options: ConditionalSimilarityOptions, tasks: Sequence[Task]) -> None:
        sizes = {task.kind.output_size for task in tasks}
        if len(sizes) > 1 or min(sizes) < len(tasks):
            raise UsageError(
                f"method 'csn' parts one embedding among {len(tasks)} tasks, and theirs have sizes "
                f"{', '.join(map(str, sorted(sizes)))}.",
                allowed="All tasks have embeddings of one size, of at least a dimension for each.",
            )
        if options.masks == "fixed" and options.mask_norm != ConditionalSimilarityOptions().mask_norm:
            raise UsageError("option 'mask_norm' of method 'csn' does nothing with masks=fixed.")

    def forward(self, inputs: Inputs) -> list[Tensor]:
        return self.masked(self.embed(inputs))

    def task_output(self, inputs: Inputs, index: int) -> Tensor:
        return self.embed(inputs) * self.used_masks()[index]

    def embed(self, inputs: Inputs) -> Tensor:
        """Return the unmasked embeddings (B, D)."""
        return cast(Tensor, self.branch(self.backbone(inputs)))

    def used_masks(self) -> Tensor:
        """Return the masks (T, D) as embeddings are multiplied with them."""
        masks = cast(Tensor, self.masks)
        return masks if self.options.masks == "fixed" else masks.relu()

    def masked(self, embeddings: Tensor) -> list[Tensor]:
        """Return for each task the embeddings (B, D) times its mask."""
        return [embeddings * mask for mask in self.used_masks()]

    def losses(self, batch: Batch) -> Losses:
        """Return the losses of the triplets, with the norms as the penalty."""
        embeddings = self.embed(batch.inputs)
        losses = self.mean_losses(self.masked(embeddings), batch)
        count = len(batch.rows)
        images = embeddings.view(count, -1, embeddings.shape[1])  # (B, 3, D)
        penalty = self.options.embedding_norm * torch.linalg.vector_norm(images, dim=(0, 2)).mean() / count**0.5
        if self.options.masks != "fixed":
            penalty = penalty + self.options.mask_norm * (losses.counts * self.used_masks().sum(1)).sum() / count
        return dataclasses.replace(losses, penalty=penalty)


def sections(tasks: int, size: int) -> Tensor:
    """Return masks (T, D) that are 1 in the section of each task, of floor(D / T) dimensions, and 0 elsewhere."""
    owner = torch.arange(size) // (size // tasks)
    return (owner == torch.arange(tasks)[:, None]).float()
