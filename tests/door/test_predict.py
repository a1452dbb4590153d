"""Predictions of finished runs for inputs that are given."""

from pathlib import Path

import numpy as np
import pytest

import mtbench
from mtbench.engines.job import execute
from mtbench.errors import StoreError, UsageError
from mtbench.plan.grid import Request, plan
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder


def trained(results: Path, method: str, dataset: str, **settings: str) -> RunFolder:
    mark_results(results)
    (spec,) = plan(Request(methods=[method], datasets=[dataset], settings={"epochs": "1", **settings}, seeds=[0]))
    run = RunFolder(results / spec.folder)
    run.write_spec(spec)
    execute(run, run.spec(), results, "cpu")
    return run


@pytest.mark.parametrize(
    ("method", "dataset", "settings"),
    [
        ("uniform", "toy-all", {}),
        ("td", "toy-all", {}),  # one task at a time
        ("branches", "toy-surfaces", {"precision": "bf16"}),  # maps, computed in bfloat16
    ],
)
def test_test_inputs_get_the_predictions_that_the_run_has_stored(
    tmp_path: Path, method: str, dataset: str, settings: dict[str, str]
) -> None:
    run = trained(tmp_path, method, dataset, **settings)
    record = run.record()
    assert record is not None
    test = record.spec.resolve().dataset.open(tmp_path).load("test", validation=False)
    found = mtbench.predict(run.path, test.inputs, data_root=tmp_path)  # type: ignore[arg-type]
    stored = run.predictions(record)
    assert list(found) == [task.name for task in record.tasks]
    for index, (task, kept) in enumerate(stored.items()):
        known = test.defined[:, index].numpy()
        np.testing.assert_allclose(found[task][known].astype(kept.dtype), kept[known], rtol=1e-6)


def test_a_pack_with_weights_predicts_as_its_folder_does(tmp_path: Path) -> None:
    run = trained(tmp_path / "results", "uniform", "toy-all")
    inputs = run.spec().resolve().dataset.open(tmp_path).load("test", validation=False).inputs
    for weights, name in ((True, "full.zip"), (False, "small.zip")):
        contents = collect(tmp_path / "results", weights=weights)
        write_pack(tmp_path / name, contents.members, contents.left_out)
    expected = mtbench.predict(run.path, inputs, data_root=tmp_path)  # type: ignore[arg-type]
    place = run.path.relative_to(tmp_path / "results")
    for given in (tmp_path / "full.zip", tmp_path / "full.zip" / place, tmp_path / "full.zip" / place / "record.json"):
        found = mtbench.predict(given, inputs, data_root=tmp_path)  # type: ignore[arg-type]
        assert all(np.array_equal(found[task], expected[task]) for task in expected)
    with pytest.raises(StoreError, match=r"small\.zip/.*model\.safetensors cannot be read: No such file.* --weights"):
        mtbench.predict(tmp_path / "small.zip", inputs, data_root=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"there is no .*full\.zip/nowhere"):
        mtbench.predict(tmp_path / "full.zip" / "nowhere", inputs, data_root=tmp_path)  # type: ignore[arg-type]


def test_a_run_that_has_kept_no_weights_is_refused_by_name(tmp_path: Path) -> None:
    run = trained(tmp_path, "uniform", "toy-all")
    (run.path / "model.safetensors").unlink()
    with pytest.raises(StoreError, match=rf"^{run.path}/model\.safetensors cannot be read: No such file.* Make them"):
        mtbench.predict(run.path, np.zeros((1, 1, 12, 12), dtype=np.uint8), data_root=tmp_path)


def test_inputs_of_another_shape_or_type_are_refused(tmp_path: Path) -> None:
    run = trained(tmp_path, "uniform", "toy-all")
    test = run.spec().resolve().dataset.open(tmp_path).load("test", validation=False).inputs
    assert hasattr(test, "shape")
    whole = np.asarray(test)
    for wrong in (whole[:, :, 1:], whole.astype(np.float64), whole[:0]):
        with pytest.raises(
            UsageError, match=rf"^the images are .* This run takes uint8 of shape \(N, {whole.shape[1]}, "
        ):
            mtbench.predict(run.path, wrong, data_root=tmp_path)


def test_examples_of_several_images_are_refused(tmp_path: Path) -> None:
    run = trained(tmp_path, "uniform", "toy-triplets")
    with pytest.raises(UsageError, match="an example of this run's dataset is 3 images"):
        mtbench.predict(run.path, np.zeros((1, 1, 8, 8), dtype=np.uint8), data_root=tmp_path)
