"""Finds the third-party tools that the tests use; says what to install where one is missing."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

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
