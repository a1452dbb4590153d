"""Every built-in keeps what the contract promises: networks, balancers, pairs of them, on every backbone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mtbench import registry
from mtbench.conformance import assert_conforms, examine
from mtbench.conformance.candidate import Candidate
from mtbench.conformance.method import method_checks
from mtbench.contract import Alias, Network

OWN = "mtbench"
PAIRS = [
    "td+mgda",
    "td+pcgrad",
    "td+uncertainty",
    "chmod+cagrad",
    "chmod+uw-so",
    "mtan+dwa",
    "mtan+imtl-g",
    "cross-stitch+nash-mtl",
    "cross-stitch+gradnorm",
    "mmoe+gradnorm",
    "mmoe+aligned-mtl",
    "ple+pcgrad",
    "astmt+graddrop",
    "astmt+db-mtl",
    "film+famo",
    "routing+upgrad",
    "superposition+gradvac",
    "tensormod+random",
]


def built_in(kind: str) -> Iterator[str]:
    return (name for name, entry in registry.entries(kind).items() if entry.distribution == OWN)


def networks() -> list[str]:
    return [name for name in built_in("method") if not issubclass(registry.load("method", name), Alias)]


def for_any_kind() -> list[str]:
    loaded = {name: registry.load("method", name) for name in networks()}
    return [name for name, network in loaded.items() if issubclass(network, Network) and not network.kinds]


@pytest.mark.parametrize("name", networks())
def test_every_network_conforms(name: str) -> None:
    assert_conforms(name)


@pytest.mark.parametrize("name", [name for name in built_in("balancer") if name not in registry.entries("method")])
def test_every_balancer_conforms_on_branches(name: str) -> None:
    assert_conforms(name)


@pytest.mark.parametrize("pair", PAIRS)
def test_mixed_pairs_conform(pair: str) -> None:
    assert_conforms(pair)


@pytest.mark.parametrize("backbone", ["vgg11", "resnet18"])
@pytest.mark.parametrize("network", for_any_kind())
def test_every_network_conforms_on_other_backbones(network: str, backbone: str) -> None:
    method = f"{network}@{backbone}:width=.125"
    if (network, backbone) == ("routing", "vgg11"):
        # Of the 32 numbers in z of a VGG-11 twice as wide, two masks of one half leave each task 8: with half of these
        # dead it cannot tell four classes apart.
        method = "routing:drop_ratio=.25@vgg11:width=.25"
    assert_conforms(method)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in built_in("dataset")
        if name not in ("mmnist4", "mmnist9", "mmnist9-ref", "cub200", "birds-mini", "zappos50k", "shoes-mini")
        and not name.startswith(("clevr", "celeba", "faces", "nyuv2", "cityscapes", "dense"))
    ],
)
def test_datasets_conform(name: str, data_root: Path) -> None:
    """Those of files that are had elsewhere take gigabytes; tests/datasets/ checks them on small trees."""
    assert_conforms(name, root=data_root)


@pytest.mark.parametrize(
    "world",
    [
        "clevr-mini:train=40:test=8:size=32",
        "birds-mini:train=40:test=8:species=4:size=32",
        "faces-mini:train=60:val=40:test=40:size=32:triplets=16:test_triplets=8",
        "shoes-mini:images=100:triplets=60:test_triplets=12:size=64",
    ],
)
def test_a_drawn_world_conforms(world: str, tmp_path: Path) -> None:
    assert_conforms(world, root=tmp_path)


def test_every_network_that_a_balancer_can_work_on_is_in_a_mixed_pair() -> None:
    paired = {pair.partition("+")[0] for pair in PAIRS}
    loaded: dict[str, type[Network]] = {name: registry.load("method", name) for name in for_any_kind()}
    shared = {name for name, network in loaded.items() if network.shares_parameters}
    assert shared == paired | {"branches"}  # with which every balancer is checked


def test_aliases_are_checked_as_what_they_stand_for(data_root: Path) -> None:
    first = next(examine("moo", root=data_root))  # branches+mgda is checked in full above
    assert first.check == next(iter(method_checks(Candidate.of("branches"))))
    assert not first.fault


@pytest.mark.parametrize("backbone", ["segnet", pytest.param("deeplab", marks=pytest.mark.slow)])
def test_backbones_of_maps_conform(backbone: str) -> None:
    assert_conforms(backbone)
