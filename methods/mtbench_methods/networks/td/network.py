"""The top-down modulation network: a first pass over the image, a top-down stream for the task, and a second pass."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import Batch, Inputs, Losses, OneTaskNetwork, Setup, Task
from mtbench.contract import stream as random_stream
from mtbench.errors import UsageError

from ..localization import localization_losses, require_points
from .affine import Parts, parts
from .one_channel import MANY, convert_one_channel
from .stream import NOTHING, Glance, TopDownOptions, stream

__all__ = ["TopDown", "TopDownOptions"]


class TopDown(OneTaskNetwork):
    """Top-down modulation network (Levi & Ullman 2020): a task-driven stream modulates a second pass, place by place.

    BU1 and BU2 are one backbone used twice. With a_l the map of stage l before its last nonlinearity, p_l its output, L
    1 x 1 laterals, u upsampling to the size of the map below, on LeNet and on backbones whose stages are one
    convolution::

        BU1   a1 (10, 24, 24), a2 (20, 8, 8), p2 (20, 4, 4)          once per image, for any task
        TD    d3 = embedding(t)     (+) L(p2)                        (20, 4, 4)
              d2 = u(d3)            (+) L(a2)                        (20, 8, 8)
              d1 = u(conv(d2))      (+) L(a1)                        (10, 24, 24)
              d0 = conv(d1)                                          (1, 28, 28)
        BU2   x (*) L(d0), a1 (*) L(d1), a2 (*) L(d2), then neck and branch

    and on deeper stages, such as those of VGG-11 at 224 x 224 or ResNet-18, by pairs of convolutions with a relu
    between, where neither the image nor the last stage is modulated, nor BU1's first map read::

        BU1   p2 (128, 56, 56), p3 (256, 28, 28), p4 (512, 14, 14), a5 (128, 7, 7)
        TD    q4 = pair(u(conv(embedding(t)) (+) L(a5)))             (32, 7, 7) -> (128, 7, 7) -> (512, 14, 14)
              q_l = pair(u(q_(l+1) (+) L(p_(l+1))))                  q3, q2, q1 (64, 112, 112)
        BU2   a_l (*) L(q_l) for l = 1 to 4, then neck and branch

    (+) is the connectivity `td`, (*) is `bu2`; 'gated' is Eq. 3, y = x + x sigma(z). The paper writes sigma for a
    sigmoid or a tanh; here it is the sigmoid. Its text upsamples bilinearly (preset levi2019), the later released code
    uses the nearest value and multiplies (preset levi2021). That code's VGG-11 has no relu after its last convolution:
    the preset sets vgg11:last_relu=false, which other networks in a comparison with that code should have too, as in
    single@vgg11:last_relu=false.

    The paper counts VGG-11's parameters; the choice of the maps that are read is the released code's. BU1's maps except
    the last are rectified; if a stage pools after its nonlinearity, so that its output is smaller, they are raw too.
    For ResNet-18 the paper says that it is done similarly. The embedding has 32 channels at any width of the backbone,
    or `channels` if that is given. With td_loss or loc_loss, two more convolutions make a map at the image's size from
    u(q1), which is used for nothing else: they are the part `image_map`.

    Chosen here: on backbones of maps, of which the papers have none, the same holds: the embedding has the places of
    the last stage, the stages are modulated, and the decoder after the second pass is the branch, one for all tasks. If
    a stage is smaller than the next one, as in a decoder, u shrinks the stream.

    BatchNorm has one weight and bias in both passes and statistics of its own in each, since modulated maps have
    another distribution.

    With shuffled each task starts from the initial embedding of another task, by a permutation that is drawn from the
    seed and leaves no task in its place. It is a control: since no task is nearer to one index than to another, changes
    are random.

    With loc_loss the same map learns the place of the task's object, by `mtbench_methods.networks.localization`. The
    auxiliary losses bu1_loss, td_loss and loc_loss are computed per task, and scaled like the task's loss.

    Compared with: the paper's data flow on LeNet, written out again, atol=1e-5
    (networks/test_td.py::test_the_data_flow_is_the_papers); the released code's on VGG-11, default tolerance
    (networks/test_td_sections.py::test_the_data_flow_on_vgg11_is_that_of_the_released_code); the counts of Table 5a,
    exactly (networks/test_td.py::test_the_parameter_counts_are_those_of_table_5a); the counts of Table 5b, exactly
    (networks/test_td_sections.py::test_the_weights_on_vgg11_are_those_of_table_5b).
    """

    Options = TopDownOptions
    presets = {"levi2019": {}, "levi2021": {"upsample": "nearest", "bu2": "mul"}}  # noqa: RUF012
    backbone_presets = {"levi2021": {"last_relu": False}}  # noqa: RUF012
    paper = "Levi & Ullman, Multi-Task Learning by a Top-Down Control Network (Task-Based Top-Down Modulation), 2020"
    title = "Top-down"
    bibtex = """@misc{levi2020topdown,
      title = {Multi-Task Learning by a Top-Down Control Network},
      author = {Levi, Hila and Ullman, Shimon},
      eprint = {2002.03335},
      archiveprefix = {arXiv},
      year = {2020},
    }"""
    per_task = frozenset({"embedding"})
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: TopDownOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        if options.td_loss and not setup.foreground:
            raise UsageError("option 'td_loss' of method 'td' needs foreground maps, and this dataset has none.")
        if options.loc_loss:
            require_points("td", setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        with setup.initialized("top-down"):
            self.top_down = stream(options, self.backbone, setup.input_shape[0])
        with setup.initialized("embedding"):
            self.embedding = self.top_down.embedding(len(setup.tasks))
        if options.shuffled:
            order = derangement(len(setup.tasks), random_stream(setup.seed, "shuffled tasks"))
            with torch.no_grad():
                self.embedding.weight.copy_(self.embedding.weight[:, order])  # (C H W, T)
        self.task_map_name = "lowest stream map" if options.spatial else ""
        if options.td_loss or options.loc_loss:
            self.task_map_name = "image-level map"
            with setup.initialized("image map"):
                self.image_map = self.top_down.image_map(setup.input_shape[1:])
        self.bu1 = Statistics(self.backbone)
        convert_one_channel(self)

    @classmethod
    def check(cls, options: TopDownOptions, tasks: Sequence[Task]) -> None:
        for idle, name, value, without in (
            (not options.image and options.td != "add", "td", options.td, "image=false"),
            (not options.spatial and options.upsample != "bilinear", "upsample", options.upsample, "spatial=false"),
            (
                "gated" not in (options.td, options.bu2) and options.gate != "sigmoid",
                "gate",
                options.gate,
                "no gated connection",
            ),
            (
                not options.loc_loss and options.loc_divisor != "visible",
                "loc_divisor",
                options.loc_divisor,
                "loc_loss=0",
            ),
            (options.loc_loss > 0 and not options.spatial, "loc_loss", f"{options.loc_loss:g}", "spatial=false"),
            (options.shuffled and len(tasks) < 2, "shuffled", "true", "a single task"),
        ):
            if idle:
                raise UsageError(f"option '{name}' of method 'td' is '{value}', which does nothing with {without}.")

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        images = cast(Tensor, inputs)
        return self.look_again(images, self.first_look(images), task)[0]

    def all_outputs(self, inputs: Inputs) -> list[Tensor]:
        images = cast(Tensor, inputs)
        glance, tasks = self.first_look(images), range(len(self.tasks))
        found = self.parts(images, glance, len(images) * len(tasks))
        if found is not None:
            each = (self.see(images, found.at(slice(None), task)) for task in tasks)
        else:
            each = (self.look_again(images, glance, self.asking(images, task))[0] for task in tasks)
        return [self.fitted_to(task, logits) for task, logits in enumerate(each)]

    def used_outputs(self, batch: Batch) -> list[Tensor]:
        images = cast(Tensor, batch.inputs)
        glance = self.first_look(images)
        found = self.parts(images, glance, sum(batch.counts) * batch.inputs_per_example)
        if found is not None:
            return self.answers(batch, lambda indices, task: self.see(images[indices], found.at(indices, task)))
        return self.answers(batch, lambda indices, task: self.look_again(images[indices], glance.of(indices), task)[0])

    def welcome(self, index: int) -> None:
        """Start a new task's embedding from the mean of the others' (chosen: the paper adds no task)."""
        columns = self.embedding.weight.detach()  # (C H W, T)
        others = torch.arange(columns.shape[1], device=columns.device) != index
        columns[:, index] = columns[:, others].mean(1)

    def first_look(self, images: Tensor) -> Glance:
        """Return BU1's maps, or none if the top-down stream does not use the image."""
        return self.glance(images) if self.options.image else NOTHING

    def glance(self, images: Tensor) -> Glance:
        """Return BU1's maps: the backbone's maps of the images (B, C, H, W), without modulation."""
        before, after = [], [images]
        with self.bu1.in_use():
            for stage in self.backbone.levels():
                before.append(stage.pre(after[-1]))
                after.append(stage.post(before[-1]))
        return Glance(before=tuple(before), after=tuple(after[1:]))

    def think(self, glance: Glance, task: Tensor) -> dict[int, Tensor]:
        """Return the stream's maps by level (TD), for one task per image (B,)."""
        asked = nn.functional.one_hot(task, len(self.tasks)).to(self.embedding.weight.dtype)
        return cast(dict[int, Tensor], self.top_down(self.embedding(asked), glance))

    def parts(self, images: Tensor, glance: Glance, pairs: int) -> Parts | None:
        """Return the parts of the laterals into BU2, if they are less work than one stream per image and task."""
        if not self.top_down.is_affine or len(images) < MANY or pairs <= len(images) + len(self.tasks):
            return None
        return parts(self.top_down, self.embedding, glance, len(images))

    def look_again(self, images: Tensor, glance: Glance, task: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """Run TD and BU2 for one task per image (B,): return the logits (B, widest), and the stream's maps by level."""
        levels = self.think(glance, task)
        return self.see(images, self.top_down.laterals(levels)), levels

    def see(self, images: Tensor, laterals: dict[int, Tensor]) -> Tensor:
        """Run BU2: return the logits (B, widest), given the stream's laterals by level."""
        x = self.top_down.modulate(images, laterals, 0)
        for number, stage in enumerate(self.backbone.levels(), start=1):
            x = stage.post(self.top_down.modulate(stage.pre(x), laterals, number))
        return cast(Tensor, self.branch(self.backbone.neck(x)))

    def losses(self, batch: Batch) -> Losses:
        """Return the classification loss of BU2, with the auxiliary losses whose weights are set."""
        if not (self.options.bu1_loss or self.options.td_loss or self.options.loc_loss):
            return super().losses(batch)
        images = cast(Tensor, batch.inputs)
        glance = self.glance(images) if self.options.bu1_loss else self.first_look(images)
        tasks = range(len(self.tasks))
        if batch.drawn is None:
            looks = [self.look_again(images, glance, self.asking(images, task)) for task in tasks]
        else:
            looks = [self.look_again(images, glance, batch.drawn.repeat_interleave(batch.inputs_per_example))]
        once = len(tasks) // len(looks)
        answers = [logits for logits, _ in looks] * once
        losses = self.mean_losses([self.fitted_to(task, logits) for task, logits in enumerate(answers)], batch)
        auxiliary = torch.zeros_like(losses.means)
        if self.options.bu1_loss:
            seen = self.fitted(self.branch(self.backbone.neck(glance.after[-1])))
            auxiliary = auxiliary + self.options.bu1_loss * self.mean_losses(seen, batch).means
        if self.options.td_loss or self.options.loc_loss:
            maps = [self.image_logits(levels) for _, levels in looks] * once
            if self.options.td_loss:
                auxiliary = auxiliary + self.options.td_loss * self.foreground_losses(maps, batch)
            if self.options.loc_loss:
                located = localization_losses(maps, batch, self.tasks, divisor=self.options.loc_divisor)
                auxiliary = auxiliary + self.options.loc_loss * located
        return dataclasses.replace(losses, auxiliary=auxiliary)

    def image_logits(self, levels: dict[int, Tensor]) -> Tensor:
        """Return the image-level map (B, H, W), its channels averaged, as logits of the object's place."""
        return cast(Tensor, self.image_map(levels[min(levels)]).mean(1))

    def task_map(self, inputs: Inputs, index: int) -> Tensor | None:
        """Return an attention map (B, h, w) of a task; None if modulation is not spatial.

        If an image-level map is trained, it is the softmax of its logits over pixels, or with td_loss alone the sigmoid
        of each logit. Otherwise it is the mean over channels of the squares of the stream's lowest map, because the
        lateral to BU2 may change that map's sign.
        """
        if not self.task_map_name:
            return None
        images = cast(Tensor, inputs)
        levels = self.think(self.first_look(images), self.asking(images, index))
        if not (self.options.td_loss or self.options.loc_loss):
            return levels[min(levels)].square().mean(1)
        logits = self.image_logits(levels)
        return logits.flatten(1).softmax(1).view_as(logits) if self.options.loc_loss else logits.sigmoid()

    def foreground_losses(self, maps: Sequence[Tensor], batch: Batch) -> Tensor:
        """Return the binary cross-entropy (T,) between the logits (B, H, W) of each task and the map of its object.

        It is averaged over pixels and over the labels used.
        """
        assert batch.foreground is not None  # else the network could not be built
        means = []
        for index, (task, logits, rows) in enumerate(zip(self.tasks, maps, batch.used_rows, strict=True)):
            if not len(rows):
                means.append(logits.new_zeros(()))
                continue
            target = batch.foreground(batch.rows[rows], index)  # (n, H, W)
            logits = logits[rows, None]
            if logits.shape[2:] != target.shape[1:]:
                logits = nn.functional.interpolate(logits, target.shape[1:], mode="bilinear", align_corners=False)
            means.append(task.scale * nn.functional.binary_cross_entropy_with_logits(logits.squeeze(1), target))
        return torch.stack(means)


def derangement(count: int, generator: torch.Generator) -> Tensor:
    """Return a random permutation (count,) int64 without fixed points; `count` is at least 2."""
    while True:
        order = torch.randperm(count, generator=generator)
        if not (order == torch.arange(count)).any():
            return order


class Statistics(nn.Module):
    """The buffers of one of two passes through a backbone, i.e. running statistics.

    The backbone keeps those of the other pass.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = [backbone]  # in a list, for it is no part of this module
        for name, value in backbone.named_buffers():
            self.register_buffer(name.replace(".", "/"), value.clone())

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Use these buffers in the backbone within the block, in place of its own."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, own in list(self.named_buffers()):
            place, _, buffer = name.rpartition("/")
            module = self.backbone[0].get_submodule(place.replace("/", "."))
            setattr(self, name, getattr(module, buffer))
            setattr(module, buffer, own)
