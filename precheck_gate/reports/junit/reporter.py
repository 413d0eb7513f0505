"""JUnit XML: one suite per task, one case per item, and one case for the task's own outcome.

The form is the one that every known reader takes (Jenkins, GitLab, GitHub's reporters, the
Jenkins xUnit schema): at most one status child per case, its text both in ``message`` and in the
body, unique names, ``time`` with three decimals, no ``disabled``, no attributes of a dialect.

Suites are built with junit-xml and written one by one, so that memory does not grow with the run; a
run beyond what readers take of one file goes on in further ones (`junit_documents`).
junit-xml 1.9 omits a status without text, writes ``disabled`` always and leaves a time of 0 out:
hence a text is always given here, and the elements are put right after it has built them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, TextIO

import junit_xml

from precheck_gate.model.verdicts import Finding, FindingKind, Verdict, worst
from precheck_gate.reports.base import JUnitWarnings
from precheck_gate.reports.junit.documents import Documents, JUnitLimits
from precheck_gate.safetext.cleaning import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

__all__ = ["JUnitReporter"]

# Readers show `message` as a title. GitLab and libxml2 refuse a text or a name above 10 MB, and a
# character has up to four bytes.
MAX_NAME = 500
MAX_MESSAGE = 2_000
MAX_BODY = 2_400_000
RUN_SUITE = "precheck-gate"


class JUnitReporter:
    """Writes one run as JUnit XML to a stream.

    Args:
        out: the stream.
        limits: what one file may hold; None for what every known reader takes.
        warnings: what a case is that only warns.
    """

    def __init__(
        self,
        out: TextIO,
        limits: JUnitLimits | None = None,
        *,
        warnings: JUnitWarnings = JUnitWarnings.SKIPPED,
    ) -> None:
        self._warnings = warnings
        self._documents = Documents(out, RUN_SUITE, limits or JUnitLimits())

    def go_on_in(self, more: Callable[[], TextIO]) -> None:
        """Take what opens one file more, for a run that is too large for one."""
        self._documents.go_on_in(more)

    def add_task(self, task: TaskVerdict) -> None:
        """Write the suite of one task."""
        suite = _name(task.task_id)
        own = [finding for finding in task.findings if finding.kind is FindingKind.TASK]
        others = [finding for finding in task.findings if finding.kind is not FindingKind.TASK]
        names = _Names()
        cases = [self._case(names.unique(suite, "result"), suite, own)]
        for finding in others:
            group = _name(finding.group)
            classname = f"{suite}.{group}" if group else suite
            name = f"{finding.title} [{finding.sub_task}]" if finding.sub_task else finding.title
            cases.append(self._case(names.unique(classname, name), classname, [finding]))
        properties = {
            "verdict": task.verdict.value,
            "progress": task.progress,
            "result": task.result,
            "job_direction": task.direction,
            "total_passed_rate": task.passed_rate,
            "rds_instance_id": task.instance_id,
            "name": task.name,
            "engine": task.engine,
        }
        self._write(
            junit_xml.TestSuite(
                suite,
                cases,
                properties={
                    name: shorten(value, MAX_MESSAGE) for name, value in properties.items() if value
                },
            )
        )

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the suite of the run itself, if it has findings, and the document around all."""
        if run.findings:
            names = _Names()
            self._write(
                junit_xml.TestSuite(
                    RUN_SUITE,
                    [
                        self._case(names.unique(RUN_SUITE, finding.title), RUN_SUITE, [finding])
                        for finding in run.findings
                    ],
                    properties={
                        "verdict": run.verdict.value,
                        "exit_code": str(facts.exit_code),
                        "policy": facts.policy,
                    },
                )
            )
        self._documents.close()

    def _write(self, suite: junit_xml.TestSuite) -> None:
        element = suite.build_xml_doc()
        del element.attrib["disabled"]
        element.set("time", "0.000")
        for case in element.iter("testcase"):
            case.set("time", "0.000")
        self._documents.add(element)

    def _case(self, name: str, classname: str, findings: list[Finding]) -> junit_xml.TestCase:
        case = junit_xml.TestCase(name, classname)
        verdict = worst(finding.verdict for finding in findings)
        if verdict is Verdict.PASSED:
            return case
        # Never without a text: junit-xml leaves a status out that has none.
        text = "\n".join(line for one in findings for line in _lines(one)) or verdict.value
        body = shorten(text, MAX_BODY)
        message = shorten(re.sub(r"\n *", "; ", text), MAX_MESSAGE)
        match verdict:
            case Verdict.PASSED_WITH_WARNINGS:
                self._warn(case, f"warning: {message}", f"warning: {body}")
            case Verdict.BLOCKED:
                case.add_failure_info(message, body, "blocked")
            case Verdict.INCOMPLETE | Verdict.ERROR:
                case.add_error_info(message, body, verdict.value)
        return case

    def _warn(self, case: junit_xml.TestCase, message: str, body: str) -> None:
        match self._warnings:
            case JUnitWarnings.SKIPPED:
                case.add_skipped_info(message, body)
            case JUnitWarnings.PASSED:
                case.stdout = body
            case JUnitWarnings.FAILURE:
                case.add_failure_info(message, body, "warning")


# Readers such as Jenkins' junit-attachments take a name for the path of a folder.
_PATH = re.compile(r"[/\\]|^\.+|\.+$|\.{2,}")


def _name(text: str) -> str:
    """Return a name of the service's for a suite, a class or a case: short, and never a path."""
    return _PATH.sub(lambda found: "-" * len(found.group()), shorten(text, MAX_NAME))


class _Names:
    """Gives each case of a suite a name of its own: GitLab drops all but one of those alike."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()
        self._last: Counter[tuple[str, str]] = Counter()

    def unique(self, classname: str, name: str) -> str:
        """Return ``name``, shortened, and with a number where it was given away before."""
        short = candidate = _name(name)
        while (classname, candidate) in self._taken:
            self._last[classname, short] += 1
            candidate = f"{short} ({self._last[classname, short] + 1})"
        self._taken.add((classname, candidate))
        return candidate


def _lines(finding: Finding) -> Iterable[str]:
    yield finding.message
    for label, value in (
        ("service's error code", finding.code),
        ("raw error", finding.raw_error),
        ("evidence", finding.data),
        ("decided by", finding.decided_by),
        ("reason", finding.reason),
        ("waived by", _waiver(finding)),
        ("known", "the baseline had it already" if finding.known else ""),
        ("next step", finding.next_step),
    ):
        if value:
            # Indented, so that no text of many lines can pass for a line of ours.
            yield f"{label}: {shorten(value, MAX_BODY)}".replace("\n", "\n    ")


def _waiver(finding: Finding) -> str:
    if not finding.waived_by:
        return ""
    return f"{finding.waived_by} until {finding.waived_until}: {finding.waiver_reason}"
