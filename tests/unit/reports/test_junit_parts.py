"""JUnit in several files: each inside of what GitLab reads, together all of it, none left over."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from xml.etree import ElementTree as ET

import pytest
from lxml import etree

from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.junit import Documents, JUnitLimits, JUnitReporter
from precheck_gate.reports.sinks import PART_MARK, FileSink, Parts, StreamSink
from precheck_gate.reports.writing import ReportWriter
from tests.support.verdicts import FACTS, about_run, finding, hostile_task, own, run_of, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import Finding, TaskVerdict

WARNS = finding(Verdict.PASSED_WITH_WARNINGS, "warns")
PASSES = finding(Verdict.PASSED, "passes")
SMALL = JUnitLimits(max_bytes=6_000, max_cases=12, max_elements=40)


def tasks_of(number: int) -> list[TaskVerdict]:
    return [task(f"t{one}", own(), finding(), WARNS, PASSES) for one in range(number)]


def write(
    path: Path,
    tasks: Sequence[TaskVerdict],
    *findings: Finding,
    limits: JUnitLimits = SMALL,
) -> list[Path]:
    """Write a run as the program does, with smaller files; return them in their order."""
    sink = FileSink(path)
    reporter = JUnitReporter(sink.open(), limits)
    parts = Parts(sink)
    reporter.go_on_in(parts.more)
    for one in tasks:
        reporter.add_task(one)
    reporter.finish(run_of(tasks, *findings), FACTS)
    parts.commit()
    return [path, *map(Path, parts.further)]


def roots(files: Sequence[Path], limits: JUnitLimits = SMALL) -> list[etree._Element]:
    """Return the root of each file, all inside of the limits and counted right."""
    found = []
    for file in files:
        content = file.read_bytes()
        root = etree.fromstring(content)
        assert len(content) <= limits.max_bytes
        assert sum(1 for one in root.iter() if isinstance(one.tag, str)) <= limits.max_elements
        assert len(list(root.iter("testcase"))) <= limits.max_cases
        assert counts(root) == Counter({name: int(root.get(name)) for name in NAMES})
        for suite in root:
            assert counts(suite) == Counter({name: int(suite.get(name)) for name in NAMES})
        found.append(root)
    return found


NAMES = {"tests": "testcase", "failures": "failure", "errors": "error"}


def counts(element: etree._Element) -> Counter[str]:
    return Counter({name: len(list(element.iter(tag))) for name, tag in NAMES.items()})


def cases(found: Sequence[etree._Element]) -> list[bytes]:
    """Return every case in order, its text in full, whatever the indentation."""
    parser = etree.XMLParser(remove_blank_text=True)
    return [
        etree.tostring(etree.fromstring(etree.tostring(one, with_tail=False), parser))
        for root in found
        for one in root.iter("testcase")
    ]


def plain(tasks: Sequence[TaskVerdict], *findings: Finding) -> str:
    out = io.StringIO()
    reporter = JUnitReporter(out)
    for one in tasks:
        reporter.add_task(one)
    reporter.finish(run_of(tasks, *findings), FACTS)
    return out.getvalue()


def test_a_run_below_the_limits_is_one_file_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    assert write(path, tasks_of(2), about_run(), limits=JUnitLimits()) == [path]
    assert path.read_text(encoding="utf-8") == plain(tasks_of(2), about_run())
    assert list(tmp_path.iterdir()) == [path]


def test_a_larger_run_goes_on_in_files_with_numbers(tmp_path: Path) -> None:
    files = write(tmp_path / "junit.xml", tasks_of(10), about_run())
    assert [file.name for file in files][:3] == ["junit.xml", "junit-2.xml", "junit-3.xml"]
    assert len(files) > 3
    assert sorted(tmp_path.iterdir()) == sorted(files)
    found = roots(files)
    assert cases(found) == cases([etree.fromstring(plain(tasks_of(10), about_run()).encode())])
    suites = [suite.get("name") for root in found for suite in root]
    assert suites == [*(f"t{number}" for number in range(10)), "precheck-gate"], "whole suites"
    marked = [PART_MARK in file.read_text(encoding="utf-8") for file in files]
    assert marked == [False] + [True] * (len(files) - 1)


@pytest.mark.parametrize(
    "limits",
    [
        JUnitLimits(max_bytes=5_000),
        JUnitLimits(max_cases=5),
        JUnitLimits(max_elements=30),
        SMALL,
    ],
)
def test_a_task_beyond_the_limits_is_cut_between_its_cases(
    tmp_path: Path, limits: JUnitLimits
) -> None:
    large = task("large", own(), *(finding(title=f"i{one}") for one in range(60)), *[WARNS] * 9)
    tasks = [task("before"), large, task("after")]
    files = write(tmp_path / "junit.xml", tasks, limits=limits)
    assert len(files) > 2
    found = roots(files, limits)
    assert cases(found) == cases([etree.fromstring(plain(tasks).encode())])
    names = [suite.get("name") for root in found for suite in root]
    assert set(names) == {"before", "large", "after"}
    for suite in (suite for root in found for suite in root if suite.get("name") == "large"):
        assert suite.find("properties/property[@name='verdict']").get("value") == "blocked"


def test_hostile_text_is_cut_nowhere_inside(tmp_path: Path) -> None:
    limits = JUnitLimits(max_bytes=40_000)
    files = write(tmp_path / "junit.xml", [hostile_task()], limits=limits)
    assert len(files) > 2
    found = roots(files, limits)
    assert cases(found) == cases([etree.fromstring(plain([hostile_task()]).encode())])


def test_the_limits_are_those_of_gitlab() -> None:
    limits = JUnitLimits()
    assert limits.max_bytes < 30_000_000
    assert limits.max_cases <= 500_000
    assert limits.max_elements <= 250_000


def test_a_run_of_three_hundred_thousand_elements_is_two_files() -> None:
    first, second = io.StringIO(), io.StringIO()
    further = iter([second])
    documents = Documents(first, "precheck-gate", JUnitLimits())
    documents.go_on_in(lambda: next(further))
    for one in range(3):
        suite = ET.Element("testsuite", {"name": f"t{one}", "tests": "100000"})
        for number in range(100_000):
            ET.SubElement(suite, "testcase", {"name": f"i{number}"})
        documents.add(suite)
    documents.close()
    counted = [out.getvalue().count("<testcase ") for out in (first, second)]
    assert counted == [200_000, 100_000]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program write small files."""
    monkeypatch.setattr(
        "precheck_gate.reports.writing.load_format", lambda name, format_options: made
    )

    def made(out: TextIO) -> JUnitReporter:
        return JUnitReporter(out, SMALL)


@pytest.mark.usefixtures("small")
def test_the_writer_names_every_file(tmp_path: Path) -> None:
    writer = ReportWriter([("junit", FileSink(tmp_path / "junit.xml"))])
    for one in tasks_of(4):
        writer.add_task(one)
    writer.finish(run_of(tasks_of(4)), FACTS)
    assert writer.failures == []
    assert writer.written[:2] == [str(tmp_path / "junit.xml"), str(tmp_path / "junit-2.xml")]
    roots([Path(name) for name in writer.written])


@pytest.mark.usefixtures("small")
def test_what_the_writer_discards_leaves_nothing(tmp_path: Path) -> None:
    writer = ReportWriter([("junit", FileSink(tmp_path / "junit.xml"))])
    for one in tasks_of(9):
        writer.add_task(one)
    assert len(list(tmp_path.iterdir())) > 2
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_parts_of_an_earlier_larger_run_go(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    before = write(path, tasks_of(10))
    assert len(before) > 3
    after = write(path, tasks_of(4))
    assert 1 < len(after) < len(before)
    assert sorted(tmp_path.iterdir()) == sorted(after)
    write(path, tasks_of(1))
    assert list(tmp_path.iterdir()) == [path]


def test_files_of_others_are_neither_removed_nor_overwritten(tmp_path: Path) -> None:
    others = {
        "junit-2.xml": plain(tasks_of(1)),
        "junit-3.xml": "anything",
        "junit-x.xml": f"<!-- {PART_MARK} -->",
        "junit-02.xml": f"<!-- {PART_MARK} -->",
        "my-junit-2.xml": f"<!-- {PART_MARK} -->",
        "junit-2.xml.bak": f"<!-- {PART_MARK} -->",
    }
    for name, text in others.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "junit-4.xml").mkdir()
    files = write(tmp_path / "junit.xml", tasks_of(6))
    assert [file.name for file in files][:2] == ["junit.xml", "junit-5.xml"]
    write(tmp_path / "junit.xml", tasks_of(1))
    kept = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert {name: text for name, text in kept.items() if name != "junit.xml"} == others


def test_nothing_appears_before_the_report_is_whole_and_nothing_stays_without_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "junit.xml"
    before = write(path, tasks_of(3))
    content = {file: file.read_bytes() for file in before}
    sink = FileSink(path)
    reporter = JUnitReporter(sink.open(), SMALL)
    parts = Parts(sink)
    reporter.go_on_in(parts.more)
    for one in tasks_of(10):
        reporter.add_task(one)
    for file in before:
        assert file.read_bytes() == content[file]
    parts.discard()
    assert sorted(tmp_path.iterdir()) == sorted(before)
    assert {file: file.read_bytes() for file in before} == content


@pytest.mark.usefixtures("small")
def test_a_stream_takes_it_all_whatever_its_size() -> None:
    out = io.StringIO()
    writer = ReportWriter([("junit", StreamSink(out))])
    for one in tasks_of(20):
        writer.add_task(one)
    writer.finish(run_of(tasks_of(20)), FACTS)
    assert writer.written == ["-"]
    assert out.getvalue() == plain(tasks_of(20))


def test_a_device_has_nothing_beside_it() -> None:
    assert not FileSink(Path("/dev/null")).divisible


def test_a_part_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "junit.xml")
    parts = Parts(sink)
    parts.open().write("x")
    parts.more().write("y")
    (tmp_path / "junit-2.xml").mkdir()
    with pytest.raises(OSError, match="junit-2"):
        parts.commit()
    parts.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["junit-2.xml"]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    tasks = [*tasks_of(10), hostile_task()]
    one = write(tmp_path / "a" / "junit.xml", tasks)
    other = write(tmp_path / "b" / "junit.xml", tasks)
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]
