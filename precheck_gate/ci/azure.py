"""Azure Pipelines: groups, issues, variables and a summary, as logging commands.

Source: Azure DevOps documentation, "Logging commands".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.ci import CiSystem, annotations_of
from precheck_gate.errors import reason_of
from precheck_gate.model.verdicts import Verdict
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from precheck_gate.ci import Written
    from precheck_gate.judgement.readiness import Readiness

MAX_SUMMARY = 512 * 1024


class AzurePipelines(CiSystem):
    """Azure Pipelines, through ``##vso`` commands in the log."""

    name = "azure"

    def summary_room(self) -> int:
        """Return the room of a summary, if the agent names a folder for it."""
        return MAX_SUMMARY if self._world.environ.get("AGENT_TEMPDIRECTORY") else 0

    def open_section(self, title: str) -> None:  # noqa: D102
        self._world.command(f"##[group]{clean_line(title)}")

    def close_section(self) -> None:  # noqa: D102
        self._world.command("##[endgroup]")

    def conclude(self, readiness: Readiness, written: Written) -> list[str]:
        """Write issues, variables and the summary; warnings make the job succeed with issues."""
        for one in annotations_of(readiness, written.policy, "see the reports"):
            properties = {"type": one.kind}
            if one.place is not None:
                properties |= {"sourcepath": one.place.path, "linenumber": str(one.place.line)}
            task = f"{one.task_id}: " if one.task_id else ""
            self._command("task.logissue", properties, shorten(f"{task}{one.text}", 1000))
        for name, value in (
            ("VERDICT", readiness.verdict.value),
            ("EXIT_CODE", str(readiness.exit_code)),
            ("READY_TASKS", json.dumps(list(readiness.ready))),
            ("BLOCKED_TASKS", json.dumps(list(readiness.blocked))),
            ("WARNINGS", str(readiness.warnings)),
        ):
            properties = {"variable": f"PRECHECK_GATE_{name}", "isOutput": "true"}
            self._command("task.setvariable", properties, value)
        lost = self._summary(written)
        if readiness.exit_code == 0 and readiness.verdict is not Verdict.PASSED:
            self._command("task.complete", {"result": "SucceededWithIssues"}, "")
        return [lost] if lost else []

    def _summary(self, written: Written) -> str:
        folder = self._world.environ.get("AGENT_TEMPDIRECTORY")
        if not folder or not written.markdown:
            return ""
        try:
            path = Path(folder).absolute() / "precheck-gate-summary.md"
            path.write_text(written.markdown, encoding="utf-8", newline="\n")
        except OSError as error:
            return f"the summary could not be written: {reason_of(error)}"
        self._command("task.uploadsummary", {}, str(path))
        return ""

    def _command(self, name: str, properties: dict[str, str], text: str) -> None:
        fields = "".join(f"{key}={_property(value)};" for key, value in properties.items())
        self._world.command(f"##vso[{name}{f' {fields}' if fields else ''}]{_data(text)}")


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
