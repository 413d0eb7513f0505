"""JUnit XML of policy tests: one suite per file, one case per case.

The form is that of the gate's own reports (`reports.junit`), for the same readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TextIO
from xml.etree import ElementTree as ET

import junit_xml

from precheck_gate.safetext.cleaning import clean, clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CaseRow", "write_cases"]

MAX_MESSAGE = 2_000
MAX_BODY = 1_000_000
NAME = "precheck-gate policy test"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case: its file and name, where it stands, and what is wrong with it.

    ``failure`` holds the lines of what came out otherwise, ``error`` those of why it could not be
    run; a case with neither passed.
    """

    file: str
    name: str
    place: str
    failure: tuple[str, ...] = ()
    error: tuple[str, ...] = ()


def write_cases(rows: Sequence[CaseRow], out: TextIO) -> None:
    """Write what became of the cases; those of one file stand side by side in ``rows``."""
    root = ET.Element("testsuites", {"name": NAME, "time": "0.000"})
    for file, of_file in groupby(rows, key=lambda row: row.file):
        suite = junit_xml.TestSuite(clean_line(file), [_case(row) for row in of_file])
        element = suite.build_xml_doc()
        # What the schema of Jenkins refuses, and what junit-xml leaves out.
        del element.attrib["disabled"]
        for timed in (element, *element.iter("testcase")):
            timed.set("time", "0.000")
        root.append(element)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    ET.indent(root)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(ET.tostring(root, encoding="unicode") + "\n")


def _case(row: CaseRow) -> junit_xml.TestCase:
    # Names are unique in a file, and the file is the class: readers drop what looks the same.
    case = junit_xml.TestCase(clean_line(row.name), clean_line(row.file))
    lines = row.error or row.failure
    message = shorten(clean_line("; ".join(lines)), MAX_MESSAGE)
    body = shorten(clean("\n".join((*lines, f"case: {row.place}"))), MAX_BODY)
    if row.error:
        case.add_error_info(message, body, "unusable")
    elif row.failure:
        case.add_failure_info(message, body, "expected otherwise")
    return case
