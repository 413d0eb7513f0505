"""Finds the third-party tools that the tests use; says what to install where one is missing."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.runtime.process import SystemClock
from precheck_gate.simulator.scenario import builtin_scenario, load_scenario
from precheck_gate.simulator.server import Simulator
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.simulator.scenario import Scenario

TOOL_FOLDERS = (ROOT / ".ci" / "tools", ROOT / ".ci" / "e2e", ROOT)


def missing(what: str) -> None:
    """Skip the test, or fail it where every tool has to be there."""
    if os.environ.get("PRECHECK_GATE_REQUIRE_PEERS"):
        pytest.fail(what)
    pytest.skip(what)


def program(name: str, *, debian: str, optional: bool = False) -> str:
    """Return the path of a program, or skip; of an optional one, "" where it is missing.

    One that came with a Python package lies beside this Python.
    """
    path = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None and not optional:
        missing(f"{name} is not installed (Debian: {debian})")
    return path or ""


def python_package(name: str) -> None:
    """Skip where a Python package is missing."""
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        missing(f"the Python package {name} is not installed; run: make tools")


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
    missing(f"the npm package {name} is not installed; run: make tools (or: make e2e)")
    return Path()


def java_home() -> str:
    """Return the folder of the Java on the PATH, or skip; Debian's groovy looks at a fixed one."""
    java = Path(program("java", debian="default-jre-headless")).resolve()
    return str(java.parents[1])


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that ``make`` filled once, whatever the number of workers."""
    import fcntl

    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, done = base / name, base / f"{name}-done"
    with (base / f"{name}-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
PASSES = "140b5236-88ad-43c8-811c-1268453jb101"
WARNS = "a281f62f-4631-45d6-a2d3-679a9f4jb105"
BLOCKS = "5d2c81f4-0b7e-4f0a-9a56-3e91c07jb101"

_BLOCKED = f"""
version: 1
tasks:
  - id: {BLOCKS}
    answer: mysql
    items:
      - {{item: srcDbBinlogIsOff, result: FAILED, failed_reason: SRC_DB_BINLOG_IS_OFF}}
"""

_ENDLESS = f"""
version: 1
tasks:
  - {{id: {PASSES}, answer: mysql, duration: 10h}}
"""


def scenario(name: str) -> Scenario:
    """Return a scenario: passed, warned, blocked or endless."""
    match name:
        case "passed":
            return builtin_scenario("mysql")
        case "warned":
            return builtin_scenario("dds")
    text = {"blocked": _BLOCKED, "endless": _ENDLESS}[name]
    return load_scenario(parse_document(text, f"{name}.yaml"))


def serve(name: str) -> Simulator:
    """Return a running simulator of a scenario."""
    return Simulator(scenario(name), SystemClock())
