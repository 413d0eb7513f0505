"""The JUnit schema of the Jenkins xUnit plugin, with which readers of JUnit files agree.

schemas/junit-10.xsd is an unchanged copy of the file of that name in
https://github.com/jenkinsci/xunit-plugin. Its MIT licence notice is in the file.
"""

from __future__ import annotations

import functools
from pathlib import Path

from lxml import etree

_FILE = Path(__file__).parent / "schemas" / "junit-10.xsd"


@functools.cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_FILE))


def assert_valid_junit(file: Path) -> None:
    """Check a JUnit file against the schema."""
    _schema().assertValid(etree.parse(file))
