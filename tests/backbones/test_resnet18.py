import re
from functools import partial
from pathlib import Path

import pytest
import safetensors.torch
import torch

from mtbench.errors import UsageError
from mtbench.plan.parse import parse_backbone
from tests.builders.networks import backbone_of

build = partial(backbone_of, shape=(3, 64, 64))


def test_the_backbone_has_the_parameters_of_torchvisions_without_its_classifier() -> None:
    assert sum(p.numel() for p in build("resnet18").parameters()) == 11_176_512


def test_maps_have_the_shapes_of_the_paper() -> None:
    shapes = build("resnet18:width=.125", shape=(3, 224, 224)).shapes
    assert [shape.pre[1] for shape in shapes] == [112, 56, 28, 14, 7]
    assert [shape.post[1] for shape in shapes] == [56, 56, 28, 14, 7]


@pytest.mark.parametrize("side", [1, 7, 28, 65])
def test_images_of_any_size_and_number_will_do(side: int) -> None:
    backbone = build("resnet18:width=.125", shape=(1, side, side)).train()
    for count in (1, 3):
        assert backbone(torch.rand(count, 1, side, side)).shape == (count, backbone.features)


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_torchvisions_weights_give_torchvisions_features(kind: str, tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    theirs = torchvision.models.resnet18(weights=None)
    for module in theirs.modules():  # no two of its BatchNorms alike
        if isinstance(module, torch.nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                assert value is not None
                torch.nn.init.uniform_(value, 0.5, 1.5)
    path = tmp_path / f"resnet18.{kind}"
    if kind == "pth":
        torch.save(theirs.state_dict(), path)
    else:
        safetensors.torch.save_file(theirs.state_dict(), path)
    ours = build(f"resnet18:weights={path}").eval()
    theirs.fc = torch.nn.Identity()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs.eval()(images), rtol=1e-4, atol=1e-5)


def test_measuring_its_stages_leaves_the_running_statistics_at_their_start() -> None:
    buffers = dict(build("resnet18:width=.125").named_buffers())
    assert len(buffers) == 20 * 3  # a mean, a variance and a count of each convolution's normalization
    for name, value in buffers.items():
        assert torch.equal(value, torch.ones_like(value) if name.endswith("running_var") else torch.zeros_like(value))


def test_weights_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    missing, broken, other = (tmp_path / name for name in ("no.pth", "broken.pth", "other.pth"))
    broken.write_bytes(b"no weights")
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, other)
    for text, shape, says in (
        (f"resnet18:weights={missing}", (3, 64, 64), "there is no such file"),
        (f"resnet18:weights={broken}", (3, 64, 64), "cannot be read"),
        (f"resnet18:weights={other}", (3, 64, 64), "does not fit"),
        (f"resnet18:weights={other}:width=.5", (3, 64, 64), "width"),
        (f"resnet18:weights={other}", (1, 64, 64), "channel"),
    ):
        with pytest.raises(UsageError, match=says):
            build(text, shape=shape)


def test_the_content_of_a_file_of_weights_tells_its_format_and_not_its_name(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = {}
    for name, value in build("resnet18").state_dict().items():
        name = name.removeprefix("stages.").replace("stem.pre.0", "conv1").replace("stem.pre.1", "bn1")
        theirs[re.sub(r"\.pre\.(\d)", lambda match: f".{int(match[1]) // 2}", name)] = value
    kept: list[dict[str, torch.Tensor]] = []
    for name, save in (("a.safetensors", torch.save), ("b.pth", safetensors.torch.save_file), ("c", torch.save)):
        save(theirs, tmp_path / name)
        kept.append(build(f"resnet18:weights={tmp_path / name}").state_dict())
    torch.save(theirs, tmp_path / "old", _use_new_zipfile_serialization=False)  # as torchvision's first files
    kept.append(build(f"resnet18:weights={tmp_path / 'old'}").state_dict())
    for state in kept:
        assert all(torch.equal(value, kept[0][name]) for name, value in state.items())
    assert not torch.equal(
        kept[0]["stages.stem.pre.0.weight"], build("resnet18").state_dict()["stages.stem.pre.0.weight"]
    )


def torchvisions() -> dict[str, torch.Tensor]:
    """Return a state dict under torchvision's names, of this backbone's values, with a classifier."""
    found = {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    for name, value in build("resnet18").state_dict().items():
        name = name.removeprefix("stages.").replace("stem.pre.0", "conv1").replace("stem.pre.1", "bn1")
        found[re.sub(r"\.pre\.(\d)", lambda match: f".{int(match[1]) // 2}", name)] = value
    return found


def test_the_names_are_those_of_torchvisions_state_dict() -> None:
    torchvision = pytest.importorskip("torchvision")
    assert torchvisions().keys() == torchvision.models.resnet18(weights=None).state_dict().keys()


def test_keys_and_shapes_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    whole = torchvisions()
    longer = {f"layer3.{block}.conv3.weight": torch.zeros(1) for block in (0, 1)}  # of a ResNet-50
    for change, says in (
        ({"layer1.0.bn2.running_var": None}, r"layer1\.0\.bn2\.running_var is missing\."),
        ({"conv1.weight": torch.zeros(64, 3, 3, 3)}, r"conv1\.weight has shape \(64, 3, 3, 3\), not \(64, 3, 7, 7\)\."),
        (longer, r"layer3\.0\.conv3\.weight is not of a ResNet-18, and 1 more\."),
        ({"bn1.bias": torch.full((64,), torch.nan)}, r"bn1\.bias has values that are not finite numbers\."),
        ({"bn1.bias": torch.ones(64, dtype=torch.int32)}, r"bn1\.bias has values that are not finite numbers\."),
        ({"module.conv1.weight": torch.zeros(1)}, r"module\.conv1\.weight is not of a ResNet-18\."),
    ):
        state = {name: value for name, value in (whole | change).items() if value is not None}
        torch.save(state, tmp_path / "some.pth")
        with pytest.raises(UsageError, match=rf"some\.pth', which does not fit: {says} Allowed: the state dict of tor"):
            build(f"resnet18:weights={tmp_path / 'some.pth'}")


def test_weights_are_checked_in_silence_where_nothing_is_allocated(tmp_path: Path) -> None:
    torch.save(torchvisions(), tmp_path / "some.pth")
    with torch.device("meta"):  # as runs are planned; a warning is an error here
        assert build(f"resnet18:weights={tmp_path / 'some.pth'}").features == 512


def test_what_torch_cannot_read_is_said_in_a_line(tmp_path: Path) -> None:
    torch.save(Path, tmp_path / "code.pth")  # torch refuses it with four paragraphs
    with pytest.raises(
        UsageError, match=r"code\.pth', which cannot be read \(UnpicklingError: [^\n]{1,100}\)\. Allowed"
    ):
        build(f"resnet18:weights={tmp_path / 'code.pth'}")


def test_equal_weights_under_another_name_are_the_same_backbone_to_a_run(tmp_path: Path) -> None:
    torch.save(torchvisions(), tmp_path / "one.pth")
    (tmp_path / "other.pth").write_bytes((tmp_path / "one.pth").read_bytes())
    one, other = (parse_backbone(f"resnet18:weights={tmp_path / name}.pth").choice for name in ("one", "other"))
    assert one == other
    (tmp_path / "other.pth").write_bytes(b"others")
    assert parse_backbone(f"resnet18:weights={tmp_path / 'other'}.pth").choice != one
