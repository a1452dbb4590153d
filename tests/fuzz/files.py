"""Files of mtbench altered at random, and read by everything that reads them.

A reader may refuse a file with an error of mtbench, or go on without it and say so. It fails if another exception ends
it, if it takes `LIMIT` seconds, or if a number that it returns is another and nothing says so. A file whose checksum is
made anew after the change is one from a stranger: it may have any numbers, and must still end no reader.
"""

import gc
import hashlib
import io
import json
import random
import shutil
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch

import mtbench
from mtbench.cli.app import app
from mtbench.door.contents import read_contents
from mtbench.engines.job import execute
from mtbench.errors import MtbenchError
from mtbench.search.rounds import run_search
from mtbench.store.pack.index import INDEX
from mtbench.store.pack.unpack import unpack as members_of
from mtbench.store.pack.unpack import write_folder
from mtbench.store.record.sealed import _checksum
from mtbench.store.run.checkpoint import CHECKPOINT, Checkpoint, CheckpointFile, pack, unpack
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease, holder_of, is_leased
from mtbench.store.upkeep.verify import WRONG, verify
from tests.cli.commands import call
from tests.fuzz.folders import execute_here, make_folder, plan_one_search
from tests.fuzz.limits import Hung, limited
from tests.fuzz.mutations import mutate_bytes, mutate_json, mutate_text, mutate_value

__all__ = ["KINDS", "Campaign", "Fault", "World"]

Mutate = Callable[["World", Path, random.Random], tuple[str, bytes]]
Read = Callable[["World", Path, random.Random], str]
REFUSED, SAID, SAME, UNREAD, ACCEPTED = "refused", "said", "same", "not read", "accepted"
OTHERS = "other trials"
"""Outcomes: an error of mtbench; a line about it; the numbers are the same although the file is another; nobody reads
what was changed; a file with a new checksum was taken. And of a journal whose lines have another order: the trials
have another order, and each its own values."""


class Silent(Exception):
    """A number is another, and nothing says so."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file.

    Attributes:
        files: a pattern of such files below the place of a world.
        mutate: returns what was done to a file in a word, and its new content.
        read: reads it, and returns the outcome.
        part: the fraction of all mutations.
    """

    files: str
    mutate: Mutate
    read: Read
    part: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A mutation that a reader failed at."""

    kind: str
    number: int
    how: str
    file: str
    error: str

    def __str__(self) -> str:
        return f"{self.kind} {self.number}: {self.how} in {self.file}\n{self.error}"


class World:
    """A results folder, a pack and a suite, which are as they were made at the beginning of every mutation.

    Args:
        place: an empty folder, alone in another one of this test: some arguments name the folder above.
        drawn: the fraction of reports whose figures are written.
    """

    def __init__(self, place: Path, drawn: float = 0.0) -> None:
        self.place, self.results, self.drawn = place, place / "results", drawn
        self.restored = 0
        make_folder(self.results)
        self.files = {path: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
        self._states = {path: _state(path) for path in self.files}
        self.numbers, self.lines, self.states = self.look()
        self.packed = self.look(place / "pack.zip")[0]
        self.study = self.search()
        self.networks = self.trained(self.results)
        self.findings = _wrong(self.results)

    def restore(self) -> None:
        """Give every file its first content, and remove others."""
        self.restored += 1
        if self.restored % 50 == 0:
            gc.unfreeze()  # commands keep what they have read to the end of the process
            gc.collect()
        for path in self.place.rglob("*"):
            if path not in self.files and not path.is_dir():
                path.unlink()
        for path, data in self.files.items():
            if not path.exists() or _state(path) != self._states[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                self._states[path] = _state(path)

    def look(self, results: Path | None = None) -> tuple[dict[str, str], list[str], list[str]]:
        """Return the numbers of all runs as texts, what is said of the files, and the states of the runs."""
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            frame = mtbench.load(results or self.results, data_root=self.place)
        numbers = {}
        for row in frame.to_dict("records"):
            key = {name: row[name] for name in row if name != "value"}
            if not pd.isna(row["value"]):  # a run without a record has a row without a number
                numbers[repr(sorted(key.items()))] = repr(row["value"])
        found = read_contents(results or self.results, self.place)
        states = [f"{run.folder.name} {run.state} {run.why}" for run in found.runs]
        return numbers, [str(each.message) for each in warned], states

    def search(self) -> Any:
        """Return the study of the search, which goes on where its journal ends."""
        perform = lambda specs, _: execute_here(self.results, specs)  # noqa: E731
        (study,) = run_search(plan_one_search(), results=self.results, perform=perform)
        return study

    def trained(self, results: Path) -> dict[str, Any]:
        """Return the weights and predictions of all runs, or the errors in their places."""
        found: dict[str, Any] = {}
        for run in read_contents(results, self.place).runs:
            if run.record is not None:
                folder = RunFolder(run.folder)
                for name, reader in (("weights", folder.model), ("predictions", folder.predictions)):
                    try:
                        arrays = {key: np.asarray(each).tobytes() for key, each in reader(run.record).items()}
                        found[f"{run.folder.name} {name}"] = arrays
                    except MtbenchError:
                        found[f"{run.folder.name} {name}"] = None
        return found


@dataclass
class Campaign:
    """Mutations of all kinds of files, and what came of them."""

    world: World
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    hows: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    slowest: float = 0.0

    def run(self, name: str, numbers: range) -> None:
        """Make the mutations of these numbers of one kind."""
        for number in numbers:
            kind, draw = KINDS[name], random.Random(f"{name} {number}")
            file = draw.choice(sorted(self.world.place.glob(kind.files)))
            how, data = kind.mutate(self.world, file, draw)
            self.hows.setdefault(name, Counter())[how] += 1
            file.write_bytes(data)
            try:
                with limited() as spent:
                    outcome = self._outcome(kind, file, draw)
                self.slowest = max(self.slowest, spent.seconds)
            except (Exception, Hung) as cause:
                outcome = type(cause).__name__
                error = "".join(traceback.format_exception(cause)[-12:])
                where = str(file.relative_to(self.world.place))
                self.faults.append(Fault(kind=name, number=number, how=how, file=where, error=error))
            finally:
                self.world.restore()
            self.outcomes.setdefault(name, Counter())[outcome] += 1

    def _outcome(self, kind: Kind, file: Path, draw: random.Random) -> str:
        try:
            return kind.read(self.world, file, draw)
        except MtbenchError:
            return REFUSED

    def lines(self) -> Iterator[str]:
        """Yield a line for each kind, and one for all."""
        total: Counter[str] = Counter()
        for name, outcomes in self.outcomes.items():
            total += outcomes
            yield f"{name:22}{outcomes.total():5}  {_counted(outcomes)}  ({_counted(self.hows[name])})"
        yield f"{'all':22}{total.total():5}  {_counted(total)}; {len(self.faults)} faults"


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))


def _state(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def _wrong(results: Path) -> list[str]:
    return [f"{each.path} {each.why}" for each in verify(results).findings if each.kind == WRONG]


# Mutations.


def _bytes(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:
    others = sorted(path for path in world.place.rglob(file.name) if path != file and path.is_file())
    others = others or sorted(world.results.rglob("spec.json"))
    return mutate_bytes(file.read_bytes(), draw, draw.choice(others).read_bytes())


def _text(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter the values of a JSON file, or now and then its bytes."""
    if draw.random() < 0.3:
        return _bytes(world, file, draw)
    how, text = mutate_json(file.read_text(), draw)
    return how, text.encode(errors="surrogatepass")


def _lines(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter a value in a line of a file with a JSON text in each, or the order of the lines, or bytes."""
    lines = file.read_text().splitlines()
    at = draw.randrange(len(lines))
    match draw.choice(["value", "value", "bytes", "gone", "twice", "order"]):
        case "bytes":
            return _bytes(world, file, draw)
        case "gone":
            how, lines = "gone", lines[:at] + lines[at + 1 :]
        case "twice":
            how, lines = "twice", lines[: at + 1] + lines[at:]
        case "order":
            how = "order"
            draw.shuffle(lines)
        case _:
            how, lines[at] = mutate_json(lines[at], draw)
    return how, ("\n".join(lines) + "\n").encode(errors="surrogatepass")


def _sealed(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:  # noqa: ARG001
    """Alter a value in a sealed file, and seal it anew."""
    outer = json.loads(file.read_text())
    name = next(name for name in outer if name != "sha256")
    how, body = mutate_value(outer[name], draw)
    if how == "deep":
        body = json.loads(json.dumps(body).replace('"deep"', "[" * 40 + "]" * 40))
    return how, _seal(name, body)


def _seal(name: str, body: Any) -> bytes:
    return json.dumps({name: body, "sha256": _checksum(body)}).encode(errors="surrogatepass")


def _claimed(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter the bytes of weights or predictions, and seal the record with their new sums."""
    how, data = _claims(file.read_bytes(), draw) if draw.random() < 0.5 else _bytes(world, file, draw)
    record = file.with_name("record.json")
    body = json.loads(record.read_text())["record"]
    body["files"][file.name] = hashlib.sha256(data).hexdigest()
    body["sizes"][file.name] = len(data)
    record.write_bytes(_seal("record", body))
    return how, data


def _claims(data: bytes, draw: random.Random) -> tuple[str, bytes]:
    """Return a file of arrays or weights whose heads claim other shapes and dtypes."""
    if data.startswith(b"PK"):
        file = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                shape = draw.choice([(10**15,), (-1,), (), (2, 3), (0,), (3, 10**9)])
                head = {"descr": draw.choice(["<f4", "|u1", "|O", "<i8", "|V0", "<c8"]), "fortran_order": False}
                member = io.BytesIO()
                np.lib.format.write_array_header_1_0(member, {**head, "shape": shape})
                target.writestr(name, member.getvalue() + bytes(draw.choice([0, 8, 24])))
        return "claim", file.getvalue()
    length = int.from_bytes(data[:8], "little")
    _, head = mutate_value(json.loads(data[8 : 8 + length]), draw)
    text = json.dumps(head).encode(errors="surrogatepass")
    return "claim", len(text).to_bytes(8, "little") + text + data[8 + length :]


def _state_of(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:  # noqa: ARG001
    """Alter a plain value or a tensor in a checkpoint, and pack it anew; no tensor becomes smaller."""
    kept = unpack(file.read_bytes())
    if draw.random() < 0.5:
        how, state = mutate_value(_plain(kept.state), draw)
        state = _with_tensors(state, kept.state)
        if _becomes_smaller(state, kept.state):  # mtbench refuses it, and torch, which does not, gets no such file
            return "none", file.read_bytes()
    else:
        how, state = "tensor", _other_tensor(kept.state, draw)
    with suppress(TypeError, ValueError, RuntimeError):
        kept = Checkpoint(marks=kept.marks, numerics=kept.numerics, notes=kept.notes, state=state)
    try:
        return how, pack(kept)
    except (UnicodeError, OverflowError, RuntimeError):  # torch writes no such value
        return "none", file.read_bytes()


def _plain(value: Any, path: str = "") -> Any:
    """Return a value with the places of tensors in their stead."""
    if isinstance(value, torch.Tensor):
        return f"tensor at {path}"
    if isinstance(value, dict):
        return {key: _plain(each, f"{path}/{key}") for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, f"{path}/{key}") for key, each in enumerate(value)]
    return value


def _with_tensors(value: Any, whole: Any) -> Any:
    tensors: dict[str, torch.Tensor] = {}

    def collect(value: Any, path: str = "") -> None:
        if isinstance(value, torch.Tensor):
            tensors[f"tensor at {path}"] = value
        pairs = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
        )
        for key, each in pairs:
            collect(each, f"{path}/{key}")

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(each) for key, each in value.items()}
        if isinstance(value, list):
            return [fill(each) for each in value]
        return tensors.get(value, value) if isinstance(value, str) else value

    collect(whole)
    return fill(value)


def _becomes_smaller(value: Any, old: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return isinstance(old, torch.Tensor) and value.numel() < old.numel()
    if isinstance(value, dict) and isinstance(old, dict):
        return any(_becomes_smaller(value[key], old[key]) for key in value if key in old)
    if isinstance(value, list) and isinstance(old, list):
        return any(map(_becomes_smaller, value, old))
    return False


def _other_tensor(state: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    names: list[tuple[Any, Any]] = []

    def copied(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        made = {key: copied(each) for key, each in value.items()}
        names.extend((made, key) for key, each in made.items() if isinstance(each, torch.Tensor))
        return made

    made = copied(state)
    holder, key = draw.choice(names)
    old = holder[key]
    holder[key] = draw.choice(
        [old.double(), torch.full_like(old, 7), old[None], torch.cat([old.flatten()] * 2), torch.stack([old] * 3)]
    )
    return made  # type: ignore[no-any-return]


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
        new = draw.choice(
            ["../out.json", "/out.json", "a/../../out.json", "C:out.json", "a\\b", "a//b", ".", "nul\x00"]
        )
        members[new], index["members"][new] = members.pop(name), index["members"].pop(name)
    if how == "more":
        members[draw.choice([name.upper(), "searches/a/b/search.json", "pack2.json"])] = b"{}"
    if how in ("index", "sealed index"):
        _, index = mutate_value(index, draw)
    written = _seal("pack", index) if how != "index" else json.dumps({"pack": index, "sha256": "0" * 64}).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each, content in [*members.items(), (INDEX, written)]:
            info = zipfile.ZipInfo(each)
            info.external_attr = (0o120777 if how == "link" and each == name else 0o100644) << 16
            compressed = how == "compressed" and each == name
            archive.writestr(info, content, zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
    return how, made.getvalue()


def _toml(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:
    if draw.random() < 0.15:
        return _bytes(world, file, draw)
    how, text = mutate_text(file.read_text(), draw)
    return how, text.encode(errors="surrogatepass")


# Readers.


def _compared(world: World, results: Path | None = None) -> str:
    """Return the outcome of reading all numbers.

    Raises:
        Silent: one is another, or lacks, and nothing says so.
    """
    numbers, lines, states = world.look(results)
    is_said = lines != world.lines or states != world.states
    if numbers != world.numbers and not is_said:
        unlike = {key: each for key, each in numbers.items() if world.numbers.get(key) != each}
        raise Silent(f"{len(world.numbers)} numbers were {len(numbers)}; {dict(list(unlike.items())[:2])}")
    return SAID if is_said else SAME


def _results(world: World, file: Path, draw: random.Random) -> str:
    """Read a results folder by everything that reads one."""
    outcome = _compared(world)
    _commands(world, draw)
    trained = world.trained(world.results)
    if any(each is not None and each != world.networks.get(name) for name, each in trained.items()):
        raise Silent(f"weights or predictions beside {file.name} are others")
    if outcome == SAME and trained != world.networks:
        outcome = SAID
    if outcome == SAME and _wrong(world.results) != world.findings:
        outcome = SAID
    return UNREAD if outcome == SAME else outcome


def _stranger(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Read a results folder with a file whose checksum is right."""
    _, lines, states = world.look()
    _commands(world, draw)
    world.trained(world.results)
    _wrong(world.results)
    return SAID if lines != world.lines or states != world.states else ACCEPTED


def _commands(world: World, draw: random.Random) -> None:
    """Give one or two of the commands that read results."""
    results, root = str(world.results), ("--data-root", str(world.place))
    _called("status", results, *root)
    match draw.choice(["report", "suite", "files", "export", "pack"]):
        case "report":
            _reported(world, draw)
        case "suite":
            _reported(world, draw, "--suite", str(world.place / "suite.toml"))
        case "files":
            _called("store", "verify", results)
            _called("store", "prune", results, *root)
        case "export":
            _called("export", results, "--out", str(world.place / "table.csv"), *root)
        case "pack":
            _called("store", "pack", results, str(world.place / "other.zip"))


def _reported(world: World, draw: random.Random, *more: str) -> None:
    """Write a report; files of figures, which take seconds, only now and then."""
    with nullcontext() if draw.random() < world.drawn else patch("mtbench.report.write.save", lambda _: {}):
        out, root = str(world.place / "out"), str(world.place)
        _called("report", str(world.results), "--out", out, "--data-root", root, *more)


def _called(*arguments: str) -> None:
    """Give a command, which may end with an error of mtbench or with a code."""
    with suppress(MtbenchError):
        result = call(app, *arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception


def _study(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Go on with a search whose journal is altered: each trial must have the values of its own runs."""
    _called("store", "verify", str(world.results))
    if draw.random() < 0.3:
        _compared(world)
    study = world.search()
    if repr(study) == repr(world.study):
        return SAME
    true = {str(trial.asked): trial.values for trial in world.study.trials}
    for trial in study.trials:  # in another order, or one of them twice
        if trial.state == "done" and true.get(str(trial.asked), trial.values) != trial.values:
            raise Silent(f"trial {trial.number} has {trial.values}")
    return OTHERS


def _lease(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    is_leased(file.parent)
    str(holder_of(file.parent))
    _called("status", str(world.results), "--data-root", str(world.place))
    with Lease(file.parent):
        return ACCEPTED


def _checkpoint(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Read a checkpoint whose checksum does not match any more."""
    _called("store", "verify", str(world.results))
    kept = unpack(world.files[file])
    checkpoint = CheckpointFile(file.parent, kept.marks, kept.numerics)
    state = checkpoint.read()
    if state is None:
        assert checkpoint.notes
        return SAID
    if repr(_hashes(state)) != repr(_hashes(kept.state)):
        raise Silent("the state is another")
    return SAME


def _hashes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
    if isinstance(value, Mapping):
        return {key: _hashes(each) for key, each in value.items()}
    return [_hashes(each) for each in value] if isinstance(value, list | tuple) else value


def _resumed(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Resume a run from the checkpoint of a stranger."""
    folder = RunFolder(file.parent)
    (file.parent / "claim.7").unlink(missing_ok=True)
    said: list[str] = []
    execute(folder, folder.spec(), world.results, "cpu", say=said.append)
    record = folder.record()
    assert record is not None
    return SAID if said else ACCEPTED


def _pack(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Read and unpack a pack."""
    outside = sorted(path for path in file.parent.rglob("*"))
    with suppress(MtbenchError):
        write_folder(world.place / "unpacked", members_of(file))
    made = [
        path for path in file.parent.rglob("*") if path not in outside and world.place / "unpacked" not in path.parents
    ]
    assert made in ([], [world.place / "unpacked"]), made
    shutil.rmtree(world.place / "unpacked", ignore_errors=True)
    world.look(file)
    _called("store", "verify", str(file))
    return ACCEPTED


def _pack_raw(world: World, file: Path, draw: random.Random) -> str:
    _pack(world, file, draw)
    numbers, lines, _ = world.look(file)
    if any(world.packed.get(name) != each for name, each in numbers.items()):
        raise Silent("a number in the pack is another")
    return SAID if lines else SAME


def _suite(world: World, file: Path, draw: random.Random) -> str:
    """Validate, show, plan and report a suite."""
    _called("suite", "validate", str(file))
    _called("suite", "show", str(file))
    place = ("--results", str(world.results), "--data-root", str(world.place))
    _called("run", "--suite", str(file), "--dry-run", *place)
    _reported(world, draw, "--suite", str(file))
    return ACCEPTED


RUNS = "results/toy-all"
KINDS = {
    "record": Kind(files=f"{RUNS}/*/*/record.json", mutate=_text, read=_results, part=2),
    "record, sealed anew": Kind(files=f"{RUNS}/*/*/record.json", mutate=_sealed, read=_stranger, part=3),
    "spec": Kind(files=f"{RUNS}/*/*/spec.json", mutate=_text, read=_results, part=2),
    "study": Kind(files="results/searches/*/*/search.json", mutate=_text, read=_results),
    "study, sealed anew": Kind(files="results/searches/*/*/search.json", mutate=_sealed, read=_stranger, part=2),
    "journal": Kind(files="results/searches/*/*/journal.log", mutate=_lines, read=_study, part=2),
    "lease": Kind(files=f"{RUNS}/*/*/claim.7", mutate=_text, read=_lease),
    "failure": Kind(files=f"{RUNS}/*/*/failure.json", mutate=_text, read=_results, part=0.5),
    "mark": Kind(files="results/mtbench-results.json", mutate=_text, read=_results),
    "declaration": Kind(files="results/suites/*.json", mutate=_text, read=_results, part=0.5),
    "declaration, sealed": Kind(files="results/suites/*.json", mutate=_sealed, read=_stranger, part=0.5),
    "curve": Kind(files=f"{RUNS}/*/*/curve.jsonl", mutate=_lines, read=_results),
    "checkpoint": Kind(files=f"{RUNS}/*/*/{CHECKPOINT}", mutate=_bytes, read=_checkpoint),
    "checkpoint, sealed": Kind(files=f"{RUNS}/*/*/{CHECKPOINT}", mutate=_state_of, read=_resumed),
    "predictions": Kind(files=f"{RUNS}/*/*/predictions.npz", mutate=_bytes, read=_results),
    "predictions, claimed": Kind(files=f"{RUNS}/*/*/predictions.npz", mutate=_claimed, read=_stranger),
    "weights": Kind(files=f"{RUNS}/*/*/model.safetensors", mutate=_bytes, read=_results, part=0.5),
    "weights, claimed": Kind(files=f"{RUNS}/*/*/model.safetensors", mutate=_claimed, read=_stranger),
    "pack": Kind(files="pack.zip", mutate=_bytes, read=_pack_raw),
    "pack, sealed anew": Kind(files="pack.zip", mutate=_packed, read=_pack),
    "suite": Kind(files="suite.toml", mutate=_toml, read=_suite, part=2),
}
