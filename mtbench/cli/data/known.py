"""Known sums of files that a dataset's recipe makes: the sum beside a file is no proof, since both can be replaced."""

from collections.abc import Mapping
from pathlib import Path

from mtbench import registry
from mtbench.errors import DataError

__all__ = ["FILE", "check_known", "known_sums"]

FILE = "known.sha256"
"""The file in a package of datasets that has the sums, as ``sha256sum`` prints them below the data root."""


def known_sums(dataset: str) -> dict[str, str]:
    """Return the SHA-256 sums that the package of a dataset knows, by path below the data root; none if it has no list.

    Args:
        dataset: the registered name.

    Raises:
        UsageError: it is not installed.
    """
    package = registry.module_path(registry.find("dataset", dataset).module.partition(".")[0])
    try:
        lines = package.with_name(FILE).read_text(encoding="utf-8").splitlines() if package else []
    except FileNotFoundError:
        return {}
    return {path: checksum for checksum, path in (line.split(maxsplit=1) for line in lines)}


def check_known(path: Path, checksum: str, root: Path, known: Mapping[str, str], title: str) -> str:
    """Compare the sum of a file with the known one, and return a remark on a file without: empty for others.

    Args:
        path: the file.
        checksum: its sum, with the algorithm before a colon.
        root: the data root.
        known: see `known_sums`.
        title: the dataset as on the command line.

    Raises:
        DataError: it has another sum.
    """
    beside = path.with_suffix(".sha256")
    expected = known.get(path.relative_to(root).as_posix() if path.is_relative_to(root) else "")
    if expected is None:
        return f"compared with {beside.name} alone" if beside.is_file() else ""
    if checksum != f"sha256:{expected}":
        raise DataError(
            f"{path} is not what the recipe makes: its sum is {checksum}, expected sha256:{expected}.",
            mend=f"Remove it and {beside.name}, and make it again: mtbench data prepare {title}",
        )
    return ""
