"""Machines that a test needs and this one is not: a small disk, a read-only folder, another host.

Namespaces of Linux make them, without special rights: what is mounted, or a host's name, is seen by one process and its
children alone.
"""

import shlex
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

__all__ = ["on_host", "with_mounts"]


def with_mounts(command: Sequence[str], *, small: Path | None = None, megabytes: int = 8) -> list[str]:
    """Return a command whose process may mount; the folder `small` is a disk of so many megabytes for it."""
    mount = f"mount -t tmpfs -o size={megabytes}m tmpfs {shlex.quote(str(small))}" if small else ":"
    return _unshared("m", mount, command)


def on_host(name: str, command: Sequence[str]) -> list[str]:
    """Return a command whose process is on a host of this name."""
    return _unshared("u", f"hostname {shlex.quote(name)}", command)


def _unshared(kind: str, setup: str, command: Sequence[str]) -> list[str]:
    return [*_unshare(kind), "sh", "-ec", f'{setup}; exec "$@"', "sh", *command]


@cache
def _unshare(kind: str) -> list[str]:
    """Return the beginning of a command in a namespace of its own: of an own user too, or of root's where it is not."""
    for options in (["--map-root-user", f"-{kind}"], [f"-{kind}"]):
        try:
            subprocess.run(["unshare", *options, "true"], check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.CalledProcessError):
            continue
        return ["unshare", *options]
    pytest.skip("this system allows no namespaces (unshare)")
