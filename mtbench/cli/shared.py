"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import platformdirs
import typer

__all__ = ["DEFAULT_RESULTS", "DataRoot", "Device", "Results", "data_root"]

DEFAULT_RESULTS = Path("results/local")

Results: TypeAlias = Annotated[Path, typer.Option("--results", help="Folder of the runs.", metavar="DIR")]
DataRoot: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        envvar="MTBENCH_DATA",
        help="Folder of the data files; by default the platform's folder for user data.",
        metavar="DIR",
    ),
]
Device: TypeAlias = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.", metavar="NAME")]


def data_root(given: Path | None) -> Path:
    """The folder of the data files, absolute: as given, or the platform's folder for user data."""
    return (given or platformdirs.user_data_path("mtbench")).expanduser().absolute()
