"""Packs."""

import hashlib
import io
import json
import random
import shutil
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

from mtbench.errors import MtbenchError
from mtbench.store.pack.index import INDEX
from mtbench.store.pack.unpack import unpack as members_of
from mtbench.store.pack.unpack import write_folder
from tests.fuzz.campaign import Kind
from tests.fuzz.kinds.alter import any_bytes, sealed_text
from tests.fuzz.mutations import mutate_bytes, mutate_value
from tests.fuzz.place import called
from tests.fuzz.world import World

__all__ = ["PACKS"]

NAMES = ("../out.json", "/out.json", "a/../../out.json", "C:out.json", "a\\b", "a//b", ".", "nul\x00")


def _packed(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:  # noqa: ARG001
    """Alter the index of a pack, a member, or the names of members, and make the sums anew."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".safetensors")}
    index = json.loads(members.pop(INDEX))["pack"]
    index["members"] = {name: each for name, each in index["members"].items() if name in members}
    how = draw.choice(["index", "member", "name", "link", "compressed", "more", "sealed index"])
    name = draw.choice(sorted(members))
    if how == "member":
        _, members[name] = mutate_bytes(members[name], draw, b"{}")
        index["members"][name] = {"size": len(members[name]), "sha256": hashlib.sha256(members[name]).hexdigest()}
    if how == "name":
        new = draw.choice(NAMES)
        members[new], index["members"][new] = members.pop(name), index["members"].pop(name)
    if how == "more":
        members[draw.choice([name.upper(), "searches/a/b/search.json", "pack2.json"])] = b"{}"
    if how in ("index", "sealed index"):
        _, index = mutate_value(index, draw)
    written = sealed_text("pack", index) if how != "index" else json.dumps({"pack": index, "sha256": "0" * 64}).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each, content in [*members.items(), (INDEX, written)]:
            info = zipfile.ZipInfo(each)
            info.external_attr = (0o120777 if how == "link" and each == name else 0o100644) << 16
            compressed = how == "compressed" and each == name
            archive.writestr(info, content, zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
    return how, made.getvalue()


def _pack(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Read and unpack a pack: nothing is written outside, and no number is another, since each record is sealed."""
    target = world.place / "unpacked"
    before = set(world.place.rglob("*"))
    with suppress(MtbenchError):
        write_folder(target, members_of(file))
    outside = [path for path in set(world.place.rglob("*")) - before if path != target and target not in path.parents]
    assert not outside, outside
    shutil.rmtree(target, ignore_errors=True)
    called("store", "verify", str(file))
    return world.look(file).compare(world.packed)


PACKS: dict[str, Kind[World]] = {
    "pack": Kind(files="pack.zip", mutate=any_bytes, read=_pack),
    "pack, sealed anew": Kind(files="pack.zip", mutate=_packed, read=_pack),
}
