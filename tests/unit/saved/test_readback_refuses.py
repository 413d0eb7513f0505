"""What is no report of ours, or contradicts itself, is refused with what is wrong about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.errors import UsageError
from precheck_gate.safetext.cleaning import clean
from precheck_gate.saved.reports import decoded, read_report
from tests.support.verdicts import page_of, wave

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPORT: dict[str, Any] = json.loads(page_of(*wave(4, items=4), form="json"))


def refusal(content: bytes) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        decoded(content, text=clean, whole=True)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Expecting value"),
        (b"<xml/>", "Expecting value"),
        (b"\xff\xfe", "not valid UTF-8"),
        (b"[]", "another kind"),
        (b"{}", "another kind"),
        (b'{"format": "precheck-gate/report", "format_version": 2}', "only 1 is supported"),
        (b'{"format": "precheck-gate/report", "format_version": true}', "only 1 is supported"),
        (b'{"format": "precheck-gate/report", "format_version": 1}', "required property"),
        (b'{"a": 1, "a": 2}', "duplicate key"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 700 + b"]" * 700, "nested too deeply"),
        (b'{"format": 1e999}', "too large"),
        (b'{"format": NaN}', "NaN is not JSON"),
    ],
)
def test_what_is_no_report_is_refused(content: bytes, said: str) -> None:
    assert said in refusal(content)


def _change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(report: dict[str, Any]) -> None:
        steps: list[Any] = [int(step) if step.isdecimal() else step for step in path.split(".")]
        inner: Any = report
        for step in steps[:-1]:
            inner = inner[step]
        inner[steps[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("verdict", "passed", "verdict of the run does not follow"),
        ("tasks.3.verdict", "passed", "does not follow from its findings"),
        ("tasks.0.findings.1.effect", "block", "the effect of check00 does not follow"),
        ("counts.tasks", {"passed": 9}, "counts of its tasks"),
        ("counts.findings", {"allow": 1}, "counts of its findings"),
        ("tasks.0.findings.0.kind", "odd", "(at tasks[0].findings[0].kind)"),
        ("tasks.0.findings", [], "(at tasks[0].findings)"),
        ("tasks.0.timeline", [[0, 101]], "(at tasks[0].timeline[0][1])"),
        ("exit_code", 1.5, "(at exit_code)"),
        ("more", 1, "more"),
    ],
)
def test_a_report_that_was_changed_is_refused(path: str, value: Any, said: str) -> None:
    report = json.loads(json.dumps(REPORT))
    decoded(json.dumps(report).encode(), text=clean, whole=True)
    _change(path, value)(report)
    assert said in refusal(json.dumps(report).encode())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.json"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_report(path, whole=True)
