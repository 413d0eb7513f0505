"""Finds the third-party tools that the tests use; says what to install where one is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL_FOLDERS = (ROOT / ".ci" / "tools", ROOT)


def missing(what: str) -> None:
    """Skip the test, or fail it where every tool has to be there."""
    if os.environ.get("PRECHECK_GATE_REQUIRE_PEERS"):
        pytest.fail(what)
    pytest.skip(what)


def program(name: str, *, debian: str) -> str:
    """Return the path of a program, or skip."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed (Debian: {debian})")
    return path or name


def node_package(name: str) -> Path:
    """Return the folder of an npm package, or skip.

    It is looked for in ``$PRECHECK_GATE_TOOLS``, then where ``make tools`` puts it, then in the
    root of the project.
    """
    program("node", debian="nodejs")
    given = os.environ.get("PRECHECK_GATE_TOOLS")
    for folder in [Path(given)] if given else TOOL_FOLDERS:
        package = folder / "node_modules" / name
        if package.is_dir():
            return package
    missing(f"the npm package {name} is not installed; run: make tools")
    return Path()
