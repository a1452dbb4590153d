"""Attribute queries on scenes made by hand, and against an oracle in plain Python."""

import random
from collections import Counter
from pathlib import Path

import pytest

from mtbench_datasets.clevr.queries import ABOUT, DIRECT, NEIGHBOURS, SLOTS, Queries, Query, every_query, neighbours
from mtbench_datasets.clevr.vocabulary import WORDS
from tests.datasets.clevr.trees import Scene, random_scene, read, scene, thing

# The definition of CLEVR-40, written out scene by scene.
CLASSES = {
    "color": ["cyan", "blue", "yellow", "purple", "red", "green", "gray", "brown"],
    "material": ["rubber", "metal"],
    "shape": ["sphere", "cube", "cylinder"],
    "size": ["large", "small"],
}
REFERENTS = [
    ({"color": "purple"}, "shape"),
    ({"size": "large", "material": "rubber"}, "shape"),
    ({"material": "rubber", "shape": "cylinder"}, "size"),
    ({"material": "metal", "shape": "cube"}, "size"),
    ({"size": "small", "shape": "sphere"}, "material"),
    ({"color": "green"}, "material"),
    ({"size": "large", "shape": "sphere"}, "material"),
    ({"material": "metal", "shape": "cylinder"}, "color"),
    ({"size": "small", "material": "metal"}, "color"),
    ({"size": "large", "shape": "sphere"}, "color"),
]


def answer(folder: Path, made: Scene, *queries: Query) -> list[tuple[int, int]]:
    """Return the target of each query and the place of the object that it is about."""
    answers = Queries(queries=queries).answer(read(folder, made))
    assert answers.objects is not None
    return list(zip(answers.targets[0].tolist(), answers.objects[0].tolist(), strict=True))


def left(*words: str, asked: str = "shape") -> Query:
    return Query(words=words, asked=asked, about="left")


def oracle(made: Scene, named: dict[str, str], asked: str, slot: int | None) -> tuple[int, int]:
    """Return the official rule for one query, one object at a time: the answer's class and the place it is about."""
    objects = made["objects"]
    fitting = [i for i, item in enumerate(objects) if all(item[kind] == word for kind, word in named.items())]
    if len(fitting) != 1:
        return -1, -1
    (found,) = fitting
    if slot is not None:
        x, y = objects[found]["pixel_coords"][:2]
        best, score = -1, 0.0
        for j, other in enumerate(objects):
            dx, dy = other["pixel_coords"][0] - x, other["pixel_coords"][1] - y
            conditions = [
                dx < 0 and abs(dy) < 0.5 * abs(dx),
                dx > 0 and abs(dy) < 0.5 * abs(dx),
                dy < 0 and abs(dx) < 0.5 * abs(dy),
                dy > 0 and abs(dx) < 0.5 * abs(dy),
            ]
            if conditions[slot] and 1 / max(abs(dx) + abs(dy), 1) > score:
                best, score = j, 1 / max(abs(dx) + abs(dy), 1)
        if best < 0:
            return -1, -1
        found = best
    return CLASSES[asked].index(objects[found][asked]), found


def test_there_are_45_144_and_140_queries_by_one_two_and_three_words() -> None:
    queries = every_query(("self",))
    assert Counter(len(query.words) for query in queries) == {1: 45, 2: 144, 3: 140}
    assert len(queries) == 329
    assert len({(frozenset(query.words), query.asked) for query in queries}) == 329


def test_there_are_1645_queries_with_names_of_their_own_the_objects_themselves_first() -> None:
    queries = every_query()
    assert len({query.name for query in queries}) == len(queries) == 1645 == 329 * len(ABOUT)
    assert queries[:329] == every_query(("self",))
    assert {query.about for query in queries[329:658]} == {"left"}


def test_no_query_asks_for_what_it_names() -> None:
    for query in {*every_query(), *NEIGHBOURS, *DIRECT}:
        assert not set(query.words) & set(WORDS[query.asked])


def test_the_40_queries_are_among_the_1645() -> None:
    every = {(frozenset(query.words), query.asked, query.about) for query in every_query()}
    for forty in (NEIGHBOURS, DIRECT):
        asked = {(frozenset(query.words), query.asked, query.about) for query in forty}
        assert len(asked) == 40
        assert asked <= every
    assert Counter(query.asked for query in DIRECT) == dict.fromkeys(CLASSES, 10)


def test_the_classes_are_in_the_order_of_the_released_code() -> None:
    assert {kind: list(words) for kind, words in WORDS.items()} == CLASSES
    for query in (*NEIGHBOURS, *DIRECT):
        assert list(query.task.answers) == CLASSES[query.asked]
        assert query.task.kind.output_size == len(CLASSES[query.asked])


def test_task_4r_plus_s_is_about_neighbour_s_of_referent_r() -> None:
    assert len(NEIGHBOURS) == 4 * len(REFERENTS) == 40
    for index, query in enumerate(NEIGHBOURS):
        named, asked = REFERENTS[index // 4]
        assert (set(query.words), query.asked) == (set(named.values()), asked)
        assert query.about == SLOTS[index % 4]


def test_names_and_questions_are_english() -> None:
    query = Query(words=("red", "metal", "large"), asked="shape", about="above")
    assert query.name == "large-red-metal-above-shape"
    assert query.task.question == "What is the shape of what is above the large red metal thing?"
    itself = Query(words=("cube", "small"), asked="color")
    assert itself.name == "small-cube-color"
    assert itself.task.question == "What is the color of the small cube?"


def test_a_name_must_fit_exactly_one_object(tmp_path: Path) -> None:
    query = Query(words=("red",), asked="size")
    one, two = thing("large red rubber cube"), thing("small red metal sphere", x=20)
    assert answer(tmp_path, scene(one), query) == [(0, 0)]
    assert answer(tmp_path, scene(two), query) == [(1, 0)]
    assert answer(tmp_path, scene(one, two), query) == [(-1, -1)]
    assert answer(tmp_path, scene(one, two), Query(words=("red", "metal"), asked="size")) == [(1, 1)]
    assert answer(tmp_path, scene(one, two), Query(words=("red", "cylinder"), asked="size")) == [(-1, -1)]


@pytest.mark.parametrize(
    ("dx", "dy", "slot"),
    [
        *[(-10, 4, 0), (-10, -4, 0), (10, 4, 1), (10, -4, 1), (4, -10, 2), (-4, -10, 2), (4, 10, 3), (-4, 10, 3)],
        *[(-10, 5, None), (10, -5, None), (5, -10, None), (-5, 10, None), (10, 10, None), (0, 0, None)],
        *[(-1, 0, 0), (1, 0, 1), (0, -1, 2), (0, 1, 3)],
    ],
)
def test_a_neighbour_lies_in_at_most_one_slot_and_in_none_on_the_border(
    dx: int, dy: int, slot: int | None, tmp_path: Path
) -> None:
    """At |dy| = .5 |dx| and |dx| = .5 |dy| nothing is beside nor above nor below."""
    scenes = read(tmp_path, scene(thing(x=50, y=50), thing(x=50 + dx, y=50 + dy)))
    expected = [1 if slot == index else -1 for index in range(4)]
    assert neighbours(scenes)[0, 0].tolist() == expected


def test_the_nearest_neighbour_counts_by_dx_plus_dy_and_of_equals_the_first(tmp_path: Path) -> None:
    me, far = thing("small purple rubber sphere", x=50, y=50), thing(x=38, y=50)
    near, skew = thing("small red rubber sphere", x=40, y=50), thing("small red rubber cylinder", x=42, y=52)
    query = left("purple")
    assert answer(tmp_path, scene(me, far, near), query) == [(0, 2)]
    assert answer(tmp_path, scene(me, far, near, skew), query) == [(0, 2)]  # both at 10
    assert answer(tmp_path, scene(me, far, skew, near), query) == [(2, 2)]


def test_neighbours_nearer_than_a_pixel_are_equally_near(tmp_path: Path) -> None:
    me = thing("small purple rubber sphere", x=50, y=50)
    half, quarter = thing(x=49.5, y=50), thing("large red rubber cylinder", x=49.75, y=50)
    assert answer(tmp_path, scene(me, half, quarter), left("purple")) == [(1, 1)]
    assert answer(tmp_path, scene(me, quarter, half), left("purple")) == [(2, 1)]


def test_a_referent_that_is_not_unique_has_no_neighbours(tmp_path: Path) -> None:
    twins = scene(thing("small purple rubber sphere", x=9), thing("small purple metal cube", x=30), thing())
    assert answer(tmp_path, twins, left("purple"), left("purple", "cube")) == [(-1, -1), (0, 0)]


def test_random_scenes_are_answered_as_by_the_oracle(tmp_path: Path) -> None:
    draw = random.Random(5)
    made = [random_scene(draw) for _ in range(150)]
    scenes = read(tmp_path, *made)
    for queries in (NEIGHBOURS, DIRECT, every_query()[::7]):
        answers = Queries(queries=queries).answer(scenes)
        assert answers.objects is not None
        kinds = {word: kind for kind, words in CLASSES.items() for word in words}
        expected = [
            [
                oracle(
                    one,
                    {kinds[word]: word for word in query.words},
                    query.asked,
                    None if query.about == "self" else ["left", "right", "above", "below"].index(query.about),
                )
                for query in queries
            ]
            for one in made
        ]
        assert answers.targets.tolist() == [[target for target, _ in row] for row in expected]
        assert answers.objects.tolist() == [[place for _, place in row] for row in expected]
        assert (answers.targets >= 0).any(0).float().mean() > 0.5  # most queries are answered somewhere
