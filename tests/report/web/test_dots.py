import pytest

from mtbench.report.web.dots import axis_of, dots


@pytest.mark.parametrize(
    ("values", "axis"),
    [
        ([[95.1, 95.3, 95.2], [94.9, 95.0, 11.4]], (94.9, 95.3)),  # a run that failed to learn
        ([[95.24], [95.22], [95.56]], (95.22, 95.56)),  # of three numbers none is an exception
        ([[1.0, 1.0, 1.0, 2.0]], (1.0, 2.0)),  # no median deviation
        ([[float("nan"), 3.0], [float("inf")]], (3.0, 3.0)),
        ([[float("nan")], []], None),
    ],
)
def test_the_axis_leaves_out_few_far_numbers(values: list[list[float]], axis: tuple[float, float] | None) -> None:
    assert axis_of(values) == axis


def test_a_dot_beyond_the_axis_is_hollow_at_its_edge_and_seeds_keep_their_height() -> None:
    strip = dots([95.0, float("nan"), 11.4, 96.0], (94.0, 96.0))
    circles = strip.split("<circle")[1:]
    assert [circle.partition('" r')[0] for circle in circles] == [
        ' cx="40" cy="3',
        ' class="beyond" cx="4" cy="9',
        ' cx="76" cy="3',
    ]
    assert dots([float("nan")], (0.0, 1.0)) == ""
