"""The list of kept reports, `results/reports.toml`, and what writes and compares them."""

from pathlib import Path

import pytest

from results import reports

LIST = reports.read()
SMALL = "2026-11-22-mmnist2-15-epochs"


def test_every_folder_below_reports_is_in_the_list() -> None:
    root = reports.HOUSE / "reports"
    there = {path.parent.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    listed = {each.out for each in LIST.report} | {each.out for each in LIST.explained}
    assert {folder for folder in there if folder.partition("/")[0] not in (".", "local")} == listed


def test_every_results_folder_with_packs_has_a_report() -> None:
    folders = {path.parent for path in (reports.HOUSE / "results").glob("*/*.zip")}
    assert {pack.parent for each in LIST.report for pack in each.packs} == folders


def test_every_document_names_reports_of_the_list() -> None:
    assert {out for each in LIST.document for out in each.reports} <= {each.out for each in LIST.report}
    assert all((reports.HOUSE / each.path).is_file() for each in LIST.document)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(each.out for each in LIST.report), *(each.path for each in LIST.document)])
def test_the_packs_make_every_report_and_every_number_of_documents(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reports.main(["--check", name]) == 0, capsys.readouterr().out


def test_a_report_is_written_to_the_same_bytes_and_an_altered_digit_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = reports.HOUSE / "reports" / SMALL
    (tmp_path / "results").symlink_to(reports.HOUSE / "results")
    monkeypatch.setattr(reports, "HOUSE", tmp_path)
    assert reports.main([SMALL]) == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "reports" / SMALL).iterdir()}
    texts = [path for path in kept.iterdir() if path.suffix in (".md", ".tex")]
    assert len(texts) > 4
    assert all(written[path.name] == path.read_bytes() for path in texts)

    table = tmp_path / "reports" / SMALL / "mmnist2-paper-epochs-15-table.md"
    text = table.read_text()
    assert text.count("92.94 ± 0.16") == 1
    table.write_text(text.replace("92.94", "92.95"))
    capsys.readouterr()
    assert reports.main(["--check", SMALL]) == 1
    says = capsys.readouterr().out
    assert f"\n  reports/{SMALL}/{table.name}:" in says
    assert "1 difference from the records in 15 files." in says


def test_a_name_that_is_not_in_the_list_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert reports.main(["--check", "2026-11-24-dem"]) == 2
    assert "Did you mean '2026-11-24-demo'?" in capsys.readouterr().err
