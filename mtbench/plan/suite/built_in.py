"""The suites that come with mtbench, and the files of suites."""

from importlib import resources
from pathlib import Path

from mtbench import registry
from mtbench.errors import UsageError, did_you_mean

__all__ = ["built_in_suites", "suite_path"]


def built_in_suites() -> dict[str, Path]:
    """Return the suites that come with mtbench, by name."""
    folder = resources.files("mtbench") / "suites"
    paths = [Path(str(entry)) for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {path.stem: path for path in sorted(paths)}


def suite_path(name: str) -> Path:
    """Return the file of the suite of that name; or `name` itself, if it is a file.

    Raises:
        UsageError: there is neither.
    """
    known = built_in_suites()
    path = known.get(name, Path(name))
    if path.is_dir():
        raise UsageError(f"{path} is a folder, and a suite is a TOML file.")
    if not path.is_file():
        raise UsageError(
            f"there is no suite '{name}'.",
            mend=registry.elsewhere(name, instead_of="suite") or did_you_mean(name, known),
            allowed=f"A suite is a TOML file, or one of: {', '.join(known)}.",
        )
    return path
