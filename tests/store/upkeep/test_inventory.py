"""The files of a results folder, by what they belong to."""

from pathlib import Path

from mtbench.store.upkeep.inventory import take_inventory


def test_hidden_folders_of_engines_are_passing_and_not_foreign(tmp_path: Path) -> None:
    for name in (".slurm/mtbench-a/submission.json", ".slurm/mtbench-a/0.log", ".slurm/claim.3", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = take_inventory(tmp_path)
    assert sorted(found.passing) == [".slurm/claim.3", ".slurm/mtbench-a/0.log", ".slurm/mtbench-a/submission.json"]
    assert found.foreign == ["notes.txt"]
