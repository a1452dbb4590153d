"""The output of squeue, recorded from Slurm 22.05.8."""

from mtbench.engines.slurm.queue import Entry, Place, parse_queue, unusual

RECORDED = """\
1_1|1|COMPLETED|n1|None|mtbench-a
1_0|0|COMPLETED|n1|None|mtbench-a
3_0|0|PENDING||BeginTime|mtbench-b
3_1|1|RUNNING|n2|None|mtbench-b
3_2|2|PENDING||(ReqNodeNotAvail, UnavailableNodes:n[1-2])|mtbench-b
3_3|3|PENDING||(ReqNodeNotAvail, UnavailableNodes:n[1-2])|mtbench-b
5|N/A|RUNNING|n1|None|an interactive job
"""


def test_the_queue_is_read_by_name_and_index() -> None:
    queue = parse_queue(RECORDED)
    assert len(queue) == 6
    assert queue[Place("mtbench-b", 1)] == Entry(job="3_1", state="RUNNING", node="n2", reason="None")
    assert queue[Place("mtbench-b", 1)].array == "3"
    assert [place.index for place, entry in sorted(queue.items()) if entry.is_over] == [0, 1]


def test_jobs_of_no_array_and_odd_lines_are_left_out() -> None:
    assert parse_queue("\nslurm_load_jobs error\n7|N/A|RUNNING|n1|None|x\n") == {}


def test_a_reason_may_have_the_character_that_separates_columns() -> None:
    queue = parse_queue("4_0|0|PENDING||a|b|mtbench-c\n")
    assert queue[Place("mtbench-c", 0)].reason == "a|b"


def test_of_two_jobs_at_one_place_the_one_that_is_not_over_counts() -> None:
    lines = ["8_0|0|FAILED|n1|NonZeroExitCode|m", "9_0|0|PENDING||Priority|m"]
    for text in ("\n".join(lines), "\n".join(reversed(lines))):
        assert parse_queue(text)[Place("m", 0)].job == "9_0"


def test_only_reasons_that_do_not_pass_by_themselves_are_unusual() -> None:
    assert unusual(parse_queue(RECORDED)) == {"(ReqNodeNotAvail, UnavailableNodes:n[1-2])": Place("mtbench-b", 2)}
