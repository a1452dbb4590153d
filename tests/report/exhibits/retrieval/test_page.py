"""The table of mean average precision, from records made by hand."""

from dataclasses import replace

import pytest

from mtbench.contract import Retrieval, Task
from mtbench.report.data.choices import Choices
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.exhibits.retrieval.exhibit import Retrieval as RetrievalExhibit
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import CEILING, Measurement, TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import finished
from tests.report.shown import shown_beside

FACES = tuple(TaskInfo.of(Task(name=name, kind=Retrieval())) for name in ("smile", "beard"))


def faces(method: str, accuracy: float, precision: float, *, knows: bool = True) -> RunStatus:
    metrics = {"triplet-accuracy": accuracy, "map": precision}
    run = finished(method, 0, {"smile": metrics, "beard": metrics}, tasks=FACES)
    assert run.record is not None
    known = {CEILING + name: Measurement(value=value, unit="%") for name, value in (("smile", 75.0), ("beard", 80.0))}
    return replace(run, record=replace(run.record, measurements=known if knows else {}))


def comparison(*, knows: bool = True) -> Comparison:
    [made] = compare([faces("td", 91.0, 61.5, knows=knows), faces("chmod", 88.0, 55.25, knows=knows)])
    return made


def test_it_stands_beside_triplet_accuracy_which_alone_is_in_the_first_table() -> None:
    first = render_markdown(page_of(build_table(comparison())))
    assert "91.0" in first
    assert "61.5" not in first
    pages = shown_beside(RetrievalExhibit, comparison())
    assert list(pages) == ["ranked"]
    text = render_markdown(pages["ranked"])
    assert "61.5" in text
    assert "55.2" in text
    assert "91.0" not in text
    assert not any("**" in line for line in text.splitlines() if line.startswith("|"))  # nothing is bold


def test_its_details_have_the_ceiling_of_one_embedding_where_that_is_known() -> None:
    for knows in (True, False):
        pages = shown_beside(RetrievalExhibit, comparison(knows=knows))
        text = " ".join(pages["ranked"].details)
        assert ("77.5 % in mean (smile 75.0, beard 80.0)." in text) == knows


@pytest.mark.parametrize("metrics", [("map",), ("triplet-accuracy",)])
def test_it_is_left_out_where_the_reader_has_chosen_metrics(metrics: tuple[str, ...]) -> None:
    assert not shown_beside(RetrievalExhibit, comparison(), Choices(metrics=metrics))
