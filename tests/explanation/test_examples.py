"""Images are chosen by score: the surest answers of each case, of every class one before a second one."""

import torch
from torch import Tensor

from mtbench.explanation.answers import Answers, _log_odds
from mtbench.explanation.examples import cases, whole_images


def answered(truth: list[int], said: list[int], log_odds: list[float], **more: Tensor) -> Answers:
    return Answers(
        index=0,
        rows=10 + torch.arange(len(truth)),
        truth=torch.tensor(truth),
        said=torch.tensor(said),
        log_odds=torch.tensor(log_odds, dtype=torch.float64),
        **more,
    )


def test_the_surest_answers_come_first_and_every_class_before_a_second_of_any() -> None:
    found = answered([0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 0, 2, 1], [5, 9, 7, 1, 8, 2, 8])
    right, wrong = cases(found)
    assert (right.name, wrong.name) == ("right answers", "wrong answers")
    assert right.members.tolist() == [1, 5, 3, 2, 0]
    assert wrong.members.tolist() == [4, 6]  # equally sure: the first in the split


def test_where_points_are_known_cases_are_answer_by_place() -> None:
    nan = float("nan")
    points = torch.tensor([[1.0, 1.0]] * 6 + [[nan, nan]])
    distances = torch.tensor([0.0, 0.1, 0.11, 0.05, 0.5, nan, nan], dtype=torch.float64)
    found = answered([0] * 7, [0, 0, 0, 1, 1, 1, 0], [1, 2, 3, 4, 5, 6, 7], points=points, distances=distances)
    assert {case.name: case.members.tolist() for case in cases(found)} == {
        "right answer, right place": [1, 0],
        "right answer, wrong place": [2],
        "wrong answer, right place": [3],
        "wrong answer, wrong place": [5, 4],  # without a peak nothing is at the right place
    }


def test_images_with_the_most_right_or_wrong_answers_come_first() -> None:
    first = answered([0, 0, 0, 0], [0, 0, 1, 1], [1, 2, 3, 4])
    second = answered([0, 0, 0, 0], [0, 0, 1, 0], [5, 5, 1, 9])
    assert whole_images([first, second], right=True).tolist() == [11, 10, 13]
    assert whole_images([first, second], right=False).tolist() == [12, 13]


def test_log_odds_tell_apart_what_probabilities_round_to_one() -> None:
    logits = torch.tensor([[40.0, 0.0], [50.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    said = logits.argmax(1)
    torch.testing.assert_close(_log_odds(logits, said), torch.tensor([40.0, 50.0, 1.0], dtype=torch.float64))
    three = torch.tensor([[1.0, 2.0, 0.5]], dtype=torch.float64)
    probability = three.softmax(1)[0, 1]
    torch.testing.assert_close(_log_odds(three, torch.tensor([1]))[0], (probability / (1 - probability)).log())
