"""Labels as text: of triplets the images and their classes."""

import csv
from pathlib import Path

from mtbench.cli.data.samples.label_table import label_table
from mtbench.plan.parse import parse_dataset
from mtbench_toys.datasets import draw


def test_of_triplets_a_line_has_the_task_and_each_image_with_its_class(tmp_path: Path) -> None:
    dataset = parse_dataset("toy-retrieval").open(tmp_path)
    header, *lines = list(csv.reader(label_table(dataset, 7).splitlines()))
    assert header == [
        *("example", "task", "anchor", "anchor class", "positive", "positive class", "negative", "negative class")
    ]
    split = dataset.labels("test", validation=False)
    assert split.members is not None
    places = draw("test")[1].tolist()
    assert len(lines) == 7
    for row, (example, task, *cells) in enumerate(lines):
        index = row % 2  # tasks come in turn
        assert (int(example), task) == (row, ("upper", "lower")[index])
        images, classes = [int(cell) for cell in cells[::2]], [int(cell) for cell in cells[1::2]]
        assert images == split.members[row].tolist()
        assert classes == [places[image][index] for image in images]
        assert classes[0] == classes[1] != classes[2]
