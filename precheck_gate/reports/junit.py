"""JUnit XML of runs and of policy tests, in the form that every known reader takes.

A run has one suite per task, one case per item, and one case for the task's own result. Readers are
Jenkins, GitLab, GitHub's reporters and the schema of Jenkins' xUnit plugin, hence: at most one
status child per case, its text both in ``message`` and in the body, unique names, ``time`` with
three decimals, no ``disabled``, no attributes of a dialect.

Suites are built with junit-xml and written one by one, so that memory does not grow with the run.
junit-xml 1.9 omits a status without text, writes ``disabled`` always and leaves out a time of 0:
hence a text is always given here, and the elements are corrected after it has built them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TextIO
from xml.etree import ElementTree as ET

import junit_xml

from precheck_gate.model.verdicts import Finding, FindingKind, Verdict, worst
from precheck_gate.reports.base import JUnitWarnings, copy_spool, open_spool
from precheck_gate.reports.sinks import PART_MARK
from precheck_gate.safetext.cleaning import clean, clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

# Readers show `message` as a title. GitLab and libxml2 refuse a text or a name above 10 MB, and a
# character has up to four bytes.
MAX_NAME = 500
MAX_MESSAGE = 2_000
MAX_BODY = 2_400_000
RUN_SUITE = "precheck-gate"
POLICY_TESTS = "precheck-gate policy test"
ROOM_AROUND = 500  # bytes for the root element and what is above it
_STATES = {"failure": "failures", "error": "errors", "skipped": "skipped"}


class JUnitReporter:
    """Writes one run as JUnit XML to a stream."""

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
        names = _Names()
        own = [finding for finding in task.findings if finding.kind is FindingKind.TASK]
        cases = [self._case(names.unique(suite, "result"), suite, own)]
        for finding in task.findings:
            if finding.kind is FindingKind.TASK:
                continue
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
        given = {name: shorten(value, MAX_MESSAGE) for name, value in properties.items() if value}
        self._documents.add(_element(suite, cases, given))

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the suite of the run itself, if it has findings, and the end of the document."""
        if run.findings:
            names = _Names()
            cases = [
                self._case(names.unique(RUN_SUITE, finding.title), RUN_SUITE, [finding])
                for finding in run.findings
            ]
            properties = {
                "verdict": run.verdict.value,
                "exit_code": str(facts.exit_code),
                "policy": facts.policy,
            }
            self._documents.add(_element(RUN_SUITE, cases, properties))
        self._documents.close()

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


def _element(
    name: str, cases: list[junit_xml.TestCase], properties: dict[str, str] | None = None
) -> ET.Element:
    suite: ET.Element = junit_xml.TestSuite(name, cases, properties=properties).build_xml_doc()
    del suite.attrib["disabled"]
    for timed in (suite, *suite.iter("testcase")):
        timed.set("time", "0.000")
    return suite


# Readers such as Jenkins' junit-attachments take a name for the path of a folder.
_PATH = re.compile(r"[/\\]|^\.+|\.+$|\.{2,}")


def _name(text: str) -> str:
    """Return a name from the service as that of a suite, class or case: short, and never a path."""
    return _PATH.sub(lambda found: "-" * len(found.group()), shorten(text, MAX_NAME))


class _Names:
    """Gives each case of a suite a name of its own: GitLab drops all but one of equal names."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()
        self._last: Counter[tuple[str, str]] = Counter()

    def unique(self, classname: str, name: str) -> str:
        """Return ``name``, shortened, and with a number if it is taken."""
        short = candidate = _name(name)
        while (classname, candidate) in self._taken:
            self._last[classname, short] += 1
            candidate = f"{short} ({self._last[classname, short] + 1})"
        self._taken.add((classname, candidate))
        return candidate


def _lines(finding: Finding) -> Iterable[str]:
    yield finding.message
    waived = f"{finding.waived_by} until {finding.waived_until}: {finding.waiver_reason}"
    for label, value in (
        ("error code", finding.code),
        ("raw error", finding.raw_error),
        ("evidence", finding.data),
        ("decided by", finding.decided_by),
        ("reason", finding.reason),
        ("waived by", waived if finding.waived_by else ""),
        ("known", "already in the baseline" if finding.known else ""),
        ("next step", finding.next_step),
    ):
        if value:
            # Indented, so that no text of many lines can pass for a line of ours.
            yield f"{label}: {shorten(value, MAX_BODY)}".replace("\n", "\n    ")


# Policy tests


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One policy test case: its file and name, its place in the file, and its result.

    ``failure`` holds the differences from what the case expects, ``error`` says why it cannot be
    run. A case with neither passed.
    """

    file: str
    name: str
    place: str
    failure: tuple[str, ...] = ()
    error: tuple[str, ...] = ()


def write_cases(rows: Sequence[CaseRow], out: TextIO) -> None:
    """Write the results of policy tests, one suite per file; ``rows`` are grouped by file."""
    documents = Documents(out, POLICY_TESTS, JUnitLimits())
    for file, of_file in groupby(rows, key=lambda row: row.file):
        documents.add(_element(clean_line(file), list(map(_policy_case, of_file))))
    documents.close()


def _policy_case(row: CaseRow) -> junit_xml.TestCase:
    # Names are unique in a file, and the file is the class: readers drop equal cases.
    case = junit_xml.TestCase(clean_line(row.name), clean_line(row.file))
    lines = row.error or row.failure
    message = shorten(clean_line("; ".join(lines)), MAX_MESSAGE)
    body = shorten(clean("\n".join((*lines, f"case: {row.place}"))), MAX_BODY)
    if row.error:
        case.add_error_info(message, body, "unusable")
    elif row.failure:
        case.add_failure_info(message, body, "unexpected result")
    return case


# Documents


@dataclass(frozen=True, slots=True)
class JUnitLimits:
    """What one file may hold: bytes, ``testcase`` elements, and elements of any name.

    GitLab reads files below 30 MB, of 500,000 cases and 250,000 elements at most, the root among
    them.
    """

    max_bytes: int = 29_000_000
    max_cases: int = 500_000
    max_elements: int = 250_000


@dataclass(frozen=True, slots=True)
class _Size:
    size: int = 0
    cases: int = 0
    elements: int = 0

    def __add__(self, other: _Size) -> _Size:
        return _Size(
            self.size + other.size, self.cases + other.cases, self.elements + other.elements
        )

    def within(self, limits: JUnitLimits) -> bool:
        """Return whether a document of this content is inside the limits."""
        return (
            self.size + ROOM_AROUND <= limits.max_bytes
            and self.cases <= limits.max_cases
            and self.elements + 1 <= limits.max_elements
        )


class Documents:
    """Takes suites one by one, and writes each document when it is full."""

    def __init__(self, out: TextIO, name: str, limits: JUnitLimits) -> None:
        self._out = out
        self._name = name
        self._limits = limits
        self._more: Callable[[], TextIO] | None = None
        self._mark = ""
        self._begin()

    def go_on_in(self, more: Callable[[], TextIO]) -> None:
        """Take what opens one more stream; without it everything goes into one document."""
        self._more = more

    def add(self, suite: ET.Element) -> None:
        """Take one suite; one that no document has room for is divided."""
        text = _spelt(suite)
        size = _size_of(text, suite)
        if self._more is None or size.within(self._limits):
            self._write(suite, text, size)
            return
        for piece in _pieces(suite, self._limits):
            text = _spelt(piece)
            self._write(piece, text, _size_of(text, piece))

    def close(self) -> None:
        """Write the last document."""
        counts = " ".join(
            f'{name}="{self._counts[name]}"' for name in ("tests", "failures", "errors")
        )
        self._out.write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n{self._mark}'
            f'<testsuites name="{self._name}" time="0.000" {counts}>\n'
        )
        copy_spool(self._suites, self._out)
        self._out.write("</testsuites>\n")
        self._context.__exit__(None, None, None)

    def _begin(self) -> None:
        self._context = open_spool()
        self._suites = self._context.__enter__()
        self._counts: Counter[str] = Counter()
        self._size = _Size()

    def _write(self, suite: ET.Element, text: str, size: _Size) -> None:
        together = self._size + size
        if self._more is not None and self._size.size and not together.within(self._limits):
            self.close()
            self._out = self._more()
            self._mark = f"<!-- {PART_MARK} -->\n"
            self._begin()
            together = size
        self._size = together
        for name in ("tests", "failures", "errors"):
            self._counts[name] += int(suite.get(name, 0))
        self._suites.write(text)


def _spelt(element: ET.Element) -> str:
    ET.indent(element)
    return ET.tostring(element, encoding="unicode") + "\n"


def _size_of(text: str, element: ET.Element) -> _Size:
    size = len(text) if text.isascii() else len(text.encode("utf-8"))
    names = Counter(one.tag for one in element.iter())
    return _Size(size, names["testcase"], names.total())


def _pieces(suite: ET.Element, limits: JUnitLimits) -> Iterator[ET.Element]:
    """Yield a suite that no document has room for as several with its name and properties."""
    others = [one for one in suite if one.tag != "testcase"]
    piece = _empty(suite, others)
    empty = size = _size_of(_spelt(piece), piece)
    for case in suite.findall("testcase"):
        # Indented on its own a case is a little shorter than in its suite: two blanks a line.
        text = ET.tostring(case, encoding="unicode")
        more = _size_of(text, case) + _Size(3 * text.count("\n") + 3)
        if size.cases and not (size + more).within(limits):
            yield _counted(piece)
            piece, size = _empty(suite, others), empty
        piece.append(case)
        size = size + more
    yield _counted(piece)


def _empty(suite: ET.Element, others: list[ET.Element]) -> ET.Element:
    piece = ET.Element(suite.tag, suite.attrib)
    piece.extend(others)
    return piece


def _counted(suite: ET.Element) -> ET.Element:
    """Return the suite with the numbers of what it holds."""
    cases = suite.findall("testcase")
    states = Counter(
        next((_STATES[one.tag] for one in case if one.tag in _STATES), "") for case in cases
    )
    for name in ("tests", *_STATES.values()):
        if name in suite.attrib:
            suite.set(name, str(len(cases) if name == "tests" else states[name]))
    return suite
