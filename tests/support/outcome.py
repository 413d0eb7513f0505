"""What a run of the program left behind, and what holds for every run, good or bad."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from precheck_gate.documents import strict_json
from precheck_gate.model.report import decode_report
from precheck_gate.saved.reports import contradictions

if TYPE_CHECKING:
    from pathlib import Path

# Marked, so that a search of everything that was written finds it.
TOKEN = "s3cr3t-MARK-0badc0ffee"
MARK = "s3cr3t-MARK"
PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
ID = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER = "a281f62f-4631-45d6-a2d3-679a9f4jb105"

_VERDICTS = {
    0: {"passed", "passed_with_warnings"},
    1: {"blocked"},
    2: {"error"},
    3: {"incomplete"},
    4: {"error"},
}


def task_id(number: int) -> str:
    """Return one of many well-formed task IDs."""
    return f"140b5236-88ad-43c8-811c-{number:07d}jb101"


def complaints(report: dict[str, Any]) -> list[str]:
    """Return all that is wrong with a report as it is read."""
    try:
        return list(contradictions(decode_report(strict_json.loads(json.dumps(report).encode()))))
    except ValueError as error:
        return [str(error)]


@dataclass(frozen=True)
class Outcome:
    """The exit code, what was printed, and the folder that the reports went to."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def report(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.folder / "report.json").read_bytes())
        return value

    @property
    def junit(self) -> ET.Element:
        return ET.parse(self.folder / "junit.xml").getroot()

    @property
    def findings(self) -> list[dict[str, Any]]:
        report = self.report
        tasks = (finding for task in report["tasks"] for finding in task["findings"])
        return [*report["findings"], *tasks]

    def verdicts(self) -> dict[str, str]:
        """Return the verdict of each task, as the JSON report has it."""
        return {task["task"]: task["verdict"] for task in self.report["tasks"]}

    def says(self, *words: str) -> None:
        """Assert that the words are printed and, were they of an error, reported too."""
        for word in words:
            assert word in self.text, self.text

    def reports(self, *words: str) -> None:
        """Assert that both reports hold the words, so that a pipeline need not read the log."""
        report = json.dumps(self.report, ensure_ascii=False)
        junit = "\n".join(
            "\n".join((element.text or "", *element.attrib.values()))
            for element in self.junit.iter()
        )
        for word in words:
            assert word in report, report
            assert word in junit, junit


def check(outcome: Outcome, *, with_reports: bool = True) -> Outcome:
    """Assert what holds for every run, and return it."""
    assert "Traceback" not in outcome.text, outcome.text
    assert "Exception ignored" not in outcome.text, outcome.text
    assert outcome.code != 70, outcome.text
    check_secrecy(outcome)
    if with_reports:
        check_reports(outcome)
    return outcome


def check_secrecy(outcome: Outcome) -> None:
    """Assert that the token stands nowhere."""
    assert MARK not in outcome.text
    for path in outcome.folder.rglob("*"):
        if path.is_file() and path.name != "token":
            assert MARK.encode() not in path.read_bytes(), path


def check_reports(outcome: Outcome) -> None:
    """Assert that both reports are whole and say what the exit code says."""
    report, junit = outcome.report, outcome.junit
    broken = len([*junit.iter("failure"), *junit.iter("error")])
    green = report["verdict"] in _VERDICTS[0]
    assert (broken == 0) == green
    assert int(junit.get("failures", 0)) + int(junit.get("errors", 0)) == broken
    assert report["exit_code"] == outcome.code
    assert complaints(report) == []
    if not report["advisory"]:
        assert report["verdict"] in _VERDICTS.get(outcome.code, {report["verdict"]})
    assert not [path.name for path in outcome.folder.iterdir() if path.name.endswith(".tmp")]
