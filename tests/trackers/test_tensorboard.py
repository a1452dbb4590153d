"""Files of TensorBoard."""

import math
from pathlib import Path

from mtbench.trackers.tensorboard import TensorBoard
from mtbench.trackers.tracker import TrackedRun
from tests.trackers.tracked import of_tensorboard

RUN = TrackedRun(key="0123456789ab-00000a", name="toy2/td/seed-0-0123456789ab-00000a", settings={"lr": 0.01, "x": "y"})


def files(place: Path) -> list[Path]:
    return sorted(place.rglob("events.out.tfevents.*"))


def test_a_file_that_was_torn_by_a_kill_is_left_and_its_last_epoch_is_sent_again(tmp_path: Path) -> None:
    first = TensorBoard(tmp_path)
    for epoch in (1, 2, 3):
        first.log(RUN, {epoch: {"a": epoch, "b": -epoch}})
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    later = TensorBoard(tmp_path)
    assert later.held(RUN) == 2
    later.log(RUN, {3: {"a": 3, "b": -3}})
    later.log(RUN, {4: {"a": 4, "b": -4}})
    assert len(files(tmp_path)) == 2
    assert of_tensorboard(tmp_path) == {
        RUN.key: {"a": [(1, 1), (2, 2), (3, 3), (4, 4)], "b": [(1, -1), (2, -2), (3, -3), (4, -4)]}
    }


def test_one_process_writes_one_file_for_each_run(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path)
    for epoch in range(1, 6):
        assert tracker.held(RUN) == epoch - 1
        tracker.log(RUN, {epoch: {"a": epoch}})
    assert len(files(tmp_path)) == 1
    TensorBoard(tmp_path).log(RUN, {6: {"a": 6}})  # another process
    assert tracker.held(RUN) == 6
    assert len(files(tmp_path)) == 2


def test_a_number_that_float32_does_not_have_is_left_out(tmp_path: Path) -> None:
    TensorBoard(tmp_path).log(RUN, {1: {"large": 1e39, "low": -1e39, "largest": 3.4028234e38, "small": 1e-60}})
    found = of_tensorboard(tmp_path)[RUN.key]
    assert found.keys() == {"largest", "small"}
    assert math.isfinite(found["largest"][0][1])
    assert found["small"] == [(1, 0.0)]


def test_hyperparameters_are_there_once(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    for epoch in (1, 2):
        TensorBoard(tmp_path).log(RUN, {epoch: {"a": 0}})
    found = [
        HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info.hparams
        for path in files(tmp_path)
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "hparams"
    ]
    assert [{name: value.number_value or value.string_value for name, value in each.items()} for each in found] == [
        {"lr": 0.01, "x": "y"}
    ]
