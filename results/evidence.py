"""Train the list of `evidence.toml`, part by part, with the release that the list names: ``make evidence``.

Runs are trained by a clone of the release's commit, with one thread a run and at low priority, into folders below
``.evidence/results/``, which git ignores. After each command the finished runs are added to the packs below
``results/`` (see `packing`). The list may be stopped at any instant, and the same command resumes it.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mtbench.plan.suite.file import find_suite
from mtbench.store.suites.declaration import changes, declaration_path, read_declaration
from results import packing

RESULTS = Path(__file__).resolve().parent
HOUSE = RESULTS.parent
LIST = RESULTS / "evidence.toml"
CLONES = HOUSE / ".evidence"
WORK = CLONES / "results"
NICE = 19
MTBENCH = [sys.executable, "-P", "-m", "mtbench"]  # -P: that of PYTHONPATH, not of the working directory


@dataclass(frozen=True, kw_only=True)
class Part:
    """One entry of the list.

    Attributes:
        results: the folder below `WORK` that is trained into, and the folder below ``results/`` with its packs.
        command: an mtbench command with its arguments, without ``--results``; `run` or `search`.
    """

    results: str
    command: str

    @property
    def suite(self) -> str:
        """The name of the suite that is run; empty if it is none. The command names it, or its file."""
        words = shlex.split(self.command)
        return Path(words[words.index("--suite") + 1]).stem if "--suite" in words else ""

    @property
    def words(self) -> list[str]:
        """The arguments of mtbench."""
        return [*shlex.split(self.command), "--results", str(WORK / self.results)]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The list: its parts, and the release and the commit that train them."""

    release: str
    commit: str
    part: tuple[Part, ...]


def read(path: Path = LIST) -> Evidence:
    """Return the list in a TOML file."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return Evidence(**{**content, "part": tuple(Part(**each) for each in content["part"])})


def undeclared(evidence: Evidence) -> Iterator[str]:
    """Yield a line for each suite of the list that is not declared and committed, or was changed since."""
    for part in evidence.part:
        if not part.suite:
            continue
        path = declaration_path(RESULTS / part.results, part.suite)
        declared = read_declaration(RESULTS / part.results, part.suite)
        if declared is None:
            yield f"{part.suite}: mtbench suite declare {part.suite} --results results/{part.results}"
        elif found := changes(declared, find_suite(part.suite)):
            yield f"{part.suite}: changed after it was declared in {path}: {'; '.join(found)}"
        elif _git("status", "--porcelain", "--", str(path)):
            yield f"{part.suite}: commit {path}"


def install(commit: str) -> Path:
    """Clone the commit and install it, unless that was done; return the folder to import it from."""
    site = CLONES / commit[:12] / "site"
    done = site / ".done"
    if not done.exists():
        source = CLONES / commit[:12] / "source"
        if not source.exists():
            subprocess.run(["git", "clone", "--quiet", "--no-checkout", str(HOUSE), str(source)], check=True)
        subprocess.run(["git", "-C", str(source), "checkout", "--quiet", commit], check=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"]
        subprocess.run([*pip, str(site), str(source)], check=True)
        done.touch()
    return site


def main() -> int:
    """Train what is missing, or with ``--show`` say what is; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="say what is done and what is left, with its time")
    parser.add_argument("--pack", action="store_true", help="train nothing: add what is finished to the packs")
    parser.add_argument("--jobs", help="runs at a time; by default one per core")
    asked = parser.parse_args()
    if asked.pack:
        for folder in sorted(path for path in WORK.iterdir() if not path.name.startswith(".")):
            _say_packs(folder.name)
        return 0
    evidence = read()
    if lines := list(undeclared(evidence)):
        sys.stderr.write("Suites are declared, and the declaration is committed, before they are run:\n")
        sys.stderr.writelines(f"  {line}\n" for line in lines)
        return 1
    environment = {**os.environ, "PYTHONPATH": str(install(evidence.commit)), "OMP_NUM_THREADS": "1"}
    more = ["--dry-run"] if asked.show else ["--quiet"]
    more += ["--jobs", asked.jobs] if asked.jobs else []
    os.nice(NICE)
    # Told to stop, it leaves no training behind: `subprocess.run` kills its process when it is left by an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    failed = 0
    for part in evidence.part:
        packing.prepare(WORK / part.results, RESULTS / part.results)
        sys.stdout.write(f"mtbench {shlex.join(part.words)}\n")
        sys.stdout.flush()
        # A part with a failed run does not keep the next ones from being trained.
        failed |= subprocess.run([*MTBENCH, *part.words, *more], cwd=HOUSE, env=environment).returncode
        if not asked.show:
            _say_packs(part.results)
    return int(failed != 0)


def _say_packs(name: str) -> None:
    for pack in packing.add(WORK / name, RESULTS / name):
        sys.stdout.write(f"{pack.relative_to(HOUSE)} has {pack.stat().st_size / 1e6:.1f} MB\n")
    sys.stdout.flush()


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(HOUSE), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
