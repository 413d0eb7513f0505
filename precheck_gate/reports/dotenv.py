"""The verdict as variables, one a line: GitLab's dotenv report, Jenkins, shells.

GitLab keeps quotes as part of a value, so values have none. It takes only files below 5 KiB, and
expands ``$`` in values. A list of tasks that does not fit is left out as a whole, and a variable
says so: half a list of ready tasks would look like all of them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TextIO

from precheck_gate.judgement.readiness import ReadinessCollector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

PREFIX = "PRECHECK_GATE_"
MAX_BYTES = 5_000
"""GitLab takes less than 5,120 bytes."""

# A shell, GitLab's expansion or a reader of lines could take these for more than a character.
_RISKY = re.compile(r"[^0-9A-Za-z_.:@+/,\[\]\"\\ -]")


class DotenvReporter:
    """Writes one run as variables to a stream."""

    def __init__(self, out: TextIO, *, max_bytes: int = MAX_BYTES) -> None:
        self._out = out
        self._max_bytes = max_bytes
        self._readiness = ReadinessCollector(first=0)

    def add_task(self, task: TaskVerdict) -> None:
        """Take the verdict of one task."""
        self._readiness.add_task(task)

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write all variables."""
        readiness = self._readiness.finish(run, facts)
        lists = {"READY_TASKS": readiness.ready, "BLOCKED_TASKS": readiness.blocked}
        values = {
            "VERDICT": readiness.verdict.value,
            "EXIT_CODE": str(readiness.exit_code),
            "READY_TASKS": "[]",
            "BLOCKED_TASKS": "[]",
            "READY_COUNT": str(len(readiness.ready)),
            "BLOCKED_COUNT": str(len(readiness.blocked)),
            "WARNINGS": str(readiness.warnings),
            "LEFT_OUT": ",".join(lists).lower(),
        }
        # The ready tasks first: a pipeline starts them. Each list is whole or left out.
        left_out = list(lists)
        for name, tasks in lists.items():
            tried = values | {name: _array(tasks)}
            if len(_lines(tried)) <= self._max_bytes:
                values = tried
                left_out.remove(name)
        values["LEFT_OUT"] = ",".join(left_out).lower() or "none"
        self._out.write(_lines(values))


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{PREFIX}{name}={value}\n" for name, value in values.items())


def _array(tasks: Sequence[str]) -> str:
    """Return a JSON array of plain ASCII, with risky characters as escapes."""
    text = json.dumps(tasks, ensure_ascii=True, separators=(",", ":"))
    return _RISKY.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
