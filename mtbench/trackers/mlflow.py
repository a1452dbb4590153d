"""The tracker ``mlflow``."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mtbench.contract.options import option
from mtbench.trackers.tracker import TrackedRun, Tracker

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Mlflow"]

EPOCH = "epoch"
"""The metric that is sent last of each epoch: what it says is there."""
TAG = "mtbench.run"
"""The tag with the key of a run."""
MOST = {"metrics": 1000, "params": 100}
"""Values that MLflow takes in one request."""
RUNNING = "RUNNING"
ENDS = {"done": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}


@dataclass(frozen=True, kw_only=True)
class MlflowOptions:
    """Options of the tracker."""

    uri: str = option("", "address of a tracking server, e.g. http://host:5000; by default a database in the folder")
    experiment: str = option("mtbench", "name of MLflow's experiment, which is made if there is none")


class Mlflow(Tracker):
    """Runs in an experiment of MLflow: values against epochs, and hyperparameters.

    Without ``uri`` the database is ``mlflow.db`` in the folder, which ``mlflow ui`` shows. The package mlflow-skinny,
    with SQLAlchemy and alembic, is enough to send; ``mlflow ui`` needs mlflow.
    """

    extra: ClassVar[str] = "mtbench[mlflow]"
    extra_modules: ClassVar[tuple[str, ...]] = ("mlflow",)
    Options: ClassVar[type[Any]] = MlflowOptions

    def __init__(self, place: Path, options: Any = None) -> None:
        super().__init__(place, options)
        self._known: dict[str, tuple[str, str]] = {}
        """MLflow's identity and status of each run, by its key; no status if its hyperparameters may be missing."""
        self._opened: tuple[MlflowClient, str] | None = None

    @property
    def shown_by(self) -> str:
        return "" if self.options.uri else f"mlflow ui --backend-store-uri {self._uri}"

    def prepare(self) -> None:
        # Tables are made here. Two processes that make them at once disturb each other, so that one of them fails.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # usage statistics
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=self._uri)
        found = client.get_experiment_by_name(self.options.experiment)
        # Without a place for artifacts MLflow names one in the current folder.
        artifacts = None if self.options.uri else (self.place / "artifacts").as_uri()
        identity = found.experiment_id if found else client.create_experiment(self.options.experiment, artifacts)
        self._opened = client, identity

    def held(self, run: TrackedRun) -> int:
        client, experiment = self._open
        found = client.search_runs([experiment], f"tags.`{TAG}` = '{run.key}'", max_results=1)
        self._known.pop(run.key, None)
        if not found:
            return 0
        last = int(found[0].data.metrics.get(EPOCH, 0))
        self._known[run.key] = found[0].info.run_id, found[0].info.status if last else ""
        return last

    def log(self, run: TrackedRun, points: Mapping[int, Mapping[str, float]]) -> None:
        from mlflow.entities import Metric

        client, now = self._open[0], int(time.time() * 1000)
        identity = self._begin(run)
        metrics = [
            Metric(_named(name), value, now, epoch)
            for epoch, values in points.items()
            for name, value in {**values, EPOCH: epoch}.items()
        ]
        for some in _parts(metrics, MOST["metrics"]):
            client.log_batch(identity, metrics=some)

    def finish(self, run: TrackedRun, how: str) -> None:
        identity, status = self._known.get(run.key, ("", ""))
        if identity and status != ENDS[how]:
            self._open[0].set_terminated(identity, ENDS[how])

    def _begin(self, run: TrackedRun) -> str:
        """Return MLflow's identity of a run that is at work; it is made, or begun again, if necessary."""
        from mlflow.entities import Param

        client, experiment = self._open
        identity, status = self._known.get(run.key, ("", ""))
        if status == RUNNING:
            return identity
        if identity:
            client.update_run(identity, status=RUNNING)
        else:
            identity = client.create_run(experiment, tags={TAG: run.key}, run_name=run.name).info.run_id
        params = [Param(_named(name), str(value)) for name, value in run.settings.items()]
        for some in _parts(params, MOST["params"]):
            client.log_batch(identity, params=some)
        self._known[run.key] = identity, RUNNING
        return identity

    @property
    def _uri(self) -> str:
        return self.options.uri or f"sqlite:///{self.place / 'mlflow.db'}"

    @property
    def _open(self) -> "tuple[MlflowClient, str]":
        assert self._opened is not None, "prepare() comes first"
        return self._opened


def _named(name: str) -> str:
    """Return a name in the characters that MLflow allows; each other one is written as its number."""
    return re.sub(r"[^\w\-. :/]", lambda found: f"_{ord(found[0]):x}_", name, flags=re.ASCII)


def _parts(values: list[Any], most: int) -> list[list[Any]]:
    return [values[start : start + most] for start in range(0, len(values), most)]
