"""GitHub Actions: groups, annotations, outputs and the job summary.

Source: "Workflow commands for GitHub Actions"; limits: 10 annotations of a kind in a step, and a
job summary of 1024 KiB, beyond which GitHub shows nothing of it.
"""

from __future__ import annotations

import json
import secrets as random_source
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.ci import Annotation, CiSystem, annotations_of
from precheck_gate.errors import RESERVED_CODES, ExitCode, reason_of
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from precheck_gate.ci import Written
    from precheck_gate.judgement.readiness import Readiness

MAX_SUMMARY = 1024 * 1024
SUMMARY_MARGIN = 16 * 1024
SUMMARY_LEAST = 4 * 1024


class GitHubActions(CiSystem):
    """GitHub Actions, through commands in the log and the files that the runner names."""

    name = "github"

    def summary_room(self) -> int:
        """Return the room that earlier steps' summaries left in this job's file."""
        path = self._world.environ.get("GITHUB_STEP_SUMMARY")
        if not path:
            return 0
        try:
            used = Path(path).stat().st_size
        except OSError:
            used = 0
        room = MAX_SUMMARY - used - SUMMARY_MARGIN
        return room if room >= SUMMARY_LEAST else 0

    def open_section(self, title: str) -> None:  # noqa: D102
        self._world.command(f"::group::{_data(clean_line(title))}")

    def close_section(self) -> None:  # noqa: D102
        self._world.command("::endgroup::")

    def conclude(self, readiness: Readiness, written: Written) -> list[str]:
        """Write annotations, outputs and the job summary."""
        for one in annotations_of(readiness, written.policy, "see the job summary"):
            self._world.command(_annotation(one))
        # The outputs last: they hold the exit code, which a lost summary changes.
        lost = self._append("GITHUB_STEP_SUMMARY", written.markdown)
        code = readiness.exit_code
        if lost and code not in RESERVED_CODES - {ExitCode.PASSED}:
            code = int(ExitCode.REPORT)
        losses = [lost, self._write_outputs(readiness, code, written)]
        return [loss for loss in losses if loss]

    def _write_outputs(self, readiness: Readiness, code: int, written: Written) -> str:
        outputs = {
            "verdict": readiness.verdict.value,
            "exit-code": str(code),
            "ready-tasks": json.dumps(list(readiness.ready)),
            "blocked-tasks": json.dumps(list(readiness.blocked)),
            "warnings": str(readiness.warnings),
            "junit": written.reports.get("junit", ""),
            "report": written.reports.get("json", ""),
            "summary": written.reports.get("markdown", ""),
        }
        return self._append("GITHUB_OUTPUT", "".join(map(_heredoc, outputs.items())))

    def _append(self, variable: str, text: str) -> str:
        """Append to a file that the runner names; return what went wrong, or ""."""
        path = self._world.environ.get(variable)
        if not path or not text:
            return ""
        try:
            # A path may hold bytes that are no text: they are written as escapes.
            with Path(path).open(
                "a", encoding="utf-8", errors="backslashreplace", newline="\n"
            ) as file:
                file.write(text)
        except OSError as error:
            return f"{variable} could not be written: {reason_of(error)}"
        return ""


def _annotation(one: Annotation) -> str:
    properties = {"title": one.title + (f" of task {one.task_id}" if one.task_id else "")}
    if one.place is not None:
        properties |= {"file": one.place.path, "line": str(one.place.line)}
    fields = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{one.kind} {fields}::{_data(shorten(one.text, 1000))}"


def _heredoc(output: tuple[str, str]) -> str:
    name, value = output
    fence = f"precheck-gate-{random_source.token_hex(16)}"
    return f"{name}<<{fence}\n{value}\n{fence}\n"


_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def _data(text: str) -> str:
    return text.translate(_DATA)


def _property(text: str) -> str:
    return shorten(text, 200).translate(_PROPERTY)
