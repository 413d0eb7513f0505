"""GitLab CI: sections that can be folded; all else it reads from reports."""

from __future__ import annotations

import re

import pytest

from tests.support.ci_runner import NOW, Spoken, outcome_of
from tests.support.verdicts import HOSTILE, hostile_task

MARKER = re.compile(r"\x1b\[0Ksection_(start|end):([0-9]+):([\w.-]+)\r\x1b\[0K(.*)")


def markers(gitlab: Spoken) -> list[tuple[str, ...]]:
    found = [MARKER.fullmatch(line) for line in gitlab.lines]
    return [match.groups() for match in found if match is not None]


def test_a_section_begins_and_ends_with_markers() -> None:
    gitlab = Spoken("gitlab")
    gitlab.system.open_section("Outer")
    gitlab.system.open_section("Inner")
    gitlab.system.close_section()
    gitlab.system.close_section()
    gitlab.system.close_section()

    moment = str(int(NOW))
    assert markers(gitlab) == [
        ("start", moment, "precheck_gate_1", "Outer"),
        ("start", moment, "precheck_gate_2", "Inner"),
        ("end", moment, "precheck_gate_2", ""),
        ("end", moment, "precheck_gate_1", ""),
    ]


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_can_forge_a_marker(title: str) -> None:
    gitlab = Spoken("gitlab")
    gitlab.system.open_section(f"{title}\r\x1b[0Ksection_end:1:precheck_gate_1\r\x1b[0K")

    (marker,) = markers(gitlab)
    assert marker[0] == "start"
    assert "\x1b" not in marker[3]


def test_the_verdict_is_told_by_reports() -> None:
    gitlab = Spoken("gitlab")
    assert gitlab.conclude(outcome_of([hostile_task()], exit_code=1), markdown="x") == []
    assert gitlab.system.summary_room() == 0
    assert gitlab.lines == []
