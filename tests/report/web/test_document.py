import base64
import hashlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from mtbench.report.assemble import make_report
from mtbench.report.web.document import render_document
from mtbench.store.status import RunStatus
from tests.report.records import QUICK, finished, mixed_runs, unfinished

WRONG = ("<img src=x onerror=alert(1)>", "a_b & 50%")


class Reader(HTMLParser):
    """All tags, attributes and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.attributes, self.texts = list[str](), list[tuple[str, str | None]](), list[str]()
        self.ids = list[str | None]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(runs: Sequence[RunStatus], folder: Path) -> tuple[str, Reader]:
    """Return the page of some runs without its figures, and what is in it."""
    text = render_document(make_report(runs).shown, {}, folder)
    reader = Reader()
    reader.feed(text)
    return text, reader


def test_the_policy_allows_the_one_script_and_the_one_style_of_the_page_by_their_sums(tmp_path: Path) -> None:
    text, reader = read([finished(), finished(seed=1)], tmp_path)
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert found
    policy = found[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; ")
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert not {name for name, _ in reader.attributes if name == "style" or name.startswith("on")}


def test_every_link_inside_the_page_has_its_place_and_every_id_is_there_once(tmp_path: Path) -> None:
    _, reader = read([*mixed_runs(), finished("td", 5, protocol=QUICK)], tmp_path)
    assert len(reader.ids) == len(set(reader.ids))
    inside = {value[1:] for name, value in reader.attributes if name == "href" and value and value.startswith("#")}
    assert inside <= set(reader.ids)


def test_every_file_of_a_report_is_linked_from_its_page(tmp_path: Path) -> None:
    files = {file.name for file in make_report([finished("td", seed) for seed in range(2)]).write(tmp_path)}
    reader = Reader()
    reader.feed((tmp_path / "index.html").read_text())
    linked = {value for name, value in reader.attributes if name == "href" and value and not value.startswith("#")}
    assert linked == files - {"index.html"}


def test_names_with_markup_are_texts(tmp_path: Path) -> None:
    text, reader = read([finished(name, seed) for name in WRONG for seed in range(2)], tmp_path)
    assert "img" not in reader.tags
    for name in WRONG:
        assert name in reader.texts
    assert "<img" not in text


def test_runs_that_are_not_fresh_have_words(tmp_path: Path) -> None:
    runs = [finished(), finished("td", 1, stale="its code changed"), unfinished("failed", "moo", 0, "out of memory")]
    _, reader = read(runs, tmp_path)
    assert {"1 stale", "1 failed", "failed", "stale: its code changed", "failed: out of memory"} <= set(reader.texts)


def test_a_list_has_seed_identity_value_machine_code_and_command_of_each_run(tmp_path: Path) -> None:
    run = finished("td", 7, (91.25, 80.5))
    _, reader = read([run], tmp_path)
    assert {run.spec.id, "7", "91.25", "80.5", "85.875"} <= set(reader.texts)
    assert "mtbench run --methods td --dataset mmnist2 --protocol paper --seeds 7," in reader.texts
    said = " ".join(reader.texts)
    assert "torch version: 2.9.0" in said
    assert "network td: mtbench 0.1.0, abc" in said


def test_pages_on_trained_networks_are_linked_from_the_folder(tmp_path: Path) -> None:
    there = tmp_path / "a folder" / "mmnist2-td-seed-0-0123456789ab-explain.md"
    there.parent.mkdir()
    there.touch()
    _, reader = read([finished()], tmp_path)
    assert ("href", "a%20folder/mmnist2-td-seed-0-0123456789ab-explain.md") in reader.attributes


def test_intervals_of_ranks_stand_behind_the_methods_and_are_explained(tmp_path: Path) -> None:
    seeds = {"a": (90.0, 90.5, 91.0, 90.2), "b": (95.2, 95.0, 95.9, 95.5), "c": (99.0, 99.6, 99.4, 99.1)}
    runs = [finished(name, seed, (value, 80)) for name, values in seeds.items() for seed, value in enumerate(values)]
    text, reader = read(runs, tmp_path)
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', text)
    assert heads[:3] == ["method", "rank (95 %)", "LU"]
    cell = r'data-method="{}"[^>]*>.*?<td[^>]*>([^<]*)</td>'
    found = {name: re.search(cell.format(name), text, flags=re.S) for name in "abc"}
    assert {name: each and each[1] for name, each in found.items()} == {"a": "3", "b": "2", "c": "1"}
    assert "one family-wise error" in " ".join(reader.texts)
