"""JUnit suites in as many documents as their readers need, whole suites wherever that is possible.

GitLab reads files below 30 MB, of 500,000 cases and 250,000 elements at most, the root among them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO
from xml.etree import ElementTree as ET

from precheck_gate.reports.parts import PART_MARK
from precheck_gate.reports.spool import copy_spool, open_spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Documents", "JUnitLimits"]

ROOM_AROUND = 500  # bytes for the root element and what stands above it
_STATES = ("failure", "error", "skipped")


@dataclass(frozen=True, slots=True)
class JUnitLimits:
    """What one file may hold: bytes, ``testcase`` elements, and elements of any name."""

    max_bytes: int = 29_000_000
    max_cases: int = 500_000
    max_elements: int = 250_000


@dataclass(slots=True)
class _Size:
    size: int = 0
    cases: int = 0
    elements: int = 0

    def __add__(self, other: _Size) -> _Size:
        return _Size(
            self.size + other.size, self.cases + other.cases, self.elements + other.elements
        )

    def within(self, limits: JUnitLimits) -> bool:
        """Return whether a document of this content is inside of the limits."""
        return (
            self.size + ROOM_AROUND <= limits.max_bytes
            and self.cases <= limits.max_cases
            and self.elements + 1 <= limits.max_elements
        )


class Documents:
    """Takes suites one by one, and writes each document when it is full.

    Args:
        out: the stream of the first document.
        name: of the root element.
        limits: what one document may hold.
    """

    def __init__(self, out: TextIO, name: str, limits: JUnitLimits) -> None:
        self._out = out
        self._name = name
        self._limits = limits
        self._more: Callable[[], TextIO] | None = None
        self._mark = ""
        self._begin()

    def go_on_in(self, more: Callable[[], TextIO]) -> None:
        """Take what opens one more stream; without it all goes into one document."""
        self._more = more

    def add(self, suite: ET.Element) -> None:
        """Take one suite, complete but for its indentation."""
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
    """Yield a suite that no document has room for as several of the same name and properties."""
    cases = suite.findall("testcase")
    others = [one for one in suite if one.tag != "testcase"]
    piece = _empty(suite, others)
    empty = size = _size_of(_spelt(piece), piece)
    for case in cases:
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
    states = Counter(
        next((one.tag for one in case if one.tag in _STATES), "")
        for case in suite.findall("testcase")
    )
    numbers = {
        "tests": states.total(),
        "failures": states["failure"],
        "errors": states["error"],
        "skipped": states["skipped"],
    }
    for name, number in numbers.items():
        if name in suite.attrib:
            suite.set(name, str(number))
    return suite
