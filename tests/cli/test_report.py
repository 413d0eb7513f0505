"""``precheck-gate report``: what it writes, says, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from precheck_gate.__main__ import run_main
from precheck_gate.errors import UsageError
from tests.support.verdicts import page_of, wave

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(page_of(*wave(30, items=5), form="json"), encoding="utf-8")
    return path


def test_it_writes_every_report_asked_for(source: Path, tmp_path: Path) -> None:
    targets = [f"--to=html={tmp_path / 'a' / 'r.html'}", f"--to=junit={tmp_path / 'j.xml'}"]
    assert run_main(["report", str(source), *targets]) == 0
    assert (tmp_path / "a" / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "j.xml").read_text(encoding="utf-8").startswith("<?xml")


def test_a_blocked_verdict_is_no_failure_of_the_command(source: Path, tmp_path: Path) -> None:
    assert json.loads(source.read_text(encoding="utf-8"))["exit_code"] != 0
    assert run_main(["report", str(source), "--to", f"json={tmp_path / 'again.json'}"]) == 0
    assert (tmp_path / "again.json").read_bytes() == source.read_bytes()


def test_stdout_carries_the_report_alone(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(["report", str(source), "--to", "markdown=-", "--max-bytes", "3000"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("## ")
    assert len(out.encode()) <= 3_000
    assert "Cut to fit" in out


def test_what_cannot_be_written_ends_in_5_and_costs_the_others_nothing(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    targets = [
        *("--to", f"html={tmp_path / 'folder'}", "--to", f"markdown={source}/x.md"),
        *("--to", f"junit={tmp_path / 'j.xml'}"),
    ]
    assert run_main(["report", str(source), *targets]) == 5
    assert (tmp_path / "j.xml").is_file()
    said = capsys.readouterr().err
    assert "the html report" in said
    assert "the markdown report" in said
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--to", "pdf=x"],
        ["--to", "html"],
        ["--to", "html=same", "--to", "junit=./same"],
        ["--to", "markdown=-", "--max-bytes", "10"],
    ],
)
def test_bad_usage_ends_in_2(
    source: Path, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_main(["report", str(source), *arguments]) == 2
    assert not (tmp_path / "same").exists()


def test_a_bad_report_ends_in_2_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    assert run_main(["report", str(tmp_path / "bad.json"), "--to", f"html={tmp_path / 'x'}"]) == 2
    assert not (tmp_path / "x").exists()


def test_a_report_of_another_version_is_said_aloud(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = json.loads(source.read_text(encoding="utf-8"))
    report["tool"]["version"] = "0.0.9"
    source.write_text(json.dumps(report), encoding="utf-8")
    assert run_main(["report", str(source), "--to", f"markdown={tmp_path / 'r.md'}"]) == 0
    assert "written by precheck-gate 0.0.9" in capsys.readouterr().err


def test_a_format_that_lacks_a_package_is_told_before_anything_is_written(
    source: Path, tmp_path: Path
) -> None:
    lacking = UsageError("The HTML report needs Jinja2.", hint="Install it.")
    with mock.patch("precheck_gate.cli.commands.report.load_format", side_effect=lacking):
        assert run_main(["report", str(source), "--to", f"junit={tmp_path / 'j.xml'}"]) == 2
    assert not (tmp_path / "j.xml").exists()
