"""Whole reports, byte for byte, so that a change of any of them is seen and meant.

``UPDATE_GOLDEN=1 pytest tests/unit/reports/test_golden.py`` writes them anew.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from precheck_gate.runtime.version import __version__
from tests.support.evaluating import BLOCKED, DDS, MYSQL, evaluate
from tests.support.paths import TESTS

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN = TESTS / "golden"
ANSWERS = {"mysql": (0, MYSQL), "dds": (0, DDS), "blocked": (1, BLOCKED)}


def normalised(content: bytes) -> str:
    text = content.decode("utf-8")
    text = text.replace(f'"version": "{__version__}"', '"version": "VERSION"')
    text = text.replace('"judged_on": "2026-01-31"', '"judged_on": "DATE"')
    # The built-in policy may be worded anew without a change of any report.
    text = re.sub(r"(?<=sha256)(\W{1,4})[0-9a-f]{12,64}", r"\1DIGEST", text)
    return re.sub(r"builtin:default:[0-9]+", "builtin:default:LINE", text)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_reports_are_those_that_were_agreed_on(tmp_path: Path, name: str) -> None:
    code, body = ANSWERS[name]
    done = evaluate(tmp_path, [body])
    assert done.code == code
    assert done.err == b""
    made = {
        f"{name}.junit.xml": normalised(done.junit.read_bytes()),
        f"{name}.report.json": normalised(done.json_bytes),
        f"{name}.summary.txt": normalised(done.out),
    }
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        for file, text in made.items():
            (GOLDEN / file).write_bytes(text.encode("utf-8"))
    for file, text in made.items():
        agreed = (GOLDEN / file).read_bytes().decode("utf-8")
        assert text == agreed, f"{file} differs; if that is meant: UPDATE_GOLDEN=1"


def test_there_is_no_golden_file_without_a_test() -> None:
    kinds = ("junit.xml", "report.json", "summary.txt")
    wanted = {f"{name}.{kind}" for name in ANSWERS for kind in kinds}
    ours = {path.name for path in GOLDEN.iterdir() if path.name.endswith(kinds)}
    assert ours == wanted


def test_version_and_date_are_in_the_json_report_only_once(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [MYSQL])
    for content in (done.out, done.junit.read_bytes()):
        assert __version__.encode() not in content
        assert b"2026-01-31" not in content
    assert normalised(done.json_bytes).count("VERSION") == 1
    assert normalised(done.json_bytes).count("DATE") == 1
