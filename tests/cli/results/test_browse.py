import os
import webbrowser
from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.errors import UsageError
from tests.cli.commands import call


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Addresses that the browser was asked to open; the present folder has two reports."""
    asked = list[str]()

    def ask(address: str) -> bool:
        asked.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", ask)
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(("b", "a")):
        page = tmp_path / "reports/local" / name / "index.html"
        page.parent.mkdir(parents=True)
        page.touch()
        os.utime(page, (1000 - age, 1000 - age))
    return asked


def test_the_newest_report_is_opened_unless_one_is_named(opened: list[str], tmp_path: Path) -> None:
    assert "reports/local/b/index.html" in call(app, "open").output
    assert "reports/local/a/index.html" in call(app, "open", "reports/local/a").output
    call(app, "open", "reports/local/a/index.html")
    pages = [(tmp_path / "reports/local" / name / "index.html").as_uri() for name in ("b", "a", "a")]
    assert opened == pages


def test_without_a_browser_the_path_is_printed_and_said(monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    said = call(app, "open").output
    assert said.splitlines()[0] == "reports/local/b/index.html"
    assert "There is no browser here" in said
    assert opened == []


def test_a_folder_without_a_page_is_an_error_that_names_the_remedy(opened: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"there is no index.html in empty.*mtbench report"):
        call(app, "open", "empty")
    assert opened == []
