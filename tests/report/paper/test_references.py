import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mtbench_methods
from mtbench import registry
from mtbench.report.data.comparison import compare
from mtbench.report.paper.references import display_names, references_of
from mtbench.store.identity.syntax import numeric_part, plain_text
from tests.report.paper.package import named_package
from tests.report.records import finished

OWN = [
    (kind, name)
    for kind in ("method", "balancer")
    for name, entry in registry.entries(kind).items()
    if entry.distribution == "mtbench"
]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from named_package(tmp_path, monkeypatch)


@pytest.mark.parametrize(("kind", "name"), OWN)
def test_the_title_and_the_references_that_are_read_are_those_of_the_class(kind: str, name: str) -> None:
    plugin = registry.load(kind, name)
    assert registry.declared(kind, name, "title") == plugin.title != ""  # type: ignore[attr-defined]
    assert registry.declared(kind, name, "bibtex") == plugin.bibtex  # type: ignore[attr-defined]
    own_paper = registry.declared(kind, name, "paper")
    assert bool(plugin.bibtex) >= bool(own_paper)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "name"), OWN)
def test_each_entry_is_complete_and_of_the_year_of_the_paper(kind: str, name: str) -> None:
    bibtex, paper = registry.declared(kind, name, "bibtex"), registry.declared(kind, name, "paper")
    for entry in re.split(r"\n(?=\s*@)", bibtex) if bibtex else []:
        assert entry.count("{") == entry.count("}")
        assert {"title", "author", "year"} <= set(re.findall(r"^\s+(\w+) = ", entry, re.MULTILINE))
        (year,) = re.findall(r"year = \{(\d{4})\}", entry)
        assert not paper or year in paper


@pytest.mark.parametrize("path", sorted(Path(mtbench_methods.__path__[0]).rglob("*.py")), ids=lambda path: path.stem)
def test_titles_and_references_of_methods_are_no_part_of_the_code_that_makes_numbers(path: Path) -> None:
    with_them = ast.parse(path.read_bytes())
    without = ast.parse(path.read_bytes())
    names = {"title", "bibtex", "BIBTEX"}
    for node in (without, *(each for each in without.body if isinstance(each, ast.ClassDef))):
        assert isinstance(node, ast.Module | ast.ClassDef)
        node.body = [
            each
            for each in node.body
            if not (isinstance(each, ast.Assign) and names & {getattr(target, "id", "") for target in each.targets})
        ]
    assert plain_text(numeric_part(with_them)) == plain_text(numeric_part(without))


def test_methods_are_called_by_the_titles_of_their_plugins_with_options_in_brackets() -> None:
    titles = {
        "td": "Top-down",
        "td:channels=6": "Top-down (channels=6)",
        "branches+famo": "FAMO",
        "branches+gradnorm:alpha=1.5": "GradNorm (alpha=1.5)",
        "film+dwa": "FiLM + DWA",
        "mtan@vgg11:width=2": "MTAN @ vgg11:width=2",
        "moo": "MGDA-UB",
        "moo:normalize=loss+": "MGDA-UB (normalize=loss+)",
        "unheard-of": "unheard-of",
        "no name & of 50% the form": "no name & of 50% the form",
    }
    (comparison,) = compare([finished(title) for title in titles])
    assert display_names(comparison) == titles


def test_two_methods_are_never_called_alike() -> None:
    (comparison,) = compare([finished("uniform"), finished("fixed"), finished("branches+fixed")])
    names = display_names(comparison)
    assert len({*names.values()}) == len(names)


def test_references_are_those_of_the_alias_or_of_network_and_balancer_each_once() -> None:
    (comparison,) = compare([finished(name) for name in ("moo", "branches+mgda", "film+dwa", "mtan", "single")])
    references = references_of(comparison.methods)
    assert references.keys == {
        "moo": ("sener2018multi",),
        "branches+mgda": ("desideri2012multiple", "sener2018multi"),
        "film+dwa": ("perez2018film", "liu2019end"),
        "mtan": ("liu2019end",),
        "single": (),
    }
    assert [*references.entries] == ["desideri2012multiple", "liu2019end", "perez2018film", "sener2018multi"]
    assert references.bibtex.count("\n@") == 3
    assert "@misc" not in references.bibtex


@pytest.mark.usefixtures("package")
def test_two_entries_with_one_key_and_unlike_texts_are_kept_apart() -> None:
    (comparison,) = compare([finished("mtan"), finished("fake-one"), finished("fake-two")])
    references = references_of(comparison.methods)
    assert references.keys == {"fake-one": ("same",), "fake-two": ("same-fake-two",), "mtan": ("liu2019end",)}
    assert "@misc{same-fake-two," in references.bibtex
    assert references.bibtex.count("@misc{same,") == 1


def test_references_that_are_no_entries_are_left_out_and_named_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"mtan": "@misc{whole, title = {Whole}}", "td": "@misc{torn, title = {Torn}", "film": "Doe, 2026"}
    monkeypatch.setattr(registry, "declared", lambda _, name, __: texts.get(name, ""))
    references = references_of(compare([finished(name) for name in texts])[0].methods)
    assert references.keys == {"film": (), "mtan": ("whole",), "td": ()}
    assert references.bibtex.splitlines() == [
        "% Left out: the references of film, for 'Doe, 2026' does not begin an entry, as '(at)article{key,' does.",
        "",
        "% Left out: the references of td, for the entry 'torn' does not end: 1 more braces are opened than closed.",
        "",
        "@misc{whole, title = {Whole}}",
    ]
